"""JSON of OpenTelemetry in every spelling: requests of spans or logs, and bare spans."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import partial
from typing import Any

from pipeline.ingest.jsontext import JsonText, malformed
from pipeline.ingest.readers.otlp_bare import bare_records, holds_spans
from pipeline.ingest.readers.otlp_fast import scoped
from pipeline.ingest.readers.otlp_feedback import carried, link_target
from pipeline.ingest.readers.otlp_logs import read_log
from pipeline.ingest.readers.otlp_times import interval
from pipeline.ingest.readers.otlp_values import (
    STATUS_ERROR,
    BadSpan,
    attributes_of,
    damage,
    either,
    hex_id,
    raw_json,
)
from pipeline.ingest.records import Event, Malformed, Span

__all__ = ["REQUESTS", "read_value"]

# `batches` is Grafana Tempo's; the library names are those before OTLP 0.15.
_SPANS = ("resourceSpans", "resource_spans", "batches")
_LOGS = ("resourceLogs", "resource_logs")
_IGNORED = ("resourceMetrics", "resource_metrics", "resourceProfiles", "resource_profiles")
REQUESTS = (*_SPANS[:2], *_LOGS, *_IGNORED)
"""Keys of which one tells an export request."""
_SCOPES = {
    "spans": ("scopeSpans", "scope_spans", "instrumentationLibrarySpans"),
    "logRecords": ("scopeLogs", "scope_logs", "instrumentationLibraryLogs"),
}
_ITEMS = {"spans": ("spans",), "logRecords": ("logRecords", "log_records", "logs")}
_WRONG = (BadSpan, KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
_DEEPEST = 8  # lists and objects around requests and spans

Records = Iterator[Span | Event | Malformed]
_Item = Callable[[Any, Mapping[str, Any]], list[Span | Event]]


def read_value(text: JsonText, day: date | None) -> Records:
    """Yield what one JSON value holds; a bad record leaves the others alone.

    Args:
        text: a request, a bare span, or lists and objects of them.
        day: the UTC day given to spans without a time.
    """
    yield from _walk(text.value, text, day, 0)


def _walk(value: Any, text: JsonText, day: date | None, depth: int) -> Records:
    if isinstance(value, list) and depth < _DEEPEST:
        for item in value:
            yield from _walk(item, text, day, depth + 1)
        return
    if isinstance(value, Mapping) and depth < _DEEPEST:
        if any(name in value for name in (*REQUESTS, *_SPANS)):
            yield from _request(value, text, day)
            return
        if (bare := bare_records(value, text.repaired, day)) is not None:
            yield from _guarded(bare, value, text)
            return
        if inner := holds_spans(value):
            for item in inner:
                yield from _walk(item, text, day, depth + 1)
            return
    detail = f"neither an export request nor a span ({type(value).__name__})"
    yield malformed("not_otlp", detail, raw_json(value), text.offset)


def _request(value: Mapping[str, Any], text: JsonText, day: date | None) -> Records:
    def span(raw: Any, resource: Mapping[str, Any]) -> list[Span | Event]:
        return _span(raw, resource, text.repaired, day)

    def log(raw: Any, resource: Mapping[str, Any]) -> list[Span | Event]:
        event = read_log(raw)
        return [event] if event else []

    kinds: tuple[tuple[str, tuple[str, ...], _Item], ...] = (
        ("spans", _SPANS, span),
        ("logRecords", _LOGS, log),
    )
    for kind, names, read in kinds:
        for name in names:
            groups = value.get(name)
            for group in groups if isinstance(groups, list) else [] if groups is None else [groups]:
                yield from _group(group, kind, read, text)


def _group(group: Any, kind: str, read: _Item, text: JsonText) -> Records:
    try:
        resource = attributes_of((group.get("resource") or {}).get("attributes"))
        scopes = either(group, *_SCOPES[kind])
        if scopes is None and group.keys() - {"resource", "schemaUrl", "schema_url"}:
            raise KeyError(kind)
        items = [
            (item, scoped(resource, *_scope(scope)))
            for scope in scopes or ()
            for item in either(scope, *_ITEMS[kind]) or ()
        ]
    except _WRONG as error:
        detail = f"not an export request ({type(error).__name__})"
        yield malformed("not_otlp", detail, raw_json(group), text.offset)
        return
    for item, described in items:
        yield from _guarded(partial(read, item, described), item, text)


def _scope(scope: Mapping[str, Any]) -> tuple[str, str]:
    told = either(scope, "scope", "instrumentationLibrary", "instrumentation_library") or {}
    return str(told.get("name") or ""), str(told.get("version") or "")


def _guarded(read: Callable[[], Iterable[Span | Event]], item: Any, text: JsonText) -> Records:
    try:
        yield from read()
    except BadSpan as error:
        yield malformed(error.reason, error.detail, raw_json(item), text.offset)
    except _WRONG as error:
        detail = f"span without usable ids, times or values ({type(error).__name__})"
        yield malformed("bad_span", detail, raw_json(item), text.offset)


def _span(
    raw: Mapping[str, Any], resource: Mapping[str, Any], repaired: bool, day: date | None
) -> list[Span | Event]:
    trace = hex_id(either(raw, "traceId", "trace_id"), 16)
    span = hex_id(either(raw, "spanId", "span_id"), 8)
    if trace is None or span is None:
        raise BadSpan("bad_span", "a span without ids")
    start, end, flags = interval(
        either(raw, "startTimeUnixNano", "start_time_unix_nano"),
        either(raw, "endTimeUnixNano", "end_time_unix_nano"),
        day,
    )
    status = raw.get("status") or {}
    attributes = attributes_of(raw.get("attributes"))
    if status.get("message"):
        attributes.setdefault("otel.status_description", str(status["message"]))
    record = Span(
        trace_id=trace,
        span_id=span,
        parent_id=hex_id(either(raw, "parentSpanId", "parent_span_id"), 8),
        name=str(either(raw, "name") or ""),
        start=start,
        end=end,
        failed=status.get("code") in STATUS_ERROR,
        attributes=attributes,
        resource=resource,
        events=tuple(
            (str(event.get("name") or ""), attributes_of(event.get("attributes")))
            for event in raw.get("events") or ()
        ),
        flags=frozenset(flags | (damage(raw) if repaired else set())),
    )
    links = raw.get("links") or ()
    return [*carried(record, [link_target(link) for link in links])] or [record]
