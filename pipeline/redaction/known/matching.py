"""Find the known values of a trace in its texts, in every form they take."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import regex  # type: ignore[import-untyped]

from pipeline.redaction.known.values import KnownValue
from pipeline.redaction.policy.model import PiiPolicy
from pipeline.redaction.replacement.surrogates import fold
from pipeline.redaction.spans import Span

__all__ = ["KnownMatcher", "PublicNames", "date_forms"]

_GAP: Final = r"[\s._,\-]{0,3}"  # between first and last name: "Li, Mia", "mia_li", "MiaLi"
_BETWEEN: Final = r"[\s().\-/]{0,2}"  # between the digits of a phone or card number
_DIGITS: Final = re.compile(r"\d+")
_TAIL: Final = re.compile(r"(?<![a-z0-9])\d{5,}$")
_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:T.*)?")
_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june", "july", "august"),
    *("september", "october", "november", "december"),
)
_IN_PLACE: Final = frozenset({"CITY", "SECRET"})  # too common as a word, or masked by pattern
_SPELT: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae"})
_MIN_LITERAL: Final = {"ZIP_CODE": 5, "ADDRESS": 5, "USER_ID": 4}


class KnownMatcher:
    """Matches the known values of one trace, folded for case, diacritics and invisible marks."""

    def __init__(self, known: Iterable[KnownValue], policy: PiiPolicy) -> None:
        forms: dict[str, tuple[str, str | None]] = {}
        for value in known:
            for pattern, canonical in _forms(value, policy):
                forms.setdefault(pattern, (value.entity, canonical))
        # ids before the names inside them, and a full name before the first name at its start
        ordered = sorted(
            forms.items(), key=lambda item: (item[1][0] == "PERSON", -len(item[0]), item[0])
        )
        self._meaning: Sequence[tuple[str, str | None]] = [meaning for _, meaning in ordered]
        joined = "|".join(f"({pattern})" for pattern, _ in ordered)
        # `regex`, not `re`: a trace with thousands of values must time out, not hang
        self._regex = regex.compile(joined) if joined else None
        self._timeout = policy.regex_timeout_seconds
        self._memo: dict[str, list[Span]] = {}

    def spans(self, text: str) -> list[Span]:
        """Return the spans of known values in `text`, in order and apart."""
        if text not in self._memo:  # a trace says most things several times, its keys above all
            self._memo[text] = self._find(text)
        return self._memo[text]

    def _find(self, text: str) -> list[Span]:
        if self._regex is None:
            return []
        folded, origin = _fold_with_origin(text)
        found = []
        for match in self._regex.finditer(folded, timeout=self._timeout):
            entity, canonical = self._meaning[(match.lastindex or 1) - 1]
            start, end = match.span()
            if origin is not None:
                start, end = origin[start], origin[end - 1] + 1
            found.append(Span(start, end, entity, 1.0, canonical))
        return found


class PublicNames:
    """The names of things in one trace, which a name detector may take for people."""

    def __init__(self, names: Iterable[str], known: Iterable[KnownValue]) -> None:
        people = {fold(value.value) for value in known if value.entity == "PERSON"}
        self._names = sorted({fold(name) for name in names} - people, key=lambda n: (-len(n), n))
        joined = "|".join(re.escape(name) for name in self._names)
        self._regex = re.compile(rf"(?<!\w)(?:{joined})(?:e?s)?(?!\w)") if joined else None

    def drop(self, text: str, spans: Sequence[Span]) -> Sequence[Span]:
        """Return `spans` without the guesses of a person or place inside a thing's name.

        A part of such a name counts only when it has two words or more: "Grace" alone may be
        a customer even in a shop that sells the Grace Dress.
        """
        guesses = ("PERSON", "ADDRESS", "CITY")
        if self._regex is None or not any(span.entity in guesses for span in spans):
            return spans
        folded, origin = _fold_with_origin(text)
        things = [
            match.span() if origin is None else (origin[match.start()], origin[match.end() - 1] + 1)
            for match in self._regex.finditer(folded)
        ]
        return [
            span
            for span in spans
            if span.entity not in guesses
            or span.score >= 1.0
            or not (
                any(start <= span.start and span.end <= end for start, end in things)
                or self._is_part(fold(text[span.start : span.end]))
            )
        ]

    def _is_part(self, value: str) -> bool:
        return " " in value and any(f" {value} " in f" {name} " for name in self._names)


def _fold_with_origin(text: str) -> tuple[str, list[int] | None]:
    """Fold `text`; where that moves characters, also say where each came from."""
    if text.isascii():
        return text.lower(), None
    pieces, origin = [], []
    for index, character in enumerate(text):
        piece = fold(character)
        pieces.append(piece)
        origin.extend([index] * len(piece))
    return "".join(pieces), origin


def _forms(known: KnownValue, policy: PiiPolicy) -> Iterator[tuple[str, str | None]]:
    """Yield (pattern over folded text, canonical value) for every form a value may take."""
    value = fold(known.value)
    if (
        known.entity in _IN_PLACE
        or value in policy.allowed
        or not policy.rule(known.entity).enabled
    ):
        return
    if known.entity == "PERSON":
        yield from _name_forms(value.split(), policy)
        if (spelt := _spell_out(known.value)) != known.value:  # Müller is Mueller in an address
            yield from _name_forms(fold(spelt).split(), policy)
    elif known.entity == "DATE_OF_BIRTH":
        for form in date_forms(value):
            yield _bounded(form), value
    elif known.entity in ("PHONE_NUMBER", "CREDIT_CARD", "US_SSN", "BANK_ACCOUNT"):
        digits = "".join(_DIGITS.findall(value))
        if len(digits) >= 7:
            yield rf"(?<!\d)\+?{_BETWEEN.join(digits)}(?!\d)", value
            if known.entity == "PHONE_NUMBER" and len(digits) > 10:
                yield rf"(?<!\d){_BETWEEN.join(digits[-10:])}(?!\d)", value
    elif known.entity == "PAYMENT_ID" and (tail := _TAIL.search(value)):
        # the number alone is said in prose ("certificate 7504069"); the kind before it may stay
        yield rf"(?<!\d){tail[0]}(?!\d)", tail[0]
    elif known.entity == "ADDRESS":
        for part in (value, *(part.strip() for part in re.split(r"[,;\n]", value))):
            # "Galway" alone is a city that others live in; "Kestrel Court" is an address
            if len(part) >= _MIN_LITERAL["ADDRESS"] and re.search(r"\d|\s", part):
                yield _bounded(re.escape(part).replace(r"\ ", r"\s+")), None
    elif known.entity == "USER_ID" and value.isdigit() and len(value) < 6:
        return  # too likely an amount or a count; it is masked under its key
    elif len(value) >= _MIN_LITERAL.get(known.entity, 5):
        yield _bounded(re.escape(value).replace(r"\ ", r"\s+")), value
        if known.entity == "EMAIL_ADDRESS":
            local = value.partition("@")[0]
            if len(local) >= 6 and re.search(r"[\d._\-]", local):
                yield _bounded(re.escape(local)), None


def _bounded(pattern: str) -> str:
    return rf"(?<![a-z0-9]){pattern}(?![a-z0-9])"


def _spell_out(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold().translate(_SPELT)


def _name_forms(parts: Sequence[str], policy: PiiPolicy) -> Iterator[tuple[str, str | None]]:
    parts = [part.strip(".,'’") for part in parts]
    parts = [part for part in parts if part]
    escaped = [re.escape(part) for part in parts]
    if len(parts) > 1:
        for order in (escaped, escaped[::-1], [escaped[0], escaped[-1]]):
            yield rf"(?<![^\W\d_]){_GAP.join(order)}(?![^\W\d_])", None
        initial, last = re.escape(parts[0][0]), escaped[-1]
        if len(parts[-1]) > 3:  # aquell, a.quell and quell_a in a login or an address
            yield rf"(?<![^\W\d_]){initial}[._\-]?{last}(?![^\W\d_])", None
            yield rf"(?<![^\W\d_]){last}[._\-]{initial}(?![^\W\d_])", None
    for part in parts:
        for piece in {part, *re.split(r"[-'’]", part)}:
            # "Li" or "Price" alone is a word too often; it falls beside another name
            if len(piece) > 2 and piece not in policy.ambiguous and piece not in policy.allowed:
                yield rf"(?<![^\W\d_]){re.escape(piece)}(?![^\W\d_])", None


def date_forms(value: str) -> Iterator[str]:
    """Yield patterns for the ways a date (folded, ISO) is written; the value itself otherwise."""
    match = _ISO.fullmatch(value)
    try:
        day = dt.date(*map(int, match.groups()[:3])) if match else None
    except ValueError:
        day = None
    if day is None:
        yield re.escape(value)
        return
    y, m, d = day.year, rf"0?{day.month}", rf"0?{day.day}"
    month = f"{_MONTHS[day.month - 1][:3]}(?:{_MONTHS[day.month - 1][3:]}|t)?\\.?"
    nth = rf"{d}(?:st|nd|rd|th)?"
    yield rf"{y}[-/.]{m}[-/.]{d}"
    yield rf"{m}[-/.]{d}[-/.](?:{y}|{y % 100:02d})"
    yield rf"{d}[-/.]{m}[-/.](?:{y}|{y % 100:02d})"
    yield rf"{month}\s+{nth},?\s+(?:of\s+)?{y}"
    yield rf"{nth}\s+(?:of\s+)?{month},?\s+{y}"
    yield f"{y}{day.month:02d}{day.day:02d}"
