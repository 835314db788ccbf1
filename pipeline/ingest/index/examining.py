"""Landing files that were not seen before: recognised, read into the index, written down."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from pipeline.datadir import DataDir
from pipeline.files import make_directory, replace_file, sha256
from pipeline.ids import digest
from pipeline.ingest.index.landed import VERSION, LandedFile, content_folder, note_of, stored_bytes
from pipeline.ingest.index.pile import Shredded
from pipeline.ingest.index.reading import Reading, read_all
from pipeline.ingest.index.shares import holds_lines, last_line_break, shares_of
from pipeline.ingest.landing import given_day, plain_name
from pipeline.ingest.readers import choose_reader
from pipeline.ingest.readers.archive import ARCHIVES
from pipeline.ingest.readers.head import read_head
from pipeline.ingest.source import Source, Unreadable

__all__ = ["examine", "is_fresh"]

_ATTEMPTS = 2  # to read a file that is changed meanwhile


@dataclass
class _Task:
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


def examine(
    place: DataDir,
    fresh: Sequence[Path],
    largest_record: int,
    settle_seconds: float,
    progress: Callable[[int, int], None],
) -> Iterator[LandedFile]:
    """Read files that were not seen before; two processes where there is much to read.

    One that is gone by now is passed over, as is one that is being written to in its middle: both
    are as if they had come, or gone, a moment later.

    Args:
        place: the data directory.
        fresh: landing files.
        largest_record: bytes; a larger record is malformed.
        settle_seconds: a file changed within them may still be growing.
        progress: called with the bytes read so far and all that are to be read.

    Raises:
        IndexFailed: what was read could not be written, or a process died.
    """
    tasks: list[_Task] = []
    pool = ThreadPoolExecutor(1)  # hashes the files while other processes read them
    try:
        for path in fresh:
            with suppress(FileNotFoundError):
                tasks.append(_prepared(place, path, largest_record, settle_seconds))
        digests = [pool.submit(_digest, task) for task in tasks]
        held = read_all([_reading(task) for task in tasks], progress)
        for task, held_by_it, whole in zip(tasks, held, digests, strict=True):
            file = _entered(place, task, held_by_it, whole.result())
            if file is not None:
                yield file
    finally:
        pool.shutdown(cancel_futures=True)
        for task in tasks:
            shutil.rmtree(task.folder, ignore_errors=True)


def is_fresh(stat: os.stat_result, settle_seconds: float) -> bool:
    """Whether a file changed so lately that it may still be growing; a wrong clock is no sign."""
    return abs(time.time() - stat.st_mtime) <= settle_seconds


def _prepared(place: DataDir, path: Path, largest: int, settle: float) -> _Task:
    """Recognise a file, and cut it into shares where it is large and made of lines."""
    stat = path.stat()
    note = note_of(place, path, stat, largest)
    for folder in (place.raw, note.parent.parent, note.parent, content_folder(place)):
        make_directory(folder, private=True)
    # The process id tells whose it was, should it be killed; threads may read the same file.
    folder = content_folder(place) / f".{os.getpid()}-{os.urandom(6).hex()}.tmp"
    make_directory(folder, private=True)
    task = _Task(path, note, stat, Source(path, given_day(path), largest), folder, settle)
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


def _reading(task: _Task) -> Reading:
    return Reading(task.folder, task.stat.st_size, task.reader, task.error, task.shares)


def _entered(place: DataDir, task: _Task, held: Shredded, whole: str | None) -> LandedFile | None:
    """Swap what was read into the index and write down what it is; None if it changed again."""
    for _ in range(_ATTEMPTS):
        if whole is not None and _is_unchanged(task):
            return _written(place, task, held, whole)
        shutil.rmtree(task.folder, ignore_errors=True)
        try:
            largest = task.source.largest_record
            again = _prepared(place, task.path, largest, task.settle)
        except FileNotFoundError:
            return None
        vars(task).update(vars(again))
        (held,) = read_all([_reading(task)], lambda done, total: None)
        whole = _digest(task)
    return None


def _digest(task: _Task) -> str | None:
    """The digest of what is read of a file; None where it has gone."""
    if task.error is not None and task.error.reason == "no_permission":
        return digest("no_permission", plain_name(task.path))
    try:
        return sha256(task.path, task.source.stop)
    except FileNotFoundError:
        return None


def _is_unchanged(task: _Task) -> bool:
    """Whether a file still is what it was when it was found, or has only grown."""
    try:
        now, was = task.path.stat(), task.stat
    except FileNotFoundError:
        return False
    same = (now.st_ino, now.st_size, now.st_mtime_ns) == (was.st_ino, was.st_size, was.st_mtime_ns)
    appended = (
        task.source.stop is not None and now.st_ino == was.st_ino and now.st_size > was.st_size
    )
    return same or appended or (task.error is not None and task.error.reason == "no_permission")


def _written(place: DataDir, task: _Task, held: Shredded, whole: str) -> LandedFile:
    given = task.source.day
    failed = task.error.reason if task.error else None
    largest = task.source.largest_record
    entry = digest(VERSION, whole, str(given), largest, task.reader, failed, task.growing)
    target = content_folder(place) / entry
    stored = stored_bytes(task.folder)
    try:
        task.folder.rename(target)
    except OSError:
        if not target.is_dir():
            raise
        # The same content was read before, or by another process just now: unless it is torn.
        if stored_bytes(target) != stored:
            shutil.rmtree(target)
            task.folder.rename(target)
    arrived = datetime.fromtimestamp(task.stat.st_mtime, UTC).date().isoformat()
    file = LandedFile(
        path=plain_name(task.path.relative_to(place.landing)),
        sha256=whole,
        size=task.stat.st_size,
        modified=task.stat.st_mtime_ns,
        inode=task.stat.st_ino,
        format=task.reader,
        days=tuple(held.days),
        records=held.records,
        events=held.events,
        malformed=held.malformed,
        reasons=tuple(f"{reason} {n}" for reason, n in held.reasons.items()),
        fallback_day=given.isoformat() if given else min(held.days, default=arrived),
        first_event=held.first_event,
        last_event=held.last_event,
        untimed_events=held.untimed_events,
        growing=task.growing,
        entry=entry,
        stored=stored,
    )
    with replace_file(task.note, 0o600, durable=False) as temporary:
        temporary.write_bytes(msgspec.json.encode(file))
    return file
