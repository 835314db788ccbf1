"""Spans of personal data in one text: merge what overlaps, gate what is weak, replace."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.redaction.replacement.surrogates import Names

__all__ = ["TITLE", "Span", "merge", "replace"]

_TITLES: Final = (
    r"(?i)(?<!\w)(?:mr|mrs|ms|mx|miss|mister|sir|madam|dr|doctor|prof|professor|rev|herr|frau|"
    r"monsieur|madame|señora?|signora?)\.?\s+"
)
TITLE: Final = re.compile(f"{_TITLES}$")
"""A form of address, up to the name that follows."""
_TITLED: Final = re.compile(_TITLES)
_NAME_PART: Final = re.compile(r"[^\W_]+(?:['’\-][^\W_]{2,})*")


_ADDRESS_PART: Final = re.compile(r"[^\s,;](?:[^,;\n]*[^\s,;])?")
_SURE: Final = 0.9


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters `start` to `end` of a text hold a value of `entity`.

    Attributes:
        score: confidence, 0 to 1; known values and checksums have 1.
        canonical: the value to name the surrogate by, where it differs from the text.
    """

    start: int
    end: int
    entity: str
    score: float = 1.0
    canonical: str | None = None


def merge(spans: Iterable[Span]) -> list[Span]:
    """Join spans that overlap; the surest, then the longest, then the first names the union.

    Nothing that any span covers is left uncovered, whatever their order.
    """
    merged: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start, -s.end, s.entity, s.canonical or "")):
        if merged and span.start < merged[-1].end:
            merged[-1] = _union(merged[-1], span)
        else:
            merged.append(span)
    return merged


def _union(a: Span, b: Span) -> Span:
    if (a.start, a.end) == (b.start, b.end):
        return max(a, b, key=lambda s: (s.score, s.canonical is not None))
    if b.end <= a.end and a.score >= _SURE:
        return a  # an e-mail address holds a name, and not the other way round
    best = max(a, b, key=lambda s: (s.score, s.end - s.start))
    return Span(min(a.start, b.start), max(a.end, b.end), best.entity, best.score)


def replace(
    text: str,
    spans: Sequence[Span],
    names: Names,
    counts: Counter[str],
    allowed: frozenset[str] = frozenset(),
) -> str:
    """Put a surrogate in the place of each of the merged `spans`, and count them by entity.

    A person's name is replaced part by part, so "Ada Lovelace" in prose and `first_name`,
    `last_name` in JSON carry the same surrogates. An address is, too, between its commas;
    parts of it in `allowed` (countries, case-folded) stay. A title goes with the name.
    """
    if not spans:
        return text
    out: list[str] = []
    position = 0
    for span in spans:
        value = text[span.start : span.end]
        counts[span.entity] += 1
        out.append(text[position : span.start])
        if span.entity == "PERSON":
            out.append(
                _NAME_PART.sub(lambda m: names.name("PERSON", m[0]), _TITLED.sub("", value, 1))
            )
        elif span.entity == "ADDRESS":
            out.append(
                _ADDRESS_PART.sub(
                    lambda m: m[0] if m[0].casefold() in allowed else names.name("ADDRESS", m[0]),
                    value,
                )
            )
        else:
            out.append(names.name(span.entity, span.canonical or value, value))
        position = span.end
    out.append(text[position:])
    return "".join(out)
