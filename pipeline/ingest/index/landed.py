"""What the landing index knows of one file, and where it keeps that."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import polars as pl
import pyarrow as pa

from pipeline.datadir import DataDir
from pipeline.ids import digest
from pipeline.ingest.landing import plain_name

__all__ = [
    "VERSION",
    "IndexFailed",
    "LandedFile",
    "content_folder",
    "note_of",
    "notes_folder",
    "sound",
    "stored_bytes",
]

VERSION = "11"
"""Raised whenever readers yield something else: every landing file is then read anew."""


class IndexFailed(RuntimeError):
    """The landing index could not be brought up to date; landing is as it was."""


class LandedFile(msgspec.Struct, frozen=True):
    """One landing file: its digest, its format, and the days its records start on."""

    path: str
    """Below landing; bytes of a name that are no UTF-8 stand there as escapes."""
    sha256: str
    size: int
    modified: int
    """When it was last changed, in nanoseconds since 1970."""
    inode: int
    format: str | None
    days: tuple[str, ...]
    records: int
    events: int
    malformed: int
    reasons: tuple[str, ...]
    fallback_day: str
    """Where its malformed records are counted: the day given, its first day, or its arrival."""
    first_event: int | None
    """The earliest time of a score or log record, microseconds since 1970."""
    last_event: int | None
    untimed_events: int
    growing: bool
    """It changed lately and ends in half a record, which is left for the next time."""
    entry: str
    """The name of its folder in the index."""
    stored: int
    """Bytes in that folder: fewer are there where the power went before they were on disk."""

    def tells_between(self, lowest: int, highest: int) -> bool:
        """Whether a score or log record of it may lie between two times."""
        if self.untimed_events or self.first_event is None or self.last_event is None:
            return self.events > 0
        return self.first_event <= highest and self.last_event >= lowest

    def tables(self, place: DataDir, table: str) -> list[Path]:
        """The files of one of its tables: records, ready, traces, events or malformed.

        Raises:
            IndexFailed: another process removed them; without this check they would be missed
                silently.
        """
        folder = content_folder(place) / self.entry
        if not folder.is_dir():
            raise IndexFailed(
                f"landing index: what was read of {self.path} was removed while it was needed; "
                "nothing was published, and running the same again reads the file anew"
            )
        return sorted(folder.glob(f"{table}-*"))


def content_folder(place: DataDir) -> Path:
    """Where the records of landing files lie, a folder each."""
    return place.raw / "landing_index" / "content"


def stored_bytes(folder: Path) -> int:
    """The bytes that lie in an entry's folder.

    Raises:
        OSError: there is no such folder.
    """
    return sum(part.stat().st_size for part in os.scandir(folder))


@contextmanager
def sound(part: Path) -> Iterator[None]:
    """Read a part in here: one that is torn takes its entry with it, which is then made anew.

    Raises:
        IndexFailed: it is torn.
    """
    try:
        yield
    except (pa.ArrowException, pl.exceptions.ComputeError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the system's own word, no torn content: Arrow's has no number
        shutil.rmtree(part.parent, ignore_errors=True)
        raise IndexFailed(
            f"landing index: {part.name} is torn ({type(error).__name__}), as after a power cut; "
            "nothing was published, and running the same again reads its file anew"
        ) from error


def notes_folder(place: DataDir) -> Path:
    """Where one LandedFile each is written down."""
    return place.raw / "landing_index" / "files"


def note_of(place: DataDir, path: Path, stat: os.stat_result, largest_record: int) -> Path:
    """Where it is written down what a landing file holds; elsewhere once the file is another.

    It is another too once it may be read, or records of another size are.
    """
    name = plain_name(path.relative_to(place.landing))
    readable = os.access(path, os.R_OK)
    key = digest(VERSION, name, stat.st_size, stat.st_mtime_ns, largest_record, readable)
    return notes_folder(place) / f"{key}.json"
