"""OTLP log records as events on the span or session that they tell of.

Records of a trace land, whatever they say. A record outside of any trace lands if it names its
session; else it is an application's ordinary log line, which a Collector's file is full of: it is
skipped, as metrics are, unless its name says that it tells of a model call (`gen_ai.*`). Such a one
is a loss that somebody should hear of: `log_without_trace`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.ingest.readers.otlp_times import EARLIEST, LATEST, at, unix_time
from pipeline.ingest.readers.otlp_values import BadSpan, any_value, attributes_of, either, hex_id
from pipeline.ingest.records import Event

__all__ = ["log_event", "read_log"]

_SESSIONS = ("session.id", "gen_ai.conversation.id")


def log_event(
    trace_id: str | None,
    span_id: str | None,
    name: Any,
    nanoseconds: int | None,
    attributes: dict[str, Any],
    body: Any,
) -> Event | None:
    """The event that a log record is; None for an ordinary log line.

    Raises:
        BadSpan: it tells of a model call, and not of which.
    """
    name = str(name or attributes.get("event.name") or "")
    if body is not None:
        attributes["body"] = body
    if trace_id is None:
        session = next((attributes[key] for key in _SESSIONS if attributes.get(key)), None)
        if session is None:
            if name.startswith("gen_ai."):
                detail = "an event on a model call that names neither its trace nor its session"
                raise BadSpan("log_without_trace", detail)
            return None
        attributes["session.id"] = session
    known = nanoseconds is not None and EARLIEST <= nanoseconds < LATEST
    time = at(nanoseconds) if known and nanoseconds is not None else None
    return Event(trace_id, span_id, name, time, attributes)


def read_log(record: Mapping[str, Any]) -> Event | None:
    """A log record of OTLP JSON, or of the Python SDK's console exporter.

    Raises:
        BadSpan: see `log_event`; or its ids are none.
    """
    times = ("timeUnixNano", "time_unix_nano", "timestamp")
    observed = ("observedTimeUnixNano", "observed_time_unix_nano", "observed_timestamp")
    return log_event(
        _id(record, 16, "traceId", "trace_id"),
        _id(record, 8, "spanId", "span_id"),
        either(record, "eventName", "event_name"),
        _time(either(record, *times)) or _time(either(record, *observed)),
        attributes_of(record.get("attributes")),
        any_value(record.get("body")),
    )


def _time(value: Any) -> int | None:
    """When it was said; an event stands without, too."""
    try:
        return unix_time(value)[0]
    except BadSpan:
        return None


def _id(record: Mapping[str, Any], size: int, *names: str) -> str | None:
    return hex_id(str(either(record, *names) or "").removeprefix("0x"), size)
