"""Addresses: the parts a detector saw, put together, so that what it missed between goes too.

A street, a city or a post code alone is as often a seat row, an airport or an order number. So a
part counts only in company: parts that stand close are one block, and a block that shows itself
as an address is masked from its first part to its last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from pipeline.redaction.policy.model import PiiPolicy
from pipeline.redaction.spans import Span

__all__ = ["ADDRESS_PARTS", "assemble"]

ADDRESS_PARTS: Final = frozenset(
    {"BUILDING_NUMBER", "STREET_NAME", "SECONDARY_ADDRESS", "CITY", "STATE", "ZIP_CODE"}
)
_UNIT: Final = re.compile(
    r"(?i)(?:#|\b(?:apt|apartment|suite|ste|unit|flat|floor|fl|room|rm|box|building|bldg|block|"
    r"stair|etage|stock|stiege|top|piso|planta|interno|scala|lgh|postbox|postfach)\b)|\d\s?[º°ª]"
)
_NUMBERED: Final = re.compile(
    # written alike everywhere, and missed by a detector that reads line by line
    r"(?i)\b(?:apt|apartment|suite|ste|flat)\b\.?\s?#?\d{1,5}[a-z]?\b|"
    r"\bp\.?\s?o\.?\s?box\s\d{1,6}\b|\b(?:postfach|postbox|apartado|casilla)\s\d{1,6}\b|"
    # the mail of the United States' forces: PSC 1203, Box 77, APO AE 09012
    r"\b(?:psc|cmr|unit)\s\d{1,5},?\s(?:box\s\d{1,5},?\s)?(?=[adf]po\b)|\b[adf]po\s(?:aa|ae|ap)\s\d{5}\b"
)
_SHIP: Final = re.compile(r"(?i)\buss?(?:cgc|ns|nv|s)?\s[^\W\d_]{2,20},?\s(?=[adf]po\s)")
_STREET: Final = re.compile(
    r"(?i)\b(?:street|str?|avenue|ave?|road|rd|drive|dr|lane|ln|way|court|ct|close|terrace|place|pl|"
    r"square|sq|boulevard|blvd|highway|hwy|crescent|gardens|grove|hill|view|parkway|row|mews|rue|"
    r"impasse|chemin|quai|calle|avenida|avda|plaza|paseo|via|viale|corso|piazza|largo)\b|"
    r"(?:stra(?:ß|ss)e|str\.|weg|allee|gasse|platz|ring|damm|ufer|gatan|gata|vägen|gade|laan|straat)\b"
)
_DATE: Final = re.compile(
    r"(?:19|20)\d{2}[-/.]\d{1,2}[-/.]\d{1,2}.*|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)?\d{2}"
)
_CODE: Final = re.compile(r"[A-Z0-9]{1,6}")  # airports, reservations, tickers
_JOINT: Final = re.compile(r"[\s,.;]{0,3}(?:(?:in|at|of)\s)?")
_BRIDGE: Final = re.compile(
    # a word or three that no detector knew, but no sentence's end, no amount, no key
    r"[\s,;>|?*\-]{0,6}(?:[^\W\d_][\w'’.\-]{0,24}(?:[ ,]{1,2}|\s*\n[\s>|?*\-]{0,6}|$)){0,5}"
    r"[\s,;>|?*\-]{0,6}"
)
_MOST_DIGITS: Final = {
    "BUILDING_NUMBER": 5,
    "SECONDARY_ADDRESS": 5,
}  # more is an order's or a card's
_AMOUNT_BEFORE: Final = re.compile(r"[$€£.]$|\d,$")
_AMOUNT_AFTER: Final = re.compile(r"\s?[%€$£]|[.,]\d|\s(?:EUR|USD|GBP|CHF|euros?|dollars?)\b")
_BRIDGED: Final = 48  # characters
_HOUSE: Final = re.compile(r"(?<![$€£\w.\-/:#])\d{1,5}[a-zA-Z]?,?[ ]$")
_HOUSE_AFTER: Final = re.compile(r"\s\d{1,4}[a-zA-Z]?\b(?!\s?[%$€£])")
_ZIP_NEAR: Final = re.compile(r"(?i)\b(?:zip|post\s?code|postal|plz|code postal|cap\s)")
_AT_HOME: Final = re.compile(
    r"(?i)\b(?:liv(?:e|es|ed|ing)|resid(?:e|es|ed|ing)|grew up|grow up|born|based|hometown is|"
    r"home(?:\sis)?|move[ds]?(?:\shere)?|moving(?:\shere)?|stay(?:s|ed|ing)?|i['’]?m|i am|"
    r"we['’]?re|we are)\s(?:in|near|from|to|at|outside)\s$"
)
_NEAR: Final = 48


def assemble(text: str, spans: Iterable[Span], policy: PiiPolicy) -> list[Span]:
    """Return the parts of addresses in `text` that count, and what stands between them.

    Args:
        text: what the spans point into.
        spans: parts of addresses, as a detector saw them.
        policy: whether any city counts alone.

    Returns:
        Spans of ADDRESS, CITY and ZIP_CODE, in order and apart.
    """
    seen = [span for span in spans if _may_be_part(text, span)]
    seen += [
        Span(match.start(), match.end(), "SECONDARY_ADDRESS", 1.0)
        for pattern in (_NUMBERED, _SHIP)
        for match in pattern.finditer(text)
    ]
    found: list[Span] = []
    for block in _blocks(text, _apart(seen)):
        if _is_address(text, block):
            found += _whole(text, block)
        else:
            found += _alone(text, block, policy)
    return _join_streets(text, found)


def _may_be_part(text: str, span: Span) -> bool:
    """Amounts, dates and codes are no part of an address."""
    value = text[span.start : span.end]
    if value[:1] in "$€£" or _AMOUNT_BEFORE.search(text[max(0, span.start - 2) : span.start]):
        return False
    if _AMOUNT_AFTER.match(text, span.end):
        return False
    digits = sum(c.isdigit() for c in value)
    if not digits:
        return span.entity not in ("BUILDING_NUMBER", "ZIP_CODE")
    return digits <= _MOST_DIGITS.get(span.entity, 9) and not _DATE.match(value)


def _apart(spans: Iterable[Span]) -> list[Span]:
    """Of parts that overlap, the longest."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start, -s.end)):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
        elif span.end > kept[-1].end:
            kept[-1] = replace(kept[-1], end=span.end)
    return kept


