"""Spans read again from where they lie: all that the index keeps of those whose row was ready."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.datadir import DataDir
from pipeline.ingest.index.landed import IndexFailed, LandedFile
from pipeline.ingest.landing import given_day, lying_files, plain_name
from pipeline.ingest.readers import LineReader, reader_named
from pipeline.ingest.records import Span
from pipeline.ingest.source import Source

__all__ = ["spans_at"]

_BUFFER = 2**16  # bytes: more than most lines take


def spans_at(place: DataDir, file: LandedFile, lines: Sequence[int], trace_id: str) -> list[Span]:
    """The spans of a trace in lines of a landing file.

    Args:
        place: the data directory.
        file: the landing file.
        lines: how many spans there are, and where each line begins.
        trace_id: the trace.

    Raises:
        IndexFailed: the file is no longer what it was when it was read.
    """
    reader = reader_named(file.format)
    assert isinstance(reader, LineReader)
    count, *offsets = lines
    found: list[Span] = []
    try:
        path = _path_of(place, file)
        source = Source(path, given_day(path))
        with path.open("rb", buffering=_BUFFER) as handle:
            for offset in offsets:
                handle.seek(offset)
                records = reader.line(handle.readline(file.size - offset), source)
                found += [r for r in records if isinstance(r, Span) and r.trace_id == trace_id]
        now = path.stat()  # looked at afterwards: what was read before is sound then
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise _changed(file) from error
    same = (now.st_size, now.st_mtime_ns) == (file.size, file.modified)
    appended = now.st_size > file.size and now.st_ino == file.inode
    if not (same or appended) or len(found) != count:
        raise _changed(file)
    return found


def _path_of(place: DataDir, file: LandedFile) -> Path:
    path = place.landing / file.path
    if path.exists():
        return path
    # Its name holds bytes that are no UTF-8.
    named = (p for p in lying_files(place) if plain_name(p.relative_to(place.landing)) == file.path)
    return next(named, path)


def _changed(file: LandedFile) -> IndexFailed:
    return IndexFailed(
        f"landing index: {file.path} was changed or removed while a day was read from it; nothing "
        "was published, and running the same again reads the file anew"
    )
