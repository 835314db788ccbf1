"""Annotations and evaluations of Phoenix and Arize as verdicts on spans, traces and sessions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.ingest.content import as_id
from pipeline.ingest.readers.cells import moment, number, opened, plain
from pipeline.ingest.readers.tables import INDEX
from pipeline.ingest.readers.verdicts import verdict
from pipeline.ingest.records import Event

__all__ = ["annotation_of", "annotations_beside", "hex_id"]

_KINDS = {"HUMAN": "human", "LLM": "model", "CODE": "code"}


def hex_id(value: Any) -> str:
    """An id as OTLP has it: hex in lower case, without `0x`."""
    told = as_id(value)
    if told is None:
        raise ValueError("no id")
    return told.lower().removeprefix("0x")


def annotation_of(row: Mapping[str, Any]) -> Event:
    """An annotation of a span, trace or session, or a row of an evaluation's data frame."""
    result = opened(row.get("result"))
    result = result if isinstance(result, dict) else {}
    span = row.get("span_id") or row.get("context.span_id")
    trace, session = row.get("trace_id") or row.get("context.trace_id"), row.get("session_id")
    if not (span or trace or session):
        span = row[INDEX]  # a data frame of annotations is indexed by its spans

    def told(name: str) -> Any:
        return result.get(name, row.get(f"result.{name}", row.get(name)))

    return verdict(
        hex_id(trace) if trace else None,
        hex_id(span) if span else None,
        str(row.get("annotation_name") or row.get("name") or row.get("eval_name") or "evaluation"),
        _KINDS.get(str(row.get("annotator_kind") or "LLM").upper(), "user"),
        number(told("score")),
        label=plain(told("label")),
        explanation=plain(told("explanation")),
        session=as_id(session),
        time=moment(row.get("created_at")),
    )


def annotations_beside(row: Mapping[str, Any]) -> Iterator[Event]:
    """Arize's columns beside a span: `eval.<name>.label` by models, `annotation.<name>.label`."""
    named: dict[tuple[str, str], dict[str, Any]] = {}
    for column, cell in row.items():
        kind, _, rest = column.partition(".")
        name, _, field = rest.rpartition(".")
        if kind in ("eval", "annotation") and name and plain(cell) is not None:
            named.setdefault((kind, name), {})[field] = plain(cell)
    span = hex_id(row.get("context.span_id") or row.get("span_id")) if named else None
    trace = row.get("context.trace_id") or row.get("trace_id")
    for (kind, name), told in sorted(named.items()):
        if not told.keys() & {"label", "score", "text"}:
            continue
        yield verdict(
            hex_id(trace) if trace else None,
            span,
            name,
            "human" if kind == "annotation" else "model",
            number(told.get("score")),
            label=told.get("label"),
            explanation=told.get("explanation") or told.get("text"),
            time=moment(told.get("updated_at")),
        )
