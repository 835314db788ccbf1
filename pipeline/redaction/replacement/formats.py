"""Format-preserving surrogates: of the same form as the value, out of ranges that are nobody's.

They let a promoted case run through the agent's own validation. The price is room: an e-mail
address, an IBAN and an IPv6 address carry 50 keyed bits or more, other forms only what fits
(`docs/privacy.md` lists them), so two people may come to share a phone, a post code or a name.
They also keep length and separators of ids. Secrets and all else stay typed.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from typing import Final

from pipeline.redaction.known.dates import moved_date
from pipeline.redaction.replacement import forms
from pipeline.redaction.replacement.forms import Draw
from pipeline.redaction.replacement.keys import SurrogateKey
from pipeline.redaction.replacement.surrogates import ALPHABET, SURROGATE, Surrogates, normal

__all__ = ["FormatPreserving"]

_MAKERS: Final[Mapping[str, Callable[[Draw, str], str]]] = {
    "PERSON": forms.word,
    "CITY": forms.word,
    "ADDRESS": forms.address,
    "PHONE_NUMBER": forms.phone,
    "CREDIT_CARD": forms.card,
    "IBAN_CODE": forms.iban,
    "US_SSN": forms.ssn,
    "IP_ADDRESS": forms.ip_address,
    "MAC_ADDRESS": forms.mac_address,
    "ZIP_CODE": forms.same_shape,
    "USER_ID": forms.id_of_same_shape,
    "PAYMENT_ID": forms.id_of_same_shape,
    "BANK_ACCOUNT": forms.same_shape,
    "ROUTING_NUMBER": forms.same_shape,
    "PASSPORT": forms.same_shape,
    "DRIVER_LICENSE": forms.same_shape,
    "TAX_ID": forms.same_shape,
    "GOVERNMENT_ID": forms.same_shape,
}
_TAG: Final = 5  # letters, 21 bits: what tells our addresses from others
_EMAIL: Final = re.compile(
    rf"(?<![\w.+\-])([{ALPHABET.lower()}]{{12}})\.([{ALPHABET.lower()}]{{{_TAG}}})@example\.com(?![\w\-])"
)
_CARD: Final = re.compile(r"(?<!\d)4000[ \-]?00\d\d[ \-]?\d{4}[ \-]?\d{4}(?!\d)")
_FARTHEST: Final = 182  # days that a date is moved by, at most


class FormatPreserving:
    """Maps a value to one of the same form under one key; what has no form is typed.

    Args:
        key: the surrogate key.
        scope: the trace in which equal values have equal surrogates; empty for everywhere.
        typed: makes the surrogates of what has no form.
        only: the entities that keep their form; None for all that have one.
        exceptions: entities that are typed all the same.
    """

    def __init__(
        self,
        key: SurrogateKey,
        scope: str,
        typed: Surrogates,
        only: frozenset[str] | None,
        exceptions: frozenset[str],
    ) -> None:
        self._key = key.subkey(f"formats/{scope}")
        self._tag_key = key.subkey("format-tags")  # of no scope: the lake is read without one
        self._typed = typed
        self._only = only
        self._exceptions = exceptions
        moved = Draw(self._key, "days", "")
        self._days = (1 + moved.below(_FARTHEST)) * (1 if moved.below(2) else -1)

    def name(self, entity: str, value: str, shape: str = "") -> str:
        """Return the surrogate of `value`, in the form of `shape`; never the value itself."""
        shape = shape or value
        if entity in self._exceptions or (self._only is not None and entity not in self._only):
            return self._typed.name(entity, value)
        if entity == "EMAIL_ADDRESS" or (entity == "USER_ID" and "@" in value):
            return self._email(value)
        if entity == "DATE_OF_BIRTH":
            return moved_date(value, shape, self._days) or self._typed.name(entity, value)
        maker = _MAKERS.get(entity)
        made = self._make(maker, entity, value, shape) if maker else None
        return made or self._typed.name(entity, value)

    def number(self, entity: str, value: int) -> int:
        """Return a number of as many digits; a card number passes its check."""
        made = self.name(entity, str(abs(value))) if entity != "DATE_OF_BIRTH" else ""
        return int(made) if made.isascii() and made.isdigit() else self._typed.number(entity, value)

    def blank(self, text: str, filler: str) -> str:
        """Return `text` with `filler` in the place of every surrogate whose form could mislead.

        An address of ours carries a keyed tag that nobody without the key can make; a card of
        ours lies in a range that no bank issues.
        """
        text = SURROGATE.sub(filler, text)
        if "@" in text:
            text = _EMAIL.sub(lambda m: filler if self._tag(m[1]) == m[2] else m[0], text)
        return _CARD.sub(lambda m: filler if forms.luhn(m[0]) else m[0], text)

    def _make(
        self, maker: Callable[[Draw, str], str], entity: str, value: str, shape: str
    ) -> str | None:
        same = normal(entity, value)
        for attempt in range(8):
            made = maker(Draw(self._key, entity, same, attempt), shape)
            if (
                made
                and normal(entity, made) != same
                and normal(entity, made) != normal(entity, shape)
            ):
                return made
        return None  # a form with so little room (a shape without letters or digits) is typed

    def _email(self, value: str) -> str:
        local = Draw(self._key, "EMAIL_ADDRESS", normal("EMAIL_ADDRESS", value)).letters(12)
        return f"{local}.{self._tag(local)}@example.com"

    def _tag(self, local: str) -> str:
        number = int.from_bytes(hmac.digest(self._tag_key, local.encode(), "sha256"), "big")
        letters = []
        for _ in range(_TAG):
            number, index = divmod(number, len(ALPHABET))
            letters.append(ALPHABET[index].lower())
        return "".join(letters)
