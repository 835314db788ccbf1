"""Scores, score columns and comments of Langfuse as verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from pipeline.ingest.content import as_id, as_text
from pipeline.ingest.readers.cells import moment, number, plain
from pipeline.ingest.readers.langfuse.columns import Row, is_known, mapping, said
from pipeline.ingest.readers.verdicts import verdict
from pipeline.ingest.records import Event, Span

__all__ = ["NoTarget", "beside", "score_of"]

_SOURCES = {"ANNOTATION": "human", "EVAL": "model", "API": "user"}
# What a sender of API scores may say in their metadata of who judged.
_JUDGES = ("annotator_kind", "annotatorKind", "source", "evaluator_type", "evaluator")
_TOLD = {
    "human": "human",
    "annotator": "human",
    "user": "user",
    "llm": "model",
    "model": "model",
    "code": "code",
}
_YES, _NO = ("true", "1", "1.0", "yes"), ("false", "0", "0.0", "no")


class NoTarget(ValueError):
    """The score does not say what it is on."""


def score_of(row: Row, trace_id: str | None = None) -> Event:
    """One score. People's annotations are human, evaluators' verdicts of a model.

    A score sent through the API is the user's, but where its metadata says who judged
    (`annotator_kind` or `source`: human, user, llm, model, code).

    Args:
        row: under the names of `columns`.
        trace_id: of the document that the row stands in.

    Raises:
        NoTarget: it names no trace, observation, session or dataset run.
        KeyError, TypeError, ValueError, OverflowError, RecursionError: it is not as one should be.
    """
    name = as_id(said(row.get("name")))
    if name is None:
        raise KeyError("name")
    target = _target(row, trace_id)
    if not any(target.values()):
        raise NoTarget("no target")
    value, label, text, correction = _verdict(row)
    comment = said(row.get("comment"))
    event = verdict(
        target["trace"],
        target["observation"],
        name,
        _source(row),
        value,
        label=label,
        explanation="\n".join(t for t in (text, as_text(comment)) if t),
        correction=correction,
        session=target["session"],
        time=moment(said(row.get("timestamp")) or said(row.get("created_at"))),
    )
    beside = {
        "langfuse.score.id": as_id(said(row.get("id"))),
        "langfuse.score.author_user_id": as_id(said(row.get("author_user_id"))),
        "langfuse.score.queue_id": as_id(said(row.get("queue_id"))),
        "langfuse.score.dataset_run_id": target["run"],
        "langfuse.environment": as_id(said(row.get("environment"))),
        "langfuse.score.metadata": mapping(row.get("metadata")),
    }
    extra = {key: item for key, item in beside.items() if item}
    return replace(event, attributes={**event.attributes, **extra})


def _target(row: Row, trace_id: str | None) -> dict[str, str | None]:
    """What the score is on: columns, or `subject` of the API's third version."""
    subject = mapping(row.get("subject"))
    kind, own = subject.get("kind"), as_id(subject.get("id"))
    found = {
        "trace": _id(row, "trace_id") or as_id(subject.get("traceId")),
        "observation": _id(row, "observation_id"),
        "session": _id(row, "session_id"),
        "run": _id(row, "dataset_run_id"),
    }
    place = {"experiment": "run"}.get(str(kind), str(kind))
    if place in found and own is not None:
        found[place] = own
    if found["trace"] is None and not (found["session"] or found["run"]):
        found["trace"] = trace_id
    return found


def _id(row: Row, name: str) -> str | None:
    return as_id(said(row.get(name)))


def _verdict(row: Row) -> tuple[float | None, str | None, str | None, str | None]:
    """Value, label, text and correction, by the score's data type.

    The number beside a category is its place in a list of the score's configuration: it counts
    only where there is one. That beside a text or a correction is always 0.
    """
    raw, text = plain(row.get("value")), said(row.get("string_value"))
    kind = str(said(row.get("data_type")) or "").upper()
    value = number(raw)
    spoken = as_text(text) if text is not None else (raw if isinstance(raw, str) else None)
    if not kind:
        kind = "NUMERIC" if value is not None and text is None else "CATEGORICAL"
    match kind:
        case "NUMERIC":
            return value, None, None, None
        case "BOOLEAN":
            yes = _truth(raw if raw is not None and raw != "" else spoken)
            return yes, None if yes is None else str(bool(yes)), None, None
        case "TEXT":
            return None, None, spoken, None
        case "CORRECTION":
            return None, None, None, spoken
        case _:
            configured = value if text is not None and said(row.get("config_id")) else None
            return configured, spoken, None, None


def _truth(value: Any) -> float | None:
    text = str(value).strip().lower()
    return 1.0 if text in _YES else 0.0 if text in _NO else None


def _source(row: Row) -> str:
    stated = _SOURCES.get(str(said(row.get("source")) or "").upper(), "")
    if stated == "user":
        metadata = mapping(row.get("metadata"))
        told = (_TOLD.get(str(metadata.get(name)).lower()) for name in _JUDGES)
        stated = next((source for source in told if source), stated)
    return stated


def beside(row: Row, span: Span) -> Iterator[Event]:
    """Verdicts that stand in the row of a trace or observation: comments, and columns of scores.

    The UI's export of a table makes a column of every score name, with a list of the scores; who
    gave them it does not say.
    """
    target = None if span.envelope else span.span_id
    comments = said(row.get("comments"))
    for comment in comments if isinstance(comments, list) else ():
        if isinstance(comment, Mapping) and (text := as_text(comment.get("content"))):
            when = moment(comment.get("created_at") or comment.get("createdAt"))
            yield verdict(
                span.trace_id, target, "comment", "human", None, explanation=text, time=when
            )
    if "scores" in row:  # the API's rows name or hold theirs
        return
    for name, cell in row.items():
        if is_known(name) or not (values := _scores_in(cell)):
            continue
        for value in values:
            yes = _truth(value) if isinstance(value, str) and value in ("True", "False") else None
            label = value if isinstance(value, str) else None
            number_ = yes if yes is not None else None if label else value
            yield verdict(span.trace_id, target, name, "", number_, label=label)


def _scores_in(cell: Any) -> list[Any]:
    values = said(cell)
    if not isinstance(values, list) or not values:
        return []
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    return values if numbers or all(isinstance(v, str) and v for v in values) else []
