"""Verdicts inside traces: of users, of people who reviewed, of models, of code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.ingest.dialects.aliases import INDEXED_SCORES
from pipeline.ingest.dialects.indexed import gather
from pipeline.ingest.dialects.lookup import first, first_text, prose
from pipeline.ingest.records import Score, Span

__all__ = ["score_of", "scores_of", "trace_scores"]

_EVENT = "gen_ai.evaluation.result"
_OF_SPAN, _OF_TRACE = INDEXED_SCORES[:2], INDEXED_SCORES[2:]
_SOURCES = ("user", "human", "model", "code")
_ANNOTATORS = {"human": "human", "llm": "model", "model": "model", "code": "code", "user": "user"}
# How feedback widgets name what end users press or type.
_USERS = (
    "thumb",
    "feedback",
    "user",
    "rating",
    "csat",
    "nps",
    "like",
    "dislike",
    "star",
    "satisf",
)


def score_of(values: Mapping[str, Any]) -> Score:
    """The verdict that an event `gen_ai.evaluation.result` states.

    Its source is `caselaw.score.source` where a reader set it, else OpenInference's annotator
    kind, else the end user if the name speaks of one (thumbs, feedback, rating, CSAT, ...), else
    code: the conventions do not say who judged, and an evaluation of unknown origin must not pass
    for what a person said.
    """
    name = first_text(values, ("gen_ai.evaluation.name", "name", "key")) or ""
    label = first(values, ("gen_ai.evaluation.score.label", "label"))
    return Score(
        name=name,
        value=_value(first_of(values, "gen_ai.evaluation.score.value", "score", "value")),
        label=prose(label),
        source=_source(values, name),
        comment=prose(first(values, ("gen_ai.evaluation.explanation", "explanation", "comment"))),
        correction=prose(first(values, ("caselaw.score.correction", "correction"))),
    )


def first_of(values: Mapping[str, Any], *names: str) -> Any:
    """The first of `names` that is there; 0 and False are verdicts."""
    return next((values[n] for n in names if values.get(n) is not None), None)


def scores_of(span: Span) -> tuple[Score, ...]:
    """Verdicts on one span: its events, and OpenInference annotations and evaluations of it."""
    told = [score_of(values) for name, values in span.events if name == _EVENT]
    return (*told, *_annotations(span.attributes, _OF_SPAN))


def trace_scores(values: Mapping[str, Any]) -> tuple[Score, ...]:
    """Verdicts on a trace or its session, out of the merged attributes of all its spans.

    Each stands once in the merged attributes, however many spans repeat it.
    """
    return _annotations(values, _OF_TRACE)


def _annotations(values: Mapping[str, Any], prefixes: Sequence[str]) -> tuple[Score, ...]:
    found = gather(values, prefixes)
    return tuple(
        score
        for prefix in prefixes
        for item in found.get(prefix, {}).values()
        if (score := _annotation(item)) is not None
    )


def _annotation(item: Any) -> Score | None:
    for wrapper in ("annotation", "evaluation"):
        if isinstance(item, Mapping) and isinstance(item.get(wrapper), Mapping):
            item = item[wrapper]
    if not isinstance(item, Mapping):
        return None
    score = score_of(item)
    return score if score.name or score.value is not None or score.label else None


def _source(values: Mapping[str, Any], name: str) -> str:
    stated = values.get("caselaw.score.source")
    if isinstance(stated, str) and stated in _SOURCES:
        return stated
    annotator = values.get("annotator_kind")
    if isinstance(annotator, str) and (known := _ANNOTATORS.get(annotator.lower())) is not None:
        return known
    lower = name.lower()
    return "user" if any(word in lower for word in _USERS) else "code"


def _value(value: Any) -> float | None:
    """A score as a number, however written; verdicts may be below 0."""
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return float(value.lower() == "true")
    if not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if -1e15 < number < 1e15 else None
