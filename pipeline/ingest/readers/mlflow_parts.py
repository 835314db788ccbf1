"""Spans and assessments of an MLflow trace."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.ingest.content import as_id, loads
from pipeline.ingest.readers.cells import interval, moment, opened, plain
from pipeline.ingest.readers.verdicts import verdict
from pipeline.ingest.records import Event, Span
from pipeline.ingest.source import Source

__all__ = ["Place", "assessment_of", "decoded", "first_of", "mapping", "span_of"]

_SOURCES = {"HUMAN": "human", "LLM_JUDGE": "model", "AI_JUDGE": "model", "CODE": "code"}
_STARTS = ("start_time_unix_nano", "start_time_ns", "start_time")
_ENDS = ("end_time_unix_nano", "end_time_ns", "end_time")
_HEX = re.compile(r"(0x)?[0-9a-fA-F]+")
_TRUE = (True, "true", "True")


@dataclass(frozen=True)
class Place:
    """Which trace is read, out of which record of which file."""

    trace_id: str
    source: Source
    offset: int
    repaired: bool


def span_of(place: Place, raw: Mapping[str, Any]) -> Span:
    """One span, as MLflow 2, MLflow 3 or pandas wrote it.

    Raises:
        LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError: it is
            no span.
    """
    context = raw.get("context")
    context = context if isinstance(context, Mapping) else {}
    start, end, flags = interval(first_of(raw, _STARTS), first_of(raw, _ENDS), place.source)
    parent = first_of(raw, ("parent_span_id", "parent_id"))
    # pandas writes a span with its attributes decoded; everyone else each as JSON text.
    as_it_is = "start_time_ns" in raw
    attributes = {
        str(name): plain(value) if as_it_is else decoded(value)
        for name, value in mapping(raw.get("attributes")).items()
    }
    return Span(
        trace_id=place.trace_id,
        span_id=_id(context.get("span_id") or raw["span_id"]),
        parent_id=_id(parent) if parent else None,
        name=str(raw.get("name") or ""),
        start=start,
        end=end,
        failed="ERROR" in _status(raw),
        attributes=attributes,
        events=tuple(
            (str(event.get("name") or ""), mapping(event.get("attributes")))
            for event in raw.get("events") or ()
        ),
        flags=flags | ({"invalid_utf8"} if place.repaired else set()),
    )


def _status(raw: Mapping[str, Any]) -> str:
    status = raw.get("status", raw.get("status_code"))
    if isinstance(status, Mapping):
        status = status.get("code") or status.get("status_code")
    return str(status).upper()


def assessment_of(trace_id: str, raw: Mapping[str, Any]) -> Iterator[Event]:
    """One assessment; none where it was overridden or where the judge itself failed."""
    feedback, expectation = mapping(raw.get("feedback")), mapping(raw.get("expectation"))
    value = _serialised(feedback)
    if raw.get("valid", True) not in _TRUE or (feedback.get("error") and value is None):
        return
    if not feedback and not expectation:
        return  # a reference to an issue
    source = mapping(raw.get("source"))
    span = raw.get("span_id")
    yield verdict(
        trace_id,
        _id(span) if span else None,
        str(first_of(raw, ("assessment_name", "name")) or "feedback"),
        _SOURCES.get(str(source.get("source_type")).upper(), "user"),
        value,
        explanation=raw.get("rationale"),
        correction=_serialised(expectation),
        time=_moment(raw.get("last_update_time") or raw.get("create_time")),
    )


def _serialised(held: Mapping[str, Any]) -> Any:
    """A value, or the JSON text that MLflow makes of a list or a structure."""
    if "serialized_value" in held:
        return opened(mapping(held["serialized_value"]).get("value"))
    return plain(held.get("value"))


def _moment(cell: Any) -> datetime | None:
    try:
        return moment(cell)
    except (ValueError, OverflowError):
        return None


def decoded(value: Any) -> Any:
    """An attribute's value out of its JSON text, once: a quoted name is the name."""
    return plain(loads(value))


def _id(value: Any) -> str:
    """A span's id in hex; MLflow 3 writes base64 of its 8 bytes, MLflow 2 hex."""
    told = as_id(value)
    if told is None:
        raise ValueError("no span id")
    if told.endswith("="):
        return base64.b64decode(told, validate=True).hex()
    return told.lower().removeprefix("0x") if _HEX.fullmatch(told) else told


def first_of(values: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """The first of `names` that is there and not null."""
    return next((values[name] for name in names if values.get(name) is not None), None)


def mapping(cell: Any) -> dict[str, Any]:
    """A structure or the text of one; empty where the cell holds none."""
    value = opened(cell)
    return value if isinstance(value, dict) else {}
