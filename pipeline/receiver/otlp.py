"""Export requests of OTLP, in either encoding, as the JSON lines that landing keeps.

The lines are those of the OpenTelemetry Collector's file exporter (ids in hex, enums as numbers),
which people can look at. Writing them from protobuf takes 8 ms for 200 spans (25,000 spans a
second on one core); keeping the protobuf as it came would take a tenth of that, and no agent sends
so much to one machine.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces

__all__ = [
    "JSON",
    "LARGEST_LINE",
    "PROTOBUF",
    "SIGNALS",
    "BadRequest",
    "Export",
    "Signal",
    "read_export",
]

JSON, PROTOBUF = "application/json", "application/x-protobuf"
LARGEST_LINE = 32 * 2**20
_IDS = ("traceId", "spanId", "parentSpanId")


class BadRequest(ValueError):
    """A body that is no export request; the text says why, and repeats nothing of it."""


@dataclass(frozen=True)
class Signal:
    """One of OTLP's signals: its types, and the levels at which its items lie."""

    request: Any
    response: Any
    levels: tuple[str, str, str]
    """JSON names: resourceSpans, scopeSpans, spans."""

    @property
    def items(self) -> str:
        """What is counted: spans, logRecords or metrics."""
        return self.levels[-1]


TRACES = Signal(
    traces.ExportTraceServiceRequest,
    traces.ExportTraceServiceResponse,
    ("resourceSpans", "scopeSpans", "spans"),
)
LOGS = Signal(
    logs.ExportLogsServiceRequest,
    logs.ExportLogsServiceResponse,
    ("resourceLogs", "scopeLogs", "logRecords"),
)
METRICS = Signal(
    metrics.ExportMetricsServiceRequest,
    metrics.ExportMetricsServiceResponse,
    ("resourceMetrics", "scopeMetrics", "metrics"),
)
SIGNALS = {"/v1/traces": TRACES, "/v1/logs": LOGS, "/v1/metrics": METRICS}


@dataclass(frozen=True)
class Export:
    """A request, read: its lines for landing (with line feeds), and how many items they hold."""

    lines: bytes
    items: int


def read_export(signal: Signal, kind: str, body: bytes) -> Export:
    """Read a request of the content type `kind`.

    Raises:
        BadRequest: it is none, or holds one item of more than 32 MB.
    """
    if kind == PROTOBUF:
        value = _from_protobuf(signal, body)
        return Export(b"".join(_lines(value, signal.levels, orjson.dumps)), count(signal, value))
    value, exact = _from_json(body)
    first = signal.levels[0]
    if not value:
        return Export(b"", 0)
    if not isinstance(value.get(first), list):
        raise BadRequest(f"a JSON object without a list {first}")
    items = count(signal, value)
    # As it came, but for line feeds (JSON allows none within strings): readers tell the format
    # by the first key.
    if len(body) <= LARGEST_LINE and re.match(rb'\s*\{\s*"%b"' % first.encode(), body):
        return Export(re.sub(rb"[\r\n]", b" ", body.strip()) + b"\n", items)
    dump = orjson.dumps if exact else _dump_loosely
    return Export(b"".join(_lines({first: value[first]}, signal.levels, dump)), items)


def count(signal: Signal, value: Any) -> int:
    """How many spans, log records or data points an export request holds."""
    items = [value]
    for level in signal.levels:
        lists = [item.get(level) for item in items if isinstance(item, dict)]
        items = [item for found in lists if isinstance(found, list) for item in found]
    if signal is not METRICS:
        return len(items)
    kinds = [kind for item in items if isinstance(item, dict) for kind in item.values()]
    return sum(len(kind.get("dataPoints", ())) for kind in kinds if isinstance(kind, dict))


def _from_protobuf(signal: Signal, body: bytes) -> dict[str, Any]:
    message = signal.request()
    try:
        message.ParseFromString(body)
    except DecodeError as error:
        raise BadRequest(f"no protobuf message {message.DESCRIPTOR.full_name}") from error
    value: dict[str, Any] = MessageToDict(message, use_integers_for_enums=True)
    resources, scopes, items = signal.levels
    for resource in value.get(resources, ()):
        for scope in resource.get(scopes, ()):
            for item in scope.get(items, ()):
                for holder in (item, *item.get("links", ())):
                    for name in _IDS:
                        if name in holder:
                            holder[name] = base64.b64decode(holder[name]).hex()
    return value


def _from_json(body: bytes) -> tuple[dict[str, Any], bool]:
    """The object, and whether it is JSON to the letter.

    Half an emoji (JavaScript cuts strings there), NaN or a byte that is no UTF-8 must not cost a
    batch its other spans: what reads landing repairs and flags them.
    """
    try:
        value, exact = orjson.loads(body), True
    except orjson.JSONDecodeError:
        try:
            value, exact = json.loads(body.decode("utf-8", "replace")), False
        except (ValueError, RecursionError):
            raise BadRequest("no JSON") from None  # the cause's text holds the body
    if not isinstance(value, dict):
        raise BadRequest("JSON, but no object")
    return value, exact


def _dump_loosely(value: Any) -> bytes:
    return json.dumps(value).encode()


def _lines(
    value: Mapping[str, Any], levels: tuple[str, ...], dump: Callable[[Any], bytes]
) -> Iterator[bytes]:
    if value:
        for part in _split(value, levels, dump):
            yield dump(part) + b"\n"


def _split(
    value: Any, levels: tuple[str, ...], dump: Callable[[Any], bytes]
) -> Iterator[Mapping[str, Any]]:
    """The value, or where it is longer than a line may be one for each of its items."""
    if len(dump(value)) <= LARGEST_LINE:
        yield value
    elif not levels or not isinstance(value, dict) or not isinstance(value.get(levels[0]), list):
        raise BadRequest(f"one item of more than {LARGEST_LINE >> 20} MB")
    else:
        for item in value[levels[0]]:
            for part in _split(item, levels[1:], dump):
                yield {**value, levels[0]: [part]}
