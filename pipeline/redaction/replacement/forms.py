"""The forms that surrogates can keep: each makes one of the same form out of keyed numbers.

A text that does not have the form gives an empty one, and is typed instead.
"""

from __future__ import annotations

import hmac
import re
import string
from collections.abc import Iterator
from typing import Final

from pipeline.redaction.replacement.surrogates import ALPHABET

__all__ = [
    "Draw",
    "address",
    "card",
    "iban",
    "id_of_same_shape",
    "ip_address",
    "luhn",
    "mac_address",
    "phone",
    "same_shape",
    "ssn",
    "word",
]

_SYLLABLES: Final = [f"{c}{v}" for c in "bdfgjklmprtvwxz" for v in "aeiou"]
_ID_WORDS: Final = frozenset(
    ("usr", "user", "cust", "customer", "cus", "acc", "acct", "account", "member", "mem", "uid",
     "id", "u", "c", "pm", "pi", "tok", "card", "credit", "gift", "debit", "certificate", "wallet",
     "payment", "pay", "client", "guest", "login")
)  # fmt: skip
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[0-9A-Z]{10,30}")
_STREETS: Final = ("Street", "Road", "Lane", "Avenue", "Close", "Court", "Drive", "Way")
_RESERVED: Final = {"44": ("7700900", 3), "49": ("3023125", 3), "33": ("19900", 4)}


class Draw:
    """Numbers from HMAC-SHA256 of (entity, value) under a key: the same ones every time."""

    def __init__(self, key: bytes, entity: str, value: str, attempt: int = 0) -> None:
        self._key = key
        self._message = f"{entity}\0{value}\0{attempt}".encode()
        self._block = 0
        self._number, self._room = 0, 1

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1, even to within 2^-32."""
        if self._room < limit << 32:
            message = self._message + self._block.to_bytes(4, "big")
            self._number = int.from_bytes(hmac.digest(self._key, message, "sha256"), "big")
            self._room = 1 << 256
            self._block += 1
        self._number, drawn = divmod(self._number, limit)
        self._room //= limit
        return drawn

    def digits(self, count: int) -> str:
        """So many decimal digits."""
        return "".join(str(self.below(10)) for _ in range(count))

    def letters(self, count: int) -> str:
        """So many lower-case consonants: they spell no word."""
        return "".join(ALPHABET[self.below(len(ALPHABET))].lower() for _ in range(count))


def word(draw: Draw, shape: str) -> str:
    """An invented name of five syllables, 31 bits, in the case of `shape`."""
    made = "".join(_SYLLABLES[draw.below(len(_SYLLABLES))] for _ in range(5))
    if shape.isupper() and len(shape) > 1:
        return made.upper()
    return made if shape.islower() else made.capitalize()


def address(draw: Draw, shape: str) -> str:
    """A part of an address: a house number where there is one, and an invented street."""
    number = f"{1 + draw.below(899)} " if any(c.isdigit() for c in shape) else ""
    street = f"{word(draw, 'Ab')} {_STREETS[draw.below(len(_STREETS))]}"
    return number + street if " " in shape or number else word(draw, shape)


def phone(draw: Draw, shape: str) -> str:
    """A number reserved for fiction: +1 AAA 555 01XX (16 bits), or its like in GB, DE and FR."""
    digits = re.sub(r"\D", "", shape)
    plus = shape.lstrip().startswith(("+", "00"))
    for country, (block, free) in _RESERVED.items():
        if plus and digits.removeprefix("00").startswith(country):
            made = country + block + draw.digits(free)
            return _fill(shape, made) or f"+{made}"
    if not plus and len(digits) == 11 and digits.startswith("07"):
        return _fill(shape, "07700900" + draw.digits(3)) or shape
    area = f"{2 + draw.below(8)}{draw.below(9)}{draw.below(10)}"
    area = area if area[1:] != "11" else area[0] + "01"
    made = f"{area}55501{draw.digits(2)}"
    if len(digits) == 11 and digits[0] == "1":
        made = "1" + made
    plain = f"+{made}" if len(made) == 11 else f"{made[:3]}-{made[3:6]}-{made[6:]}"
    return _fill(shape, made) or (plain if shape.strip() != digits else made)


def card(draw: Draw, shape: str) -> str:
    """Sixteen digits of the test range 4000 00 that pass the Luhn check: 30 bits."""
    body = "400000" + draw.digits(9)
    made = next(body + last for last in string.digits if luhn(body + last))
    return _fill(shape, made) or made


def iban(draw: Draw, shape: str) -> str:
    """An account of the same country with right check digits; 50 bits from 16 digits on."""
    compact = re.sub(r"[\W_]", "", shape).upper()
    if not _IBAN.fullmatch(compact):
        return ""
    country, body = compact[:2], _like(draw, compact[4:]).upper()
    number = "".join(str(int(c, 36)) for c in f"{body}{country}00")
    made = f"{country}{98 - int(number) % 97:02d}{body}"
    return _fill(shape, made) or made


def ssn(draw: Draw, shape: str) -> str:
    """A number of the 9xx area with a group below 50, which is never issued: 25 bits."""
    made = f"9{draw.digits(2)}{draw.below(49) + 1:02d}{draw.digits(4)}"
    return _fill(shape, made) or made


def ip_address(draw: Draw, shape: str) -> str:
    """An address of 198.18.0.0/15 (17 bits) or of 2001:db8::/32 (96 bits): nobody's, by RFC."""
    if ":" in shape:
        return "2001:db8:" + ":".join(f"{1 + draw.below(65535):x}" for _ in range(6))
    return f"198.{18 + draw.below(2)}.{draw.below(256)}.{draw.below(256)}"