def _blocks(text: str, parts: Sequence[Span]) -> list[list[Span]]:
    blocks: list[list[Span]] = []
    for part in parts:
        gap = text[blocks[-1][-1].end : part.start] if blocks else ""
        if blocks and (_JOINT.fullmatch(gap) or _is_bridge(blocks[-1][-1], gap)):
            blocks[-1].append(part)
        else:
            blocks.append([part])
    return blocks


def _is_bridge(last: Span, gap: str) -> bool:
    """Whether a gap may hold a place no detector knew: on lines of its own, or in capitals."""
    if len(gap) > _BRIDGED or not _BRIDGE.fullmatch(gap):
        return False
    words = re.findall(r"[^\W\d_]+", gap)
    named = bool(words) and all(w[0].isupper() or w in ("and", "of", "the") for w in words)
    # "26 of the Cobbler Street Wallet" is a count
    return "\n" in gap or (named and words[0][0].isupper() and last.entity != "BUILDING_NUMBER")


def _is_street(text: str, part: Span) -> bool:
    value = text[part.start : part.end]
    return (
        part.entity == "STREET_NAME"
        and sum(c.isalpha() for c in value) > 2
        and not _CODE.fullmatch(value)
        and bool(_STREET.search(value) or _HOUSE.search(text[max(0, part.start - 9) : part.start])
                 or _HOUSE_AFTER.match(text, part.end))
    )  # fmt: skip


def _is_unit(text: str, part: Span) -> bool:
    value = text[part.start : part.end]
    return part.entity == "SECONDARY_ADDRESS" and bool(_UNIT.search(value) or part.score == 1.0)


def _is_address(text: str, block: Sequence[Span]) -> bool:
    """A street with a number or a place beside it, a flat in a house, a city with its post code."""
    street = any(_is_street(text, part) for part in block)
    unit = any(_is_unit(text, part) for part in block)
    close = any(
        {one.entity, other.entity} == {"CITY", "ZIP_CODE"}
        and _JOINT.fullmatch(text, one.end, other.start)
        for one, other in pairwise(block)
    )
    return street or close or (unit and len(block) > 1)


def _whole(text: str, block: Sequence[Span]) -> Iterator[Span]:
    """Every part of a block under its name, and the gaps that hold words as ADDRESS."""
    start = block[0].start
    if block[0].entity != "CITY" and (house := _HOUSE.search(text[max(0, start - 9) : start])):
        yield Span(start - len(house[0]), start - 1, "ADDRESS", block[0].score)
    for index, part in enumerate(block):
        entity = part.entity if part.entity in ("CITY", "ZIP_CODE") else "ADDRESS"
        if part.entity != "STATE" or index > 0:
            yield Span(part.start, part.end, entity, part.score)
        after = block[index + 1 : index + 2]
        gap = text[part.end : after[0].start] if after else ""
        words = list(re.finditer(r"[^\W\d_][\w'’.\-]*(?:[ ]+[^\W\d_][\w'’.\-]*)*", gap))
        for word in words:
            if not re.fullmatch(r"(?:in|at|of)", word[0]):
                yield Span(part.end + word.start(), part.end + word.end(), "ADDRESS", part.score)
    last = block[-1]
    if last.entity == "STREET_NAME" and (house := _HOUSE_AFTER.match(text, last.end)):
        yield Span(last.end + 1, house.end(), "ADDRESS", last.score)


def _alone(text: str, block: Sequence[Span], policy: PiiPolicy) -> Iterator[Span]:
    for part in block:
        before = text[max(0, part.start - _NEAR) : part.start].rpartition("\n")[2]
        at_home = part.entity == "CITY" and _AT_HOME.search(before)
        if (
            at_home
            or (part.entity == "CITY" and policy.places == "all")
            or (part.entity == "ZIP_CODE" and _ZIP_NEAR.search(before))
        ):
            yield part
        elif _is_unit(text, part) and _UNIT.search(text[part.start : part.end]):
            yield replace(part, entity="ADDRESS")


def _join_streets(text: str, spans: Sequence[Span]) -> list[Span]:
    """Join a number and its street to the one value that JSON states as `address1`."""
    joined: list[Span] = []
    for span in sorted(spans):
        last = joined[-1] if joined else None
        if last is not None and last.entity == span.entity == "ADDRESS":
            gap = text[last.end : span.start]
            if span.start <= last.end or gap.strip(" ") == "":
                end = max(last.end, span.end)
                joined[-1] = replace(last, end=end, score=max(last.score, span.score))
                continue
        joined.append(span)
    return joined
