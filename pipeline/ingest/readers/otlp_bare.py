"""Spans outside of any request, as SDKs print them and people dump them.

Checked at the sources: ConsoleSpanExporter of the Python SDK (snake_case, `context`, ids with 0x),
JavaScript's ReadableSpan (`spanContext`, hrTime) and its console exporter (`id`, microseconds),
rows of ClickHouse's `otel_traces`, Zipkin's JSON; and maps of attributes with nothing around them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from pipeline.ids import digest
from pipeline.ingest.readers.otlp_feedback import carried, link_target
from pipeline.ingest.readers.otlp_logs import read_log
from pipeline.ingest.readers.otlp_times import interval, unix_time
from pipeline.ingest.readers.otlp_values import (
    STATUS_ERROR,
    BadSpan,
    attributes_of,
    damage,
    either,
    plain,
)
from pipeline.ingest.records import Event, Span

__all__ = ["MAPS", "bare_records", "holds_spans"]

_CONTEXT = ("spanContext", "context", "_spanContext", "span_context")
_TRACE = ("traceId", "trace_id", "traceID", "TraceId")
_SPAN = ("spanId", "span_id", "spanID", "SpanId", "id")
_PARENT = (
    "parentSpanId", "parent_span_id", "parentSpanID", "ParentSpanId", "parentId", "parent_id",
)  # fmt: skip
_START = (
    "startTimeUnixNano", "start_time_unix_nano", "startTime", "start_time", "startTimestamp",
    "start", "timestamp", "Timestamp",
)  # fmt: skip
_END = ("endTimeUnixNano", "end_time_unix_nano", "endTime", "end_time", "endTimestamp", "end")
_NAME = ("name", "spanName", "span_name", "SpanName", "operationName")
_ATTRIBUTES = ("attributes", "SpanAttributes", "tags")
_RESOURCE = ("resource", "_resource", "resourceAttributes", "ResourceAttributes")
_STATUS = ("status", "status_code", "statusCode", "StatusCode")
_SCOPE = ("instrumentationScope", "scope", "instrumentationLibrary", "instrumentation_scope")
_WRAPPERS = ("spans", "trace", "traces", "data")
_LOG = ("severity_number", "severityNumber", "severity_text", "severityText")
_ID = re.compile(r"(?:0x)?([0-9a-fA-F]{16}|[0-9a-fA-F]{32})")
_FACTORS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}
MAPS = ("gen_ai.", "openinference.", "llm.", "ai.", "traceloop.")
"""How an attribute begins that tells a map of attributes of a model call."""

Records = Callable[[], list[Span | Event]]


def bare_records(value: Mapping[str, Any], repaired: bool, day: date | None) -> Records | None:
    """A function that reads a span, log record or map of attributes; None if it is none.

    The function raises BadSpan, or what a value of an unforeseen kind raises.
    """
    context = _context(value)
    if either(context, *_TRACE) is None or either(context, *_SPAN) is None:
        if "body" in value and any(name in value for name in _LOG):
            return lambda: _log(value)
        if any(key.startswith(MAPS) for key in value) and not _by_operation(value):
            return lambda: [_attribute_map(value, repaired, day)]
        return None
    if "body" in value and either(value, *_START[:6]) is None:
        return lambda: _log(value)
    return lambda: _span(value, context, repaired, day)


def holds_spans(value: Mapping[str, Any]) -> list[Any]:
    """What an object wraps: `spans`, a page's `data`, or lists of objects by operation."""
    named = [value[name] for name in _WRAPPERS if isinstance(value.get(name), list | Mapping)]
    lists = [item for item in value.values() if isinstance(item, list) and item]
    plain_lists = all(isinstance(x, Mapping) for item in lists for x in item)
    return named or (lists if plain_lists and len(lists) == len(value) else [])


def _by_operation(value: Mapping[str, Any]) -> bool:
    """Whether the lists that an object holds are of spans: operations are named like attributes."""
    firsts = [item[0] for item in value.values() if isinstance(item, list) and item]
    return any(isinstance(x, dict) and either(_context(x), *_TRACE) is not None for x in firsts)


def _context(value: Mapping[str, Any]) -> Mapping[str, Any]:
    context = either(value, *_CONTEXT)
    return context if isinstance(context, Mapping) else value


