"""Gates: what keeps a detector's guess from masking order numbers, amounts and cities."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from pipeline.redaction.policy import PiiPolicy
from pipeline.redaction.spans import Span

__all__ = ["gate"]

_ADDRESS_PARTS: Final = frozenset(
    {"BUILDING_NUMBER", "STREET_NAME", "SECONDARY_ADDRESS", "CITY", "STATE", "ZIP_CODE"}
)
_JOINT: Final = re.compile(r"[\s,.;]{0,3}(?:(?:in|at|of)\s)?")
_CITED: Final = re.compile(r"\[?[A-Z]{1,6}-?\d{1,7}[A-Z]?\]?")
_CODE: Final = re.compile(r"[A-Z0-9]{1,6}")  # airports, reservations, tickers
_AIRPORT_NEXT: Final = re.compile(r"\s?\(?[A-Z]{3}\)")
_UNIT: Final = re.compile(
    r"(?i)(?:#|\b(?:apt|apartment|suite|ste|unit|flat|floor|fl|room|rm|box|building|bldg|block|"
    r"stair|etage|stock|stiege|top|piso|planta|interno|scala|lgh)\b)|\d\s?[º°ª]"
)
_ZIP_WORDS: Final = ("zip", "postcode", "post code", "postal", "plz", "code postal", "cap ")
_STREET: Final = re.compile(
    r"(?i)\b(?:street|str?|avenue|ave?|road|rd|drive|dr|lane|ln|way|court|ct|close|terrace|place|pl|"
    r"square|sq|boulevard|blvd|highway|hwy|crescent|gardens|grove|hill|view|parkway|row|mews|rue|"
    r"impasse|chemin|quai|calle|avenida|avda|plaza|paseo|via|viale|corso|piazza|largo)\b|"
    r"(?:stra(?:ß|ss)e|str\.|weg|allee|gasse|platz|ring|damm|ufer|gatan|gata|vägen|gade|laan|straat)\b"
)
_CONTEXT_CHARS: Final = 48
_PHONE_FORM: Final = re.compile(
    r"(?i)(?:\+\s?\d[\d\s().\-/]{6,20}|\(\d{2,5}\)\s?\d{3,4}[\s.\-]?\d{2,4}|"
    r"\(?\d{2,5}\)?[\s.\-/]\(?\d{2,4}\)?[\s.\-/]\d{2,4}(?:[\s.\-/]\d{1,4})*)"
    r"(?:\s?(?:x|ext\.?)\s?\d{1,6})?"
)
_PHONE_WORDS: Final = re.compile(
    r"(?i)\b(?:phone|tel|mobile|cell|call|ring|whatsapp|sms|text|fax|contact|reach)\w{0,6}\b"
)
_DATE_FORM: Final = re.compile(
    r"(?:19|20)\d{2}[-/.]\d{1,2}[-/.]\d{1,2}.*|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)?\d{2}"
)


def gate(text: str, spans: Iterable[Span], policy: PiiPolicy) -> list[Span]:
    """Keep the spans that the policy and their surroundings bear out.

    A building number and its street become one ADDRESS; a city, state or post code counts
    only beside another part of an address.
    """
    kept = [span for span in spans if _passes(text, span, policy)]
    parts = sorted(span for span in kept if span.entity in _ADDRESS_PARTS)
    others = [span for span in kept if span.entity not in _ADDRESS_PARTS]
    return sorted(others + _addresses(text, parts, policy))


def _passes(text: str, span: Span, policy: PiiPolicy) -> bool:
    rule = policy.rule(span.entity)
    value = text[span.start : span.end]
    if not rule.enabled or span.score < rule.threshold or value.casefold() in policy.allowed:
        return False
    if rule.context and not _near(text, span, rule.context):
        return False
    if span.entity == "PHONE_NUMBER":
        return _is_phone(text, span)
    if span.entity == "PERSON" and span.score < 1.0:
        return _is_name(value, policy) and not (
            " " not in value and _AIRPORT_NEXT.match(text, span.end)
        )
    if span.entity in _ADDRESS_PARTS:
        return _is_address_part(text, span)
    return True


def _is_address_part(text: str, span: Span) -> bool:
    """Amounts and codes are no part of an address."""
    value = text[span.start : span.end]
    if value[:1] in "$€£" or text[max(0, span.start - 1) : span.start] in ("$", "€", "£", "."):
        return False
    if span.entity == "BUILDING_NUMBER" and _DATE_FORM.match(value):
        return False
    if span.entity == "STREET_NAME":
        return (
            sum(c.isalpha() for c in value) > 2
            and not _CODE.fullmatch(value)
            and (bool(_STREET.search(value)) or _beside_number(text, span))
        )
    return span.entity != "SECONDARY_ADDRESS" or bool(_UNIT.search(value))


def _near(text: str, span: Span, words: Sequence[str]) -> bool:
    """Whether one of `words` stands in the line just before or after the span."""
    before = text[max(0, span.start - _CONTEXT_CHARS) : span.start].rpartition("\n")[2]
    after = text[span.end : span.end + _CONTEXT_CHARS // 2].partition("\n")[0]
    around = f"{before}\n{after}".casefold()
    return any(re.search(rf"\b{re.escape(word)}", around) for word in words)


def _is_phone(text: str, span: Span) -> bool:
    """Digits alone are an order number more often than a phone, and dates look like phones."""
    value = text[span.start : span.end].strip()
    if _DATE_FORM.fullmatch(value) or not 7 <= sum(c.isdigit() for c in value) <= 15:
        return False
    around = text[max(0, span.start - 1) : span.start] + text[span.end : span.end + 1]
    if any(c.isalnum() or c in "$€£_" for c in around):
        return False
    before = text[max(0, span.start - _CONTEXT_CHARS) : span.start]
    return bool(_PHONE_FORM.fullmatch(value) or _PHONE_WORDS.search(before))


def _beside_number(text: str, span: Span) -> bool:
    """Whether a house number stands next to a name that might be a street's."""
    return bool(
        re.search(
            r"(?<![$€£\w.\-/])\d{1,5}[a-zA-Z]?,?\s$", text[max(0, span.start - 9) : span.start]
        )
        or re.match(r"\s\d{1,4}[a-zA-Z]?\b(?!\s?[%$€£])", text[span.end : span.end + 8])
    )


