"""The common case at full speed: one request of spans in camelCase, ids in lower-case hex.

Typed decoding spares nearly all the Python per span. Whatever is out of the ordinary in a line
(another spelling, an odd id, a time in another unit, a value of an unforeseen kind) makes `decode`
return None, and the whole line goes through `otlp_lenient`, which reads everything and is slower.
Both give the same records for what both read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from sys import intern
from typing import Annotated, Any

from msgspec import DecodeError, Meta, Struct, json

from pipeline.ingest.readers.otlp_feedback import carried, link_target
from pipeline.ingest.readers.otlp_times import EARLIEST, LATEST
from pipeline.ingest.readers.otlp_values import STATUS_ERROR, BadSpan, any_value, float_value
from pipeline.ingest.records import Event, Span

__all__ = ["decode", "scoped"]

Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


class _Value(Struct, gc=False):
    stringValue: str | None = None
    intValue: Int64 | None = None
    doubleValue: float | None = None
    boolValue: bool | None = None
    arrayValue: Any = None
    kvlistValue: Any = None
    bytesValue: str | None = None


class _Pair(Struct, gc=False):
    key: str
    value: _Value


class _Status(Struct, gc=False):
    code: int | str = 0
    message: str = ""


class _SpanEvent(Struct, gc=False):
    name: str = ""
    attributes: list[_Pair] | None = None


class _Span(Struct, gc=False):
    traceId: str
    spanId: str
    startTimeUnixNano: int
    endTimeUnixNano: int
    parentSpanId: str = ""
    name: str = ""
    attributes: list[_Pair] | None = None
    events: list[_SpanEvent] | None = None
    links: Any = None
    status: _Status | None = None


class _Scope(Struct, gc=False):
    name: str = ""
    version: str = ""


class _ScopeSpans(Struct, gc=False):
    spans: list[_Span]
    scope: _Scope | None = None


class _Resource(Struct, gc=False):
    attributes: list[_Pair] | None = None


class _ResourceSpans(Struct, gc=False):
    scopeSpans: list[_ScopeSpans]
    resource: _Resource | None = None


class _Request(Struct, gc=False):
    resourceSpans: list[_ResourceSpans]
    # A line may hold more than one signal, and be read wrongly in part.
    resourceLogs: Any = None
    resource_spans: Any = None
    resource_logs: Any = None


# Not strict: 64-bit integers come as text. Text stays text all the same.
_DECODER = json.Decoder(_Request, strict=False)
_PLAIN: frozenset[str] = frozenset()
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
_ODD = (BadSpan, KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)


def decode(line: bytes) -> list[Span | Event] | None:
    """The records of one line, in its order; None for a line that is not of the common kind."""
    try:
        request = _DECODER.decode(line)
        if request.resourceLogs or request.resource_spans or request.resource_logs:
            return None
        found: list[Span | Event] = []
        for group in request.resourceSpans:
            attributes = group.resource.attributes if group.resource else None
            resource = _attributes(attributes) if attributes else {}
            for scope in group.scopeSpans:
                told = scope.scope
                described = scoped(resource, told.name, told.version) if told else resource
                if not _read(scope.spans, described, found):
                    return None
    # A ValidationError is a DecodeError, a UnicodeDecodeError a ValueError.
    except (DecodeError, *_ODD):
        return None
    return found


def scoped(resource: Mapping[str, Any], name: str, version: str) -> Mapping[str, Any]:
    """A resource with the instrumentation scope beside it, under OpenTelemetry's own names."""
    if not name:
        return resource
    version_too = {"otel.scope.version": version} if version else {}
    return {**resource, "otel.scope.name": name, **version_too}


def _read(spans: list[_Span], resource: Mapping[str, Any], found: list[Span | Event]) -> bool:
    """Append the records of spans; False where one is out of the ordinary."""
    fromhex, fromtimestamp = bytes.fromhex, datetime.fromtimestamp  # here every call counts
    for raw in spans:
        trace, span, parent = raw.traceId, raw.spanId, raw.parentSpanId
        start, end = raw.startTimeUnixNano, raw.endTimeUnixNano
        ids = trace + span + parent
        if (
            len(trace) != 32
            or len(span) != 16
            or len(ids) not in (48, 64)
            or fromhex(ids).hex() != ids
            or trace == _NO_TRACE
            or span == _NO_SPAN
            or parent == _NO_SPAN
            or not EARLIEST <= start <= end < LATEST
        ):
            return False
        attributes: dict[str, Any] = {}
        for pair in raw.attributes or ():
            wrapped = pair.value
            value: Any = wrapped.stringValue
            if value is None:
                value = wrapped.intValue
                if value is None:
                    value = _other(wrapped)
            attributes[intern(pair.key)] = value
        failed = False
        if (status := raw.status) is not None:
            failed = status.code in STATUS_ERROR
            if status.message:
                attributes.setdefault("otel.status_description", status.message)
        record = Span(
            trace,
            span,
            parent or None,
            raw.name,
            fromtimestamp(start // 1000 / 1e6, UTC),  # `at`, without the call
            fromtimestamp(end // 1000 / 1e6, UTC),
            failed,
            attributes,
            resource,
            tuple([(e.name, _attributes(e.attributes)) for e in raw.events]) if raw.events else (),
            _PLAIN,
        )
        if raw.links or attributes.get("openinference.span.kind") == "EVALUATOR":
            found += carried(record, [link_target(x) for x in raw.links or ()]) or [record]
        else:
            found.append(record)
    return True


def _attributes(pairs: list[_Pair] | None) -> dict[str, Any]:
    return {
        pair.key: value if (value := pair.value.stringValue) is not None else _other(pair.value)
        for pair in pairs or ()
    }


def _other(wrapped: _Value) -> Any:
    if wrapped.intValue is not None:
        return wrapped.intValue
    if wrapped.doubleValue is not None:
        return float_value(wrapped.doubleValue)
    if wrapped.boolValue is not None:
        return wrapped.boolValue
    if wrapped.arrayValue is not None:
        return any_value({"arrayValue": wrapped.arrayValue})
    if wrapped.kvlistValue is not None:
        return any_value({"kvlistValue": wrapped.kvlistValue})
    if wrapped.bytesValue is not None:
        return wrapped.bytesValue
    raise ValueError("empty, or of another kind")
