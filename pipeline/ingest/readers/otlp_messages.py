"""OTLP protobuf messages as records, span by span."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan

from pipeline.ingest.jsontext import malformed
from pipeline.ingest.readers.otlp_fast import scoped
from pipeline.ingest.readers.otlp_feedback import carried
from pipeline.ingest.readers.otlp_logs import log_event
from pipeline.ingest.readers.otlp_times import interval
from pipeline.ingest.readers.otlp_values import BadSpan, float_value
from pipeline.ingest.readers.otlp_wire import Broken, fields, kind_of_resource, valid_text
from pipeline.ingest.records import Event, Malformed, Span

__all__ = ["read_message", "read_resource", "torn"]

Records = Iterator[Span | Event | Malformed]


def read_message(data: bytes, offset: int, day: date | None, *, cut: bool = False) -> Records:
    """Yield what one export request holds, or the beginning of one.

    Args:
        data: an ExportTraceServiceRequest, TracesData, or their like for logs; metrics are skipped.
        offset: where it stood in its file.
        day: the UTC day given to spans without a time.
        cut: it is known to end too early, and the caller says so.

    Raises:
        Broken: no protobuf from somewhere on; what stood before was yielded.
    """
    for group in fields(data):
        if group.whole and (group.wire, group.number) != (2, 1):
            raise Broken("fields that an export request has not")
        place = offset + group.start
        short = cut or not group.whole
        yield from read_resource(data[group.start : group.stop], place, day, cut=short)
        if short and not cut:
            yield torn(data[group.start : group.stop], place)


def read_resource(data: bytes, offset: int, day: date | None, *, cut: bool = False) -> Records:
    """Yield what one resource sent; arguments and errors as of `read_message`."""
    kind = kind_of_resource(data)
    if kind == "metrics":
        return
    resource: dict[str, Any] = {}
    for part in fields(data):
        content = data[part.start : part.stop]
        short = cut or not part.whole
        if part.number == 1 and part.whole:
            resource = _described(content, Resource)
        elif part.number in (2, 1000):
            yield from _scope(content, offset + part.start, resource, kind == "logs", day, short)
        if short and not cut:
            yield torn(content, offset + part.start)


def torn(data: bytes, offset: int) -> Malformed:
    """What remains of a record that the data ends within."""
    return malformed("torn_record", "the data ends within a record", data, offset)


def _scope(
    data: bytes, offset: int, resource: Mapping[str, Any], logs: bool, day: date | None, cut: bool
) -> Records:
    described = resource
    for part in fields(data):
        content = data[part.start : part.stop]
        if not part.whole:
            if not cut:
                yield torn(content, offset + part.tag)
        elif part.number == 1:
            scope = _described(content, InstrumentationScope)
            described = scoped(resource, scope["name"], scope["version"])
        elif part.number == 2:
            yield from _item(content, offset + part.start, described, logs, day)


def _described(data: bytes, kind: Any) -> dict[str, Any]:
    """The attributes of a resource, or the name and version of a scope; nothing of a broken one."""
    message = kind()
    try:
        message.ParseFromString(data)
    except DecodeError:
        try:
            message.ParseFromString(valid_text(data, kind.DESCRIPTOR))
        except (DecodeError, Broken):
            message = kind()
    if isinstance(message, Resource):
        return _attributes(message.attributes)
    return {"name": message.name, "version": message.version}


def _item(
    data: bytes, offset: int, resource: Mapping[str, Any], logs: bool, day: date | None
) -> Records:
    message = LogRecord() if logs else ProtoSpan()
    flags: frozenset[str] = frozenset()
    try:
        try:
            message.ParseFromString(data)
        except DecodeError:
            message.ParseFromString(valid_text(data, message.DESCRIPTOR))
            flags = frozenset({"invalid_utf8"})
        if logs:
            if (event := _log(message)) is not None:
                yield event
        else:
            yield from _span(message, resource, flags, day)
    except BadSpan as error:
        yield malformed(error.reason, error.detail, data, offset)
    except (DecodeError, Broken, ValueError, OverflowError) as error:
        detail = f"no protobuf of a span or log record ({type(error).__name__})"
        yield malformed("bad_span", detail, data, offset)


def _span(
    raw: Any, resource: Mapping[str, Any], flags: frozenset[str], day: date | None
) -> list[Span | Event]:
    trace, span = _id(raw.trace_id, 16), _id(raw.span_id, 8)
    if trace is None or span is None:
        raise BadSpan("bad_span", "a span without ids")
    start, end, odd = interval(raw.start_time_unix_nano, raw.end_time_unix_nano, day)
    attributes = _attributes(raw.attributes)
    if raw.status.message:
        attributes.setdefault("otel.status_description", raw.status.message)
    record = Span(
        trace_id=trace,
        span_id=span,
        parent_id=_id(raw.parent_span_id, 8),
        name=raw.name,
        start=start,
        end=end,
        failed=raw.status.code == 2,
        attributes=attributes,
        resource=resource,
        events=tuple((event.name, _attributes(event.attributes)) for event in raw.events),
        flags=flags | odd,
    )
    targets = [
        (link.trace_id.hex(), link.span_id.hex())
        if (len(link.trace_id), len(link.span_id)) == (16, 8)
        else None
        for link in raw.links
    ]
    return [*carried(record, targets)] or [record]


def _log(raw: Any) -> Event | None:
    return log_event(
        _id(raw.trace_id, 16),
        _id(raw.span_id, 8),
        raw.event_name,
        raw.time_unix_nano or raw.observed_time_unix_nano or None,
        _attributes(raw.attributes),
        _value(raw.body),
    )


def _id(raw: bytes, size: int) -> str | None:
    if not raw.strip(b"\0"):
        return None
    if len(raw) != size:
        raise BadSpan("bad_span", f"an id of {len(raw)} bytes where {size} are due")
    return raw.hex()


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(wrapped: Any) -> Any:
    """An AnyValue as a plain value; bytes as base64, as OTLP JSON has them."""
    match wrapped.WhichOneof("value"):
        case "string_value":
            return wrapped.string_value
        case "int_value":
            return wrapped.int_value
        case "double_value":
            return float_value(wrapped.double_value)
        case "bool_value":
            return wrapped.bool_value
        case "array_value":
            return [_value(item) for item in wrapped.array_value.values]
        case "kvlist_value":
            return _attributes(wrapped.kvlist_value.values)
        case "bytes_value":
            return base64.b64encode(wrapped.bytes_value).decode()
        case _:
            return None