def _is_name(value: str, policy: PiiPolicy) -> bool:
    """A guessed name has letters, is not an id, and is not a word the policy lets pass."""
    words = re.findall(r"[^\W_]+", value)
    letters = [word for word in words if any(c.isalpha() for c in word)]
    return bool(
        letters
        and not _CITED.fullmatch(value)
        and not _CODE.fullmatch(value)
        and sum(c.isalpha() for c in value) > (1 if value[:1].isupper() else 2)
        and any(word.casefold() not in policy.allowed for word in letters)
    )


def _addresses(text: str, parts: Sequence[Span], policy: PiiPolicy) -> list[Span]:
    groups: list[list[Span]] = []
    for part in parts:
        if groups and _JOINT.fullmatch(text, groups[-1][-1].end, part.start):
            groups[-1].append(part)
        else:
            groups.append([part])
    kept = []
    for group in groups:
        kinds = {part.entity for part in group}
        placed = "STREET_NAME" in kinds or {"CITY", "ZIP_CODE"} <= kinds
        for index, part in enumerate(group):
            neighbours = group[max(0, index - 1) : index] + group[index + 1 : index + 2]
            beside_street = any(other.entity == "STREET_NAME" for other in neighbours)
            if part.entity in ("STREET_NAME", "SECONDARY_ADDRESS") or (
                part.entity == "BUILDING_NUMBER" and beside_street
            ):
                kept.append(Span(part.start, part.end, "ADDRESS", part.score))
            elif part.entity in ("CITY", "ZIP_CODE") and (
                placed or _may_stand_alone(text, part, policy)
            ):
                kept.append(part)
    return _join_streets(text, kept)


def _may_stand_alone(text: str, part: Span, policy: PiiPolicy) -> bool:
    if part.entity == "ZIP_CODE":
        return _near(text, part, _ZIP_WORDS)
    return policy.lone_cities


def _join_streets(text: str, spans: Sequence[Span]) -> list[Span]:
    """Join a number and its street to the one value that JSON states as `address1`."""
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.entity == span.entity == "ADDRESS"
            and text[last.end : span.start].strip(" ") == ""
        ):
            joined[-1] = Span(last.start, span.end, "ADDRESS", max(last.score, span.score))
        else:
            joined.append(span)
    return joined
