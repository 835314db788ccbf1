"""Ways to read a few bytes of OpenTelemetry, and the spans they hold."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.ingest.readers import choose_reader
from pipeline.ingest.records import Event, Malformed, Record, Span
from pipeline.ingest.source import Source, Unreadable
from tests.pipeline.ingest.spans import span

TRACE, SPAN = f"{1:032x}", f"{1:016x}"
START = 1793620800_000000000
"""2026-11-02 12:00 UTC in nanoseconds."""


def read(folder: Path, content: bytes | str, *, day: date | None = None,
         name: str | None = None, largest: int = 64 * 2**20) -> list[Record]:  # fmt: skip
    """What the reader that recognises the content makes of it; `name` is the reader's."""
    path = folder / "landed"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    source = Source(path, day, largest)
    reader = choose_reader(source)
    assert reader is not None, "no reader knows this"
    assert name in (None, reader.name)
    found: list[Record] = []
    try:
        for record in reader.read(source):
            found.append(record)
    except Unreadable as error:
        found.append(Malformed(error.reason, error.detail, 0, 0, b""))
    return found


def spans(records: list[Record]) -> list[Span]:
    """The spans among records."""
    return [record for record in records if isinstance(record, Span)]


def events(records: list[Record]) -> list[Event]:
    """The events among records."""
    return [record for record in records if isinstance(record, Event)]


def reasons(records: list[Record]) -> list[str]:
    """The reason codes of the malformed among records."""
    return [record.reason for record in records if isinstance(record, Malformed)]


def envelope(*raw: dict[str, Any]) -> dict[str, Any]:
    """An export request, unserialised."""
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": list(raw)}]}]}


def holding(value: dict[str, Any]) -> dict[str, Any]:
    """A request with one span whose one attribute `x` has the AnyValue `value`."""
    return envelope(span(1, 1) | {"attributes": [{"key": "x", "value": value}]})


def lines(*values: Any) -> str:
    """JSON lines."""
    return "".join(json.dumps(value) + "\n" for value in values)
