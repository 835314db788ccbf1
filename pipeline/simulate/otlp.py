"""The shapes of OTLP JSON: a finished span, its attributes, what identifies a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .plan import Channel, Release


@dataclass(frozen=True, slots=True)
class Span:
    """One finished span: when the exporter gets it, whose resource it has, and its JSON."""

    end_ns: int
    release: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Meeting:
    """What identifies a conversation in the telemetry."""

    channel: Channel
    release: Release
    conversation_id: str
    session_id: str
    trace_ids: tuple[str, ...]
    start_ns: int
    feedback: str


def _value(value: object) -> dict[str, object]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(v) for v in value]}}
    return {"stringValue": str(value)}


def attributes(values: Mapping[str, object]) -> list[dict[str, object]]:
    """OTLP key-value list; what is None is left out."""
    return [{"key": k, "value": _value(v)} for k, v in values.items() if v is not None]
