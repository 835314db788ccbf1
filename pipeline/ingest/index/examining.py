"""Landing files that were not seen before: read into the index, and written down."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from pipeline.datadir import DataDir
from pipeline.files import replace_file, sha256
from pipeline.ids import digest
from pipeline.ingest.index.landed import VERSION, LandedFile, content_folder, stored_bytes
from pipeline.ingest.index.pile import Shredded
from pipeline.ingest.index.reading import Reading, read_all
from pipeline.ingest.index.recognising import Recognised, recognise
from pipeline.ingest.landing import plain_name

__all__ = ["examine"]

_ATTEMPTS = 2  # to read a file that is changed meanwhile


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
    tasks: list[Recognised] = []
    pool = ThreadPoolExecutor(1)  # hashes the files while other processes read them
    try:
        for path in fresh:
            with suppress(FileNotFoundError):
                tasks.append(recognise(place, path, largest_record, settle_seconds))
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


def _reading(task: Recognised) -> Reading:
    return Reading(task.folder, task.stat.st_size, task.reader, task.error, task.shares)


def _entered(
    place: DataDir, task: Recognised, held: Shredded, whole: str | None
) -> LandedFile | None:
    """Swap what was read into the index and write down what it is; None if it changed again."""
    for _ in range(_ATTEMPTS):
        if whole is not None and _is_unchanged(task):
            return _written(place, task, held, whole)
        shutil.rmtree(task.folder, ignore_errors=True)
        try:
            largest = task.source.largest_record
            again = recognise(place, task.path, largest, task.settle)
        except FileNotFoundError:
            return None
        vars(task).update(vars(again))
        (held,) = read_all([_reading(task)], lambda done, total: None)
        whole = _digest(task)
    return None


def _digest(task: Recognised) -> str | None:
    """The digest of what is read of a file; None where it has gone."""
    if task.error is not None and task.error.reason == "no_permission":
        return digest("no_permission", plain_name(task.path))
    try:
        return sha256(task.path, task.source.stop)
    except FileNotFoundError:
        return None


def _is_unchanged(task: Recognised) -> bool:
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


def _written(place: DataDir, task: Recognised, held: Shredded, whole: str) -> LandedFile:
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
