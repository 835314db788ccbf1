"""The residual audit: a second, independent look at the redacted record, before it leaves.

It shares no pattern with the detectors, only the list of values that the trace itself states.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from pipeline.redaction.known.values import KnownValue
from pipeline.redaction.notation.json_text import JsonValue, leaves, open_json
from pipeline.redaction.policy.model import PiiPolicy
from pipeline.redaction.replacement.surrogates import SURROGATE, Names

__all__ = ["find_residue", "texts_of"]

_SHAPES: Final = {
    "EMAIL_ADDRESS": re.compile(
        r"(?<![^\s@<>\"'(),;:\[\]])[^\s@<>\"'(),;:\[\]]+@[^\s@<>\"'(),;:\[\]]+\.[A-Za-z]{2,}"
    ),
    "US_SSN": re.compile(r"(?<![\d-])[0-8]\d\d-\d\d-\d{4}(?![\d-])"),
    "CREDIT_CARD": re.compile(r"(?<![\w.-])(?:\d[ -]?){14,15}\d(?![\w-])"),
    "SECRET": re.compile(
        r"AKIA[A-Z0-9]{16}|gh[pousr]_\w{36}|xox[abp]-\d+-\w+|eyJ[\w-]{8,}\.eyJ[\w-]{8,}|"
        r"PRIVATE KEY-----"
    ),
}
_LONG: Final = frozenset(
    {"USER_ID", "EMAIL_ADDRESS", "PHONE_NUMBER", "US_SSN", "CREDIT_CARD", "IBAN_CODE"}
)
_URL_SAFE: Final = str.maketrans("+/", "-_")
_BLANK: Final = "\x00"  # where a surrogate stood: joins nothing across it
_ENCODED: Final = re.compile(r"[A-Za-z0-9+/_\-]{14}")
_GAP: Final = re.compile(r"[^\w\x00]+|_")


def texts_of(value: JsonValue, policy: PiiPolicy) -> Iterator[str]:
    """Yield every string, number and key of a record, opened, but for fields that are kept."""
    for leaf in leaves(open_json(value)):
        rule = policy.field_rule(leaf.path)
        if rule is None or rule.action != "keep" or leaf.is_key:
            yield str(leaf.value)


def find_residue(
    texts: Iterable[str],
    known: Iterable[KnownValue],
    policy: PiiPolicy,
    names: Names | None = None,
) -> frozenset[str]:
    """Return the entities of which a value still shows in `texts`; empty is a pass.

    Args:
        texts: every string and key of the redacted record, JSON opened.
        known: the values the raw record states.
        policy: entities switched off and allowed terms are not looked for.
        names: tells our surrogates from personal data; without it, only typed ones are told.
    """
    known = list(known)
    blank = names.blank if names else lambda text, filler: SURROGATE.sub(filler, text)
    hidden = list(_hidden(known, policy))
    wanted = [
        (entity, needle)
        for value in known
        if policy.rule(value.entity).enabled
        for entity, needle in _needles(value, policy)
    ]
    found = set()
    for text in texts:
        bare = blank(text, _BLANK)
        for entity, shape in _SHAPES.items():
            if policy.rule(entity).enabled and any(
                _counts(entity, match[0], policy) for match in shape.finditer(bare)
            ):
                found.add(entity)
        spaced = f" {_plain(bare, ' ')} "
        solid = _plain(bare, "")
        for entity, needle in wanted:
            if needle in (spaced if needle.startswith(" ") else solid):
                found.add(entity)
        if hidden and _ENCODED.search(text):
            found |= {entity for entity, needle in hidden if needle in text}
    return frozenset(found)


def _hidden(known: Iterable[KnownValue], policy: PiiPolicy) -> Iterator[tuple[str, str]]:
    """Known values as they show inside base64, at each of the three places they may start."""
    for value in known:
        raw = value.value.encode()
        if not policy.rule(value.entity).enabled or not value.sure or len(raw) < 9:
            continue
        if value.entity in _LONG or (value.entity == "PERSON" and " " in value.value):
            for shift in range(3):
                coded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
                # the first and last signs also hold bits of what stands beside the value
                needle = coded[2 * shift - (shift > 1) : -1]
                yield value.entity, needle
                yield value.entity, needle.translate(_URL_SAFE)


def _plain(text: str, filler: str) -> str:
    """Lower case without accents; what is neither letter nor digit becomes `filler`."""
    if not text.isascii():
        text = "".join(
            c
            for c in unicodedata.normalize("NFKD", text)
            if unicodedata.category(c)[0] != "M" and unicodedata.category(c) != "Cf"
        )
    return filler.join(word for word in _GAP.split(text.casefold()) if word)


def _needles(known: KnownValue, policy: PiiPolicy) -> list[tuple[str, str]]:
    """What must not be found: with spaces round it, as words; without, anywhere at all."""
    if known.value.casefold() in policy.allowed or not known.sure:
        return []
    words = _plain(known.value, " ")
    if known.entity == "PERSON":
        return [("PERSON", f" {words} ")] if words.count(" ") else []
    if known.entity == "PAYMENT_ID":
        tail = re.search(r"\d{5,}$", known.value)
        return [("PAYMENT_ID", tail[0])] if tail else []
    if known.entity in _LONG:
        solid = _plain(known.value, "")
        return [(known.entity, solid)] if len(solid) >= 7 else []
    if known.entity in ("ADDRESS", "DATE_OF_BIRTH") and len(words) >= 8:
        return [(known.entity, f" {words} ")]
    return []


def _counts(entity: str, value: str, policy: PiiPolicy) -> bool:
    if value.casefold().strip(".") in policy.allowed:
        return False
    if entity != "CREDIT_CARD":
        return True
    digits = [int(c) for c in value if c.isdigit()]
    doubled = [d if i % 2 == len(digits) % 2 else 0 for i, d in enumerate(digits)]
    check = sum(digits) + sum(d - 9 * (d > 4) for d in doubled)
    return check % 10 == 0 and digits[0] in (3, 4, 5, 6) and len(set(digits)) > 1
