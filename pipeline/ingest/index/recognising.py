"""A new landing file, recognised: by which reader it is read, how far, and in which shares."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.datadir import DataDir
from pipeline.files import make_directory
from pipeline.ingest.index.landed import content_folder, note_of
from pipeline.ingest.index.shares import holds_lines, last_line_break, shares_of
from pipeline.ingest.landing import given_day
from pipeline.ingest.readers import choose_reader
from pipeline.ingest.readers.archive import ARCHIVES
from pipeline.ingest.readers.head import read_head
from pipeline.ingest.source import Source, Unreadable

__all__ = ["Recognised", "is_fresh", "recognise"]


@dataclass
class Recognised:
    """A file to be read: as it was found, by which reader, and the folder its records go to."""

    path: Path
    note: Path
    stat: os.stat_result
    source: Source
    folder: Path
    settle: float
    reader: str | None = None
    shares: list[Source] = field(default_factory=list)
    error: Unreadable | None = None
    growing: bool = False


def is_fresh(stat: os.stat_result, settle_seconds: float) -> bool:
    """Whether a file changed so lately that it may still be growing; a wrong clock is no sign."""
    return abs(time.time() - stat.st_mtime) <= settle_seconds


def recognise(place: DataDir, path: Path, largest: int, settle: float) -> Recognised:
    """Recognise a file, and cut it into shares where it is large and made of lines."""
    stat = path.stat()
    note = note_of(place, path, stat, largest)
    for folder in (place.raw, note.parent.parent, note.parent, content_folder(place)):
        make_directory(folder, private=True)
    # The process id tells whose it was, should it be killed; threads may read the same file.
    folder = content_folder(place) / f".{os.getpid()}-{os.urandom(6).hex()}.tmp"
    make_directory(folder, private=True)
    task = Recognised(path, note, stat, Source(path, given_day(path), largest), folder, settle)
    fresh = is_fresh(stat, settle)
    try:
        reader = choose_reader(task.source)
        if task.source.compression is None and fresh and _is_beginning(task.source):
            task.growing = True
        elif reader is not None:
            task.reader = reader.name
            task.source, task.growing = _bounded(task.source, stat.st_size, fresh)
            task.shares = shares_of(task.source) if getattr(reader, "by_lines", False) else []
        else:
            task.error = _unknown(task.source)
    except Unreadable as error:
        task.error = error
    except (PermissionError, IsADirectoryError):
        task.error = Unreadable("no_permission", "the file or directory may not be read")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    task.shares = task.shares or [task.source]
    return task


def _is_beginning(source: Source) -> bool:
    """Whether a file that is being written has not one whole record yet: a line that ends amid."""
    head = read_head(source).raw.strip()
    if not head:
        return True
    if head[:1] not in (b"{", b"[") or b"\n" in head or holds_lines(source):
        return False
    with source.open() as handle:
        handle.seek(-1, os.SEEK_END)
        return handle.read(1) not in b"}]\n" and last_line_break(source.path) is None


def _unknown(source: Source) -> Unreadable:
    """Why no reader takes a file."""
    raw = read_head(source).raw
    if not raw.strip():
        return Unreadable("empty", "a file with nothing in it")
    if not (raw.startswith(ARCHIVES) or raw[257:262] == b"ustar"):
        return Unreadable("unknown_format", "no reader knows this format")
    advice = "unpack it and land what it holds"
    if source.compression is None:
        return Unreadable("unknown_format", f"an archive of a kind that is not read: {advice}")
    return Unreadable("nested_archive", f"an archive within {source.compression} data: {advice}")


def _bounded(source: Source, size: int, fresh: bool) -> tuple[Source, bool]:
    """A plain file of lines as far as it went when it was found; whether half a line follows."""
    if source.compression is not None or not holds_lines(source):
        return source, False
    stop = last_line_break(source.path, size) if fresh else None
    if stop is None or holds_lines(replace(source, start=stop, stop=size)):
        return replace(source, stop=size), False  # a whole last line needs no line break
    return replace(source, stop=stop), True