def _span(
    value: Mapping[str, Any], context: Mapping[str, Any], repaired: bool, day: date | None
) -> list[Span | Event]:
    start = either(value, *_START)
    parent = either(value, "parentSpanContext", "parent_span_context")
    parent = either(parent, *_SPAN) if isinstance(parent, Mapping) else either(value, *_PARENT)
    trace, span = _id(either(context, *_TRACE)), _id(either(context, *_SPAN))
    if trace is None or span is None:
        raise BadSpan("bad_span", "a span without ids")
    began, ended, flags = interval(
        start, either(value, *_END), day, duration=_duration(value, start)
    )
    failed, message = _status(value)
    attributes = attributes_of(either(value, *_ATTRIBUTES))
    if message:
        attributes.setdefault("otel.status_description", message)
    record = Span(
        trace_id=trace,
        span_id=span,
        parent_id=_id(parent),
        name=str(either(value, *_NAME) or ""),
        start=began,
        end=ended,
        failed=failed,
        attributes=attributes,
        resource=_resource(value),
        events=_events(value),
        flags=frozenset(flags | (damage(value) if repaired else set())),
    )
    return [*carried(record, [link_target(link) for link in value.get("links") or ()])] or [record]


def _events(value: Mapping[str, Any]) -> tuple[tuple[str, dict[str, Any]], ...]:
    names = value.get("Events.Name")
    if isinstance(names, list):  # ClickHouse: a list a field
        told = value.get("Events.Attributes") or [{}] * len(names)
        return tuple((str(n), attributes_of(t)) for n, t in zip(names, told, strict=True))
    return tuple(
        (str(event.get("name") or ""), attributes_of(event.get("attributes")))
        for event in value.get("events") or ()
    )


def _log(value: Mapping[str, Any]) -> list[Span | Event]:
    event = read_log(value)
    return [event] if event else []


def _attribute_map(value: Mapping[str, Any], repaired: bool, day: date | None) -> Span:
    """A span of which only the attributes were kept: a trace of its own, on the day given."""
    start, end, flags = interval(None, None, day)
    attributes = plain(value)
    key = digest("attributes", attributes, size=24)
    return Span(
        trace_id=key[:32],
        span_id=key[32:],
        parent_id=None,
        name=str(attributes.get("name") or ""),
        start=start,
        end=end,
        failed=False,
        attributes=attributes,
        flags=frozenset((flags - {"unfinished_span"}) | (damage(value) if repaired else set())),
    )


def _id(value: Any) -> str | None:
    """An id: hex in lower case, whatever else as it is; None for none and for zeros."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value)
    if match := _ID.fullmatch(text):
        text = match[1].lower()
    return text if text.strip("0") else None


def _duration(value: Mapping[str, Any], start: Any) -> int | None:
    """Nanoseconds, where its unit is known: named, hrTime, or the unit that the start is in."""
    if isinstance(pair := value.get("duration"), list) and len(pair) == 2:
        return int(pair[0]) * 10**9 + int(pair[1])
    for name, unit in (("Duration", "ns"), ("durationNano", "ns"), ("duration_ms", "ms"),
                       ("durationMs", "ms"), ("duration", unix_time(start)[1])):  # fmt: skip
        length = value.get(name)
        if isinstance(length, str) and length.isdigit():  # ClickHouse quotes 64-bit integers
            length = int(length[:20])
        if isinstance(length, int | float) and unit in _FACTORS:
            return round(length * _FACTORS[unit])
    return None


def _status(value: Mapping[str, Any]) -> tuple[bool, str]:
    status = either(value, *_STATUS)
    if isinstance(status, Mapping):
        code = either(status, "code", "status_code", "statusCode")
        message = either(status, "message", "description")
    else:
        code, message = status, either(value, "status_message", "StatusMessage", "statusMessage")
    failed = isinstance(code, str | int) and code in STATUS_ERROR
    return failed, str(message or "")


def _resource(value: Mapping[str, Any]) -> dict[str, Any]:
    resource = either(value, *_RESOURCE)
    if isinstance(resource, Mapping):
        inner = either(resource, "attributes", "_attributes")
        resource = resource if inner is None else inner
    found = attributes_of(resource)
    scope = either(value, *_SCOPE)
    if scope is None and "ScopeName" in value:
        scope = {"name": value["ScopeName"], "version": value.get("ScopeVersion")}
    if isinstance(scope, Mapping) and isinstance(scope.get("name"), str) and scope["name"]:
        found["otel.scope.name"] = scope["name"]
        if scope.get("version"):
            found["otel.scope.version"] = str(scope["version"])
    return found
