"""LangSmith's feedback as verdicts on runs and traces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.ingest.content import as_id
from pipeline.ingest.readers.cells import moment, number, opened
from pipeline.ingest.readers.verdicts import verdict
from pipeline.ingest.records import Event

__all__ = ["feedback_of"]

# An evaluator of any kind writes "model"; the page "Feedback data format" also names "evaluator".
_SOURCES = {"model": "model", "evaluator": "model", "auto_eval": "model", "app": "human"}
_TOLD = {"human": "human", "annotator": "human", "user": "user", "model": "model", "code": "code"}


def feedback_of(row: Mapping[str, Any]) -> Event:
    """Feedback on a run, or on a trace where it names no run."""
    run, trace = as_id(row.get("run_id")), as_id(row.get("trace_id"))
    if run is None and trace is None:
        raise ValueError("feedback on a project, not on a run")
    value, score = opened(row.get("value")), number(row.get("score"))
    return verdict(
        trace,
        run,
        str(row["key"]),
        _source(row),
        score if score is not None else value,
        label=value if score is not None else None,
        explanation=row.get("comment"),
        correction=opened(row.get("correction")),
        time=moment(row.get("created_at")),
    )


def _source(row: Mapping[str, Any]) -> str:
    """Who judged: an evaluator, a person in LangSmith's app, or a user by way of the API.

    Code that calls the API for someone else says so in the source's metadata.
    """
    kept = _structure(row.get("feedback_source"))
    metadata = _structure(kept.get("metadata"))
    for name in ("source", "source_type", "annotator_kind"):
        if (told := _TOLD.get(str(metadata.get(name)).lower())) is not None:
            return told
    if "__run" in metadata:
        return "model"  # the run of the evaluator that gave it
    kind = kept.get("type") or row.get("feedback_source_type") or row.get("feedback_source.type")
    return _SOURCES.get(str(kind).lower(), "user")


def _structure(cell: Any) -> Mapping[str, Any]:
    value = opened(cell)
    return value if isinstance(value, dict) else {}
