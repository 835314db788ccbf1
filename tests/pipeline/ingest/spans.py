"""Small OTLP requests for tests, written the way the Collector's file exporter writes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.datadir import DataDir

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def attribute(key: str, value: Any) -> dict[str, Any]:
    """One attribute; int64 is a string in OTLP JSON."""
    kinds = {bool: "boolValue", int: "intValue", float: "doubleValue", str: "stringValue"}
    return {"key": key, "value": {kinds[type(value)]: str(value) if type(value) is int else value}}


def span(
    trace: int,
    number: int,
    *,
    parent: int | None = None,
    second: float = 0.0,
    seconds: float = 1.0,
    start: datetime = NOON,
    failed: bool = False,
    **values: Any,
) -> dict[str, Any]:
    """One span; keyword `gen_ai__tool__name` stands for the attribute `gen_ai.tool.name`."""
    begin = int((start.timestamp() + second) * 1e9)
    raw = {
        "traceId": f"{trace:032x}",
        "spanId": f"{number:016x}",
        "name": "span",
        "startTimeUnixNano": str(begin),
        "endTimeUnixNano": str(begin + int(seconds * 1e9)),
        "attributes": [attribute(k.replace("__", "."), v) for k, v in values.items()],
        "status": {"code": 2} if failed else {},
    }
    return raw | ({"parentSpanId": f"{parent:016x}"} if parent is not None else {})


def request(*spans: dict[str, Any], **resource: Any) -> str:
    """One line: an export request that holds `spans`."""
    described = {"service.name": "shop", **{k.replace("__", "."): v for k, v in resource.items()}}
    attributes = [attribute(key, value) for key, value in described.items()]
    scope = {"scopeSpans": [{"scope": {"name": "test"}, "spans": list(spans)}]}
    return json.dumps({"resourceSpans": [{"resource": {"attributes": attributes}, **scope}]})


def message(role: str, text: str) -> dict[str, Any]:
    """One message of the GenAI conventions."""
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def chat(trace: int, number: int, heard: list[Any], said: list[Any], **more: Any) -> dict[str, Any]:
    """A span of one model call: what it read and what it wrote."""
    return span(
        trace,
        number,
        gen_ai__operation__name="chat",
        gen_ai__input__messages=json.dumps(heard),
        gen_ai__output__messages=json.dumps(said),
        **more,
    )


def drop(place: DataDir, name: str, *lines: str | bytes) -> Path:
    """Drop a file into landing, as a collector would."""
    place.landing.mkdir(parents=True, exist_ok=True)
    path = place.landing / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\n".join(x.encode() if isinstance(x, str) else x for x in lines) + b"\n")
    return path
