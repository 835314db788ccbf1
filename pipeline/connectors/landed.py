"""What a pull has put into landing: files of one stream's records, never changed again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from pipeline.connectors.state import PartState, PullState
from pipeline.datadir import DataDir
from pipeline.files import make_directory, replace_file

__all__ = ["Landed", "Row"]

Row = Mapping[str, Any]


class Landed:
    """The files of one pull, in `landing/pulled/<platform>/`, 0600.

    A file's name ends in its digest: records fetched again after a kill are the same file, and
    what the platform has deleted since stays here.
    """

    def __init__(self, place: DataDir, state: PullState) -> None:
        self._folder = place.landing / "pulled" / state.platform
        self._state = state
        for folder in (place.landing, self._folder.parent, self._folder):
            make_directory(folder, private=True)

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self._folder

    def write(self, stream: str, part: str, rows: Sequence[Row]) -> str:
        """Write records as JSON lines, whole or not at all; returns the file's name."""
        lines = b"".join(_line(row) for row in rows)
        name = f"{stream}-{part}-{hashlib.sha256(lines).hexdigest()[:12]}.jsonl"
        if not (self._folder / name).exists():
            with replace_file(self._folder / name, 0o600) as temporary:
                temporary.write_bytes(lines)
        return name

    def rows(self, stream: str) -> Iterator[Row]:
        """The records of a stream that this pull has landed."""
        for key, part in self._state.parts.items():
            if key.startswith(f"{stream}/"):
                yield from self.rows_of(part)

    def rows_of(self, part: PartState) -> Iterator[Row]:
        """The records of one part; a file that was taken away since is left out."""
        for name in part.files:
            path = self._folder / name
            if path.exists():
                with path.open("rb") as lines:
                    for line in lines:
                        yield _parsed(line)

    def collect(self, stream: str, pick: Callable[[Row], str | None]) -> list[str]:
        """What `pick` finds in the stream's records, each once, sorted."""
        return sorted({found for row in self.rows(stream) if (found := pick(row))})


def _line(row: Row) -> bytes:
    try:
        return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
    except (TypeError, orjson.JSONEncodeError):  # half an emoji, or a number of thirty digits
        return json.dumps(row).encode() + b"\n"


def _parsed(line: bytes) -> Row:
    try:
        row: Row = orjson.loads(line)
    except orjson.JSONDecodeError:
        row = json.loads(line)
    return row
