"""One small reader a format, chosen by what a file holds and not by its name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from pipeline.ingest.readers.chat import ChatReader
from pipeline.ingest.readers.otlp import OtlpJsonReader
from pipeline.ingest.records import Malformed, Span, Trace

__all__ = ["READERS", "Reader", "Source", "choose_reader"]

_HEAD = 256 * 1024


@dataclass(frozen=True)
class Source:
    """A landing file to read; `day` is the day given for records without a time."""

    path: Path
    sha256: str
    day: date | None
    largest_record: int


class Reader(Protocol):
    """Reads one format."""

    name: str

    def sniff(self, head: str) -> bool:
        """Whether a file that starts with `head` (up to 256 KiB) is of this format."""
        ...

    def read(self, source: Source) -> Iterator[Span | Trace | Malformed]:
        """Yield what the file holds, in its order."""
        ...


READERS: tuple[Reader, ...] = (OtlpJsonReader(), ChatReader())


def choose_reader(path: Path) -> Reader | None:
    """The first reader that knows the file's format, or None."""
    with path.open("rb") as handle:
        head = handle.read(_HEAD).removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    return next((reader for reader in READERS if reader.sniff(head)), None)
