"""Scores, feedback and labels of platforms as the one event they land as."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pipeline.ids import canonical_json
from pipeline.ingest.records import Event

__all__ = ["verdict"]

_PREFIX = "gen_ai.evaluation."


def verdict(
    trace_id: str | None,
    span_id: str | None,
    name: str,
    source: str,
    value: Any,
    *,
    label: Any = None,
    explanation: Any = None,
    correction: Any = None,
    session: str | None = None,
    time: datetime | None = None,
) -> Event:
    """One verdict on a span, a trace or a session.

    Args:
        trace_id: None where only the span or the session is known.
        span_id: None where the verdict is on the whole trace.
        name: the metric or question.
        source: user, human, model or code.
        value: a number or boolean is the score; text is the label where `label` is none; a
            structure becomes the label as JSON.
        label: the category that was given.
        explanation: why.
        correction: what the output should have been, as text or a structure.
        session: the session that the verdict is on.
        time: when it was given.
    """
    score = float(value) if isinstance(value, bool | int | float) else None
    if score is None and label is None:
        label = value
    told: dict[str, Any] = {
        f"{_PREFIX}name": name,
        f"{_PREFIX}score.value": score,
        f"{_PREFIX}score.label": _text(label),
        f"{_PREFIX}explanation": _text(explanation),
        "caselaw.score.source": source,
        "caselaw.score.correction": _text(correction),
        "session.id": session,
    }
    attributes = {key: said for key, said in told.items() if said not in (None, "")}
    return Event(trace_id, span_id, f"{_PREFIX}result", time, attributes)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Mapping) and len(value) == 1:
        (only,) = value.values()  # {"answer": "..."}: the name of the field says nothing
        if isinstance(only, str):
            return only
    return canonical_json(value).decode()
