"""Reads a file, or text written to one, with the reader that its content chooses."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from msgspec import json as msgspec_json

from pipeline.ingest.readers import choose_reader
from pipeline.ingest.records import Malformed, Trace
from pipeline.ingest.source import Source

DAY = date(2026, 11, 2)


def records(path: Path, name: str, day: date | None = DAY) -> list[Trace | Malformed]:
    """What the reader called `name` yields, having been chosen by the file's content."""
    source = Source(path, day)
    reader = choose_reader(source)
    assert reader is not None
    assert reader.name == name
    found = list(reader.read(source))
    for record in found:
        msgspec_json.encode(record)  # the stage writes records down: all must survive that
    return found  # type: ignore[return-value]


def traces(path: Path, name: str, day: date | None = DAY) -> list[Trace]:
    """The same, of a file in which everything can be read."""
    found = records(path, name, day)
    assert [record for record in found if isinstance(record, Malformed)] == []
    return found  # type: ignore[return-value]


def write(folder: Path, *values: Any, name: str = "file.jsonl") -> Path:
    """Write values as JSON lines, or one value as a document; bytes as they are."""
    path = folder / name
    lines = [v if isinstance(v, bytes) else json.dumps(v).encode() for v in values]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def said(trace: Trace) -> list[tuple[str, str | None]]:
    """Who said what."""
    return [(message.role, message.content) for message in trace.messages]


def reasons(found: Iterable[Trace | Malformed]) -> list[str]:
    """The codes of what could not be read."""
    return [record.reason for record in found if isinstance(record, Malformed)]
