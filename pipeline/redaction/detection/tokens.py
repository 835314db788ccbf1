"""From the tokens that a name detector marks to spans of whole words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.redaction.spans import Span

__all__ = ["Token", "join"]


@dataclass(frozen=True, slots=True, order=True)
class Token:
    """A token that may be personal: where, as what, how surely, and whether it goes on a value."""

    start: int
    end: int
    entity: str
    score: float
    goes_on: bool


def join(text: str, tokens: Sequence[Token]) -> list[Span]:
    """Join neighbouring tokens of one label to a span; its score is the best token's."""
    spans: list[Span] = []
    for token in tokens:
        last = spans[-1] if spans else None
        # given name and surname are one person
        joins = token.goes_on or token.entity == "PERSON"
        touching = last is not None and token.start <= last.end
        if (
            last is not None
            and last.entity == token.entity
            and (touching or (joins and text[last.end : token.start].isspace()))
        ):
            score = max(token.score, last.score)
            spans[-1] = Span(last.start, max(token.end, last.end), last.entity, score)
        elif touching and last is not None:
            # a word cut by two labels: the whole word belongs to the first
            spans[-1] = Span(last.start, max(token.end, last.end), last.entity, last.score)
        else:
            spans.append(Span(token.start, token.end, token.entity, token.score))
    return [_whole_words(text, span) for span in spans]


def _whole_words(text: str, span: Span) -> Span:
    """Stretch a span over the letters it touches: half a name must not stay behind."""
    start, end = span.start, span.end
    while start > 0 and text[start - 1].isalpha() and text[start].isalpha():
        start -= 1
    while end < len(text) and text[end].isalpha() and text[end - 1].isalpha():
        end += 1
    return Span(start, end, span.entity, span.score)
