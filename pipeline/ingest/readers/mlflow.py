"""MLflow traces: `Trace.to_json()`, lists and lines of them, and `search_traces()` data frames.

Checked at the source by running mlflow-skinny 2.22 and 3.17: ids are hex in 2 and base64 in 3,
attributes are JSON text one by one, and pandas writes a trace object of 2 in a third shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.ingest.content import as_id
from pipeline.ingest.readers.cells import (
    duration,
    interval,
    moment,
    opened,
    plain,
    unreadable,
)
from pipeline.ingest.readers.head import Head
from pipeline.ingest.readers.mlflow_parts import (
    Place,
    assessment_of,
    decoded,
    first_of,
    mapping,
    span_of,
)
from pipeline.ingest.readers.rows import read_rows
from pipeline.ingest.readers.tables import rows_in
from pipeline.ingest.records import Event, Malformed, Span
from pipeline.ingest.source import Source

__all__ = ["MlflowReader"]

_PAGES = ("traces",)
_IDS = ("trace_id", "request_id")
_METADATA = ("trace_metadata", "request_metadata")
_ERRORS = (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)


class MlflowReader:
    """Reads traces of MLflow 2 and 3 as JSON, JSON lines, CSV or Parquet."""

    name = "mlflow"

    def sniff(self, head: Head) -> bool:
        """A trace's info and data, or the columns of `search_traces()`."""
        first = next(iter(rows_in(head.first, _PAGES, _IDS)), None)
        if not isinstance(first, Mapping) or not first:
            return _is_row(head.has) or head.has("info", "data", "spans")
        info = first.get("info")
        if isinstance(info, Mapping):
            return any(name in info for name in _IDS)
        return _is_row(lambda *names: all(name in first for name in names))

    def read(self, source: Source) -> Iterator[Span | Event | Malformed]:
        """Yield for every trace its envelope, its spans and its assessments."""
        for text in read_rows(source):
            if isinstance(text, Malformed):
                yield text
                continue
            for row in rows_in(text.value, _PAGES, _IDS):
                try:
                    info, data = _trace(row)
                    if (key := as_id(first_of(info, _IDS))) is None:
                        raise ValueError("no trace id")
                    spans, assessments = _listed(data, "spans"), _listed(info, "assessments")
                except _ERRORS as error:
                    yield unreadable(error, row, text.offset, "bad_trace")
                    continue
                place = Place(key, source, text.offset, text.repaired)
                yield from _records(place, info, data, spans, assessments)


def _is_row(has: Any) -> bool:
    return any(has(name) for name in _IDS) and any(has(name) for name in _METADATA)


def _trace(row: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """A trace's info and data, from the trace itself or from a data frame's row."""
    whole = row if "info" in row else opened(row.get("trace"))
    if isinstance(whole, Mapping) and "info" in whole:
        info, data = whole["info"], whole.get("data") or {}
        # The text of a data frame's other columns may be cut; the trace is whole.
        return info, data
    info = {name: opened(cell) if name != "request_time" else cell for name, cell in row.items()}
    data = {
        "spans": info.pop("spans", None) or [],
        "request": info.pop("request", None),
        "response": info.pop("response", None),
    }
    return info, data


def _listed(values: Mapping[str, Any], name: str) -> list[Any]:
    held = opened(values.get(name))
    if held is not None and not isinstance(held, list):
        raise TypeError("a list was expected")
    return held or []


def _records(
    place: Place,
    info: Mapping[str, Any],
    data: Mapping[str, Any],
    raw_spans: list[Any],
    assessments: list[Any],
) -> Iterator[Span | Event | Malformed]:
    spans: list[Span] = []
    for raw in raw_spans:
        try:
            span = span_of(place, raw)
        except _ERRORS as error:
            yield unreadable(error, raw, place.offset)
            continue
        spans.append(span)
        yield span
    try:
        yield _envelope(place, info, data, spans)
    except _ERRORS as error:
        yield unreadable(error, info, place.offset, "bad_trace")
    for raw in assessments:
        try:
            yield from assessment_of(place.trace_id, raw)
        except _ERRORS as error:
            yield unreadable(error, raw, place.offset, "bad_score")


def _envelope(
    place: Place, info: Mapping[str, Any], data: Mapping[str, Any], spans: list[Span]
) -> Span:
    """What MLflow says of a trace as a whole; where it says no time, its first span does."""
    begun = moment(first_of(info, ("request_time", "timestamp_ms")))
    lasted = duration(
        first_of(info, ("execution_duration_ms", "execution_duration", "execution_time_ms"))
    )
    ended = begun + lasted if begun is not None and lasted is not None else None
    if begun is None and spans:
        begun, ended = min(span.start for span in spans), max(span.end for span in spans)
    start, end, flags = interval(begun, ended, place.source)
    metadata = mapping(first_of(info, _METADATA))
    tags = mapping(info.get("tags"))
    state = str(first_of(info, ("state", "status"))).upper()
    values: dict[str, Any] = {name: decoded(value) for name, value in metadata.items()}
    for name, value in tags.items():
        own = name.startswith("mlflow.")
        values.setdefault(name if own else f"mlflow.traceTag.{name}", plain(value))
    for name, side, preview in (
        ("mlflow.traceInputs", "request", "request_preview"),
        ("mlflow.traceOutputs", "response", "response_preview"),
    ):
        # MLflow cuts what it copies into metadata and previews: only for want of the spans.
        cut = values.pop(name, None) or plain(info.get(preview))
        values[name] = opened(data.get(side)) or (None if spans else cut)
    return Span(
        trace_id=place.trace_id,
        span_id=place.trace_id,
        parent_id=None,
        name=str(tags.get("mlflow.traceName") or metadata.get("mlflow.traceName") or ""),
        start=start,
        end=end,
        failed=state == "ERROR",
        attributes={name: value for name, value in values.items() if value not in (None, "", {})},
        flags=flags
        | ({"invalid_utf8"} if place.repaired else set())
        | ({"unfinished_span"} if state == "IN_PROGRESS" else set()),
        envelope=True,
    )
