"""Exports of Phoenix and Arize: OpenInference spans, and annotations on them.

Checked at the source: arize-phoenix 20.26 and its client 3.5, run with spans of every kind and
exported by both REST endpoints for spans, by annotations, and as data frames (Parquet, JSON, CSV).
The OpenTelemetry SDK's own `span.to_json()` has the same shape and is read too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.ingest.readers.cells import interval, opened, plain, unreadable
from pipeline.ingest.readers.head import Head
from pipeline.ingest.readers.openinference import (
    LISTS,
    STRUCTURES,
    flat_attributes,
    otlp_attributes,
)
from pipeline.ingest.readers.phoenix_annotations import (
    annotation_of,
    annotations_beside,
    hex_id,
)
from pipeline.ingest.readers.rows import read_rows
from pipeline.ingest.readers.tables import rows_in
from pipeline.ingest.records import Event, Malformed, Span
from pipeline.ingest.source import Source

__all__ = ["PhoenixReader"]

_PAGES = ("data", "spans")
_FRAMES = ("context.span_id", "context.trace_id", "annotator_kind", "annotation_name")
_TIMED = frozenset({"start_time", "start_time_unix_nano", "context", "end_time"})
_ERROR = ("error", "2", "status_code_error", "statuscode.error")
_ATTRIBUTES = "attributes."
# In a table these hold a list or a structure, or its text; in all others text is the value.
_OPENED = frozenset((*LISTS, *STRUCTURES, "tag.tags"))
_ERRORS = (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)


class PhoenixReader:
    """Reads spans and annotations as JSON, JSON lines, API pages, data frames, CSV or Parquet."""

    name = "phoenix"

    def sniff(self, head: Head) -> bool:
        """Rows with a span's context, or with the kind of an annotator."""
        first = next(iter(rows_in(head.first, _PAGES, _FRAMES)), None)
        if not isinstance(first, Mapping) or not first:
            return _is_row(head.has)
        if isinstance(first.get("context"), Mapping):
            return "trace_id" in first["context"] and "start_time" in first
        return _is_row(lambda *names: all(name in first for name in names))

    def read(self, source: Source) -> Iterator[Span | Event | Malformed]:
        """Yield a span for every row of one, and an event for every annotation and evaluation."""
        for text in read_rows(source):
            if isinstance(text, Malformed):
                yield text
                continue
            for row in rows_in(text.value, _PAGES, _FRAMES):
                try:
                    if _is_annotation(row):
                        yield annotation_of(row)
                    else:
                        yield _span(row, source, text.repaired)
                        yield from annotations_beside(row)
                except _ERRORS as error:
                    yield unreadable(error, row, text.offset)


def _is_row(has: Any) -> bool:
    return bool(
        has("context.span_id")
        or has("annotator_kind")
        or has("context", "span_kind", "start_time")
        or has("start_time_unix_nano", "span_id", "attributes", "parent_span_id")
        or (has("span_id", "score") and (has("label") or has("explanation")))
    )


def _is_annotation(row: Mapping[str, Any]) -> bool:
    if "annotator_kind" in row:
        return True
    return not row.keys() & _TIMED and bool(row.keys() & {"score", "label", "explanation"})


def _span(row: Mapping[str, Any], source: Source, repaired: bool) -> Span:
    context = row.get("context")
    context = context if isinstance(context, Mapping) else {}
    trace_id = hex_id(context.get("trace_id") or row.get("context.trace_id") or row["trace_id"])
    span_id = hex_id(context.get("span_id") or row.get("context.span_id") or row["span_id"])
    otlp = "start_time_unix_nano" in row
    start, end, flags = interval(
        row["start_time_unix_nano"] if otlp else row.get("start_time"),
        row.get("end_time_unix_nano") if otlp else row.get("end_time"),
        source,
    )
    attributes = _attributes(row)
    kind = row.get("span_kind")
    if isinstance(kind, str) and kind.upper() != "UNKNOWN":
        attributes.setdefault("openinference.span.kind", kind)
    resource = row.get("resource")
    events = opened(row.get("events"))
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=_parent(row),
        name=str(row.get("name") or ""),
        start=start,
        end=end,
        failed=_status(row) in _ERROR,
        attributes=attributes,
        resource=flat_attributes(resource.get("attributes") or {})
        if isinstance(resource, Mapping)
        else {},
        events=tuple(_event(event) for event in events) if isinstance(events, list) else (),
        flags=flags | ({"invalid_utf8"} if repaired else set()),
    )


def _attributes(row: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes from wherever the row has them: a list of pairs, a mapping, or its columns."""
    held = opened(row.get("attributes"))
    if isinstance(held, list):
        return flat_attributes(otlp_attributes(held))
    columns = {
        name.removeprefix(_ATTRIBUTES): opened(cell)
        if name.removeprefix(_ATTRIBUTES) in _OPENED
        else plain(cell)
        for name, cell in row.items()
        if name.startswith(_ATTRIBUTES)
    }
    return flat_attributes({**(held if isinstance(held, dict) else {}), **columns})


def _parent(row: Mapping[str, Any]) -> str | None:
    parent = plain(row.get("parent_id")) or plain(row.get("parent_span_id"))
    return hex_id(parent) if parent else None


def _status(row: Mapping[str, Any]) -> str:
    status = row.get("status")
    code = row.get("status_code")
    if isinstance(status, Mapping):
        code = status.get("code") or status.get("status_code")
    return str(code).lower()


def _event(event: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    held = opened(event.get("attributes"))
    if isinstance(held, list):
        held = plain(otlp_attributes(held))
    held = held if isinstance(held, dict) else {}
    return str(event.get("name") or ""), {k: v for k, v in held.items() if v is not None}