def mac_address(draw: Draw, shape: str) -> str:
    """A locally administered address: 40 bits."""
    made = "02" + "".join(f"{draw.below(256):02x}" for _ in range(5))
    return _fill(shape, made.upper() if shape.isupper() else made) or made


def same_shape(draw: Draw, shape: str) -> str:
    """A digit for a digit, a consonant for a letter, everything else as it is."""
    return _like(draw, shape)


def id_of_same_shape(draw: Draw, shape: str) -> str:
    """As `same_shape`, but words that only say what kind of id it is stay (`usr_4471`)."""
    return re.sub(
        r"[^\W\d_]+|\d+",
        lambda m: m[0] if m[0].casefold() in _ID_WORDS else _like(draw, m[0]),
        shape,
    )


def luhn(text: str) -> bool:
    """Whether the digits of `text` pass the Luhn check."""
    digits = [int(c) for c in text if c.isdigit()][::-1]
    return (sum(digits[::2]) + sum(sum(divmod(2 * d, 10)) for d in digits[1::2])) % 10 == 0


def _like(draw: Draw, text: str) -> str:
    return "".join(_sign(draw, sign, first) for sign, first in _with_starts(text))


def _with_starts(text: str) -> Iterator[tuple[str, bool]]:
    """Each sign, and whether it begins a number."""
    before = ""
    for sign in text:
        yield sign, not before.isdigit()
        before = sign


def _sign(draw: Draw, sign: str, first: bool) -> str:
    if sign.isdigit():  # a number keeps its length as a number, too
        return str(1 + draw.below(9)) if first and sign != "0" else str(draw.below(10))
    if sign.isalpha():
        letter = draw.letters(1)
        return letter.upper() if sign.isupper() else letter
    return sign


def _fill(shape: str, made: str) -> str | None:
    """Put `made` sign by sign in the places of `shape`; None where they do not fit."""
    places = [at for at, sign in enumerate(shape) if sign.isalnum()]
    if len(places) != len(made):
        return None
    signs = list(shape)
    for at, sign in zip(places, made, strict=True):
        signs[at] = sign
    return "".join(signs)
