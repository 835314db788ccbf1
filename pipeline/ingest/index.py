"""The landing index: what every landing file holds, found out once and kept beside raw."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec

from pipeline.datadir import DataDir
from pipeline.files import make_directory, replace_file, sha256
from pipeline.ids import digest
from pipeline.ingest.landing import given_day, lying_files
from pipeline.ingest.parallel import run_tasks
from pipeline.ingest.readers import READERS, choose_reader
from pipeline.ingest.records import Record
from pipeline.ingest.shares import holds_lines, last_line_break, shares_of
from pipeline.ingest.shredding import Shredded, shred
from pipeline.ingest.source import Source, Unreadable

__all__ = ["LandedFile", "forget_file", "landed_files", "shred_share", "unread_files"]

_VERSION = "3"
_PARALLEL_FROM = 32 * 2**20  # bytes: below them a process of its own is not worth its start
_KEPT_SECONDS = 3600  # another process may still read an entry whose file has gone


class LandedFile(msgspec.Struct, frozen=True):
    """One landing file: its digest, its format, and the days its records start on."""

    path: str
    sha256: str
    size: int
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
    growing: bool
    """It changed lately and ends in half a line, which is left for the next time."""
    entry: str
    """The name of its folder in the index."""

    def tables(self, place: DataDir, table: str) -> list[Path]:
        """The Parquet files of one of its tables: records, traces, events or malformed."""
        return sorted((_home(place) / "content" / self.entry).glob(f"{table}-*.parquet"))


@dataclass
class _Task:
    """A file to be read: where, by which reader, and the folder its records go to."""

    path: Path
    known: Path
    reader: str | None
    source: Source
    folder: Path
    shares: list[Source]
    error: Unreadable | None = None


def landed_files(
    place: DataDir,
    largest_record: int,
    settle_seconds: float = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[LandedFile]:
    """Every landing file, each content once. Files not seen before are read, once, in parallel.

    Args:
        place: the data directory.
        largest_record: bytes; a larger record is malformed.
        settle_seconds: a file changed within them may still be growing.
        progress: called with the bytes read so far and all that are to be read.
    """
    home = _home(place)
    found: dict[str, LandedFile] = {}
    fresh: list[_Task] = []
    for path in lying_files(place):
        known = _note_of(place, path, largest_record)
        file = _remembered(known)
        if file is None or _has_settled(file, path, settle_seconds):
            fresh.append(_task(place, path, known, largest_record, settle_seconds))
        else:
            found[file.path] = file
    for file in _examined(place, fresh, progress):
        found[file.path] = file
    _forget_gone(home, found.values())
    unique: dict[str, LandedFile] = {}
    for _, file in sorted(found.items()):
        unique.setdefault(f"{file.sha256}/{given_day(Path(file.path))}", file)
    return sorted(unique.values(), key=lambda file: (file.sha256, file.path))


def unread_files(place: DataDir, largest_record: int, settle_seconds: float = 0) -> list[Path]:
    """The landing files that `landed_files` would read: new, changed, or grown to their end."""
    unread = []
    for path in lying_files(place):
        file = _remembered(_note_of(place, path, largest_record))
        if file is None or _has_settled(file, path, settle_seconds):
            unread.append(path)
    return unread


def forget_file(place: DataDir, path: str) -> None:
    """Forget what is known of a landing file, so that it is read anew."""
    for known in (_home(place) / "files").glob("*.json"):
        file = _remembered(known)
        if file is not None and file.path == path:
            known.unlink(missing_ok=True)
            shutil.rmtree(_home(place) / "content" / file.entry, ignore_errors=True)


def shred_share(task: dict[str, Any]) -> Any:
    """Read a file, or a share of it: the work of one process."""
    reader = next(reader for reader in READERS if reader.name == task["reader"])
    given = task["source"]
    day = date.fromisoformat(given["day"]) if given["day"] else None
    source = Source(**given | {"path": Path(given["path"]), "day": day})
    return msgspec.to_builtins(shred(reader, source, Path(task["folder"]), task["label"]))


class _Unread:
    """Stands for a reader where there is none."""

    name = "none"

    def __init__(self, error: Unreadable | None) -> None:
        unknown = Unreadable("unknown_format", "no reader knows this format")
        self._error: Unreadable | None = error or unknown

    def sniff(self, head: object) -> bool:
        return False

    def read(self, source: Source) -> Iterator[Record]:
        if self._error is not None:
            raise self._error
        yield from ()


def _home(place: DataDir) -> Path:
    return place.raw / "landing_index"


def _note_of(place: DataDir, path: Path, largest_record: int) -> Path:
    """Where what a file holds is noted down; another place once it has changed."""
    stat = path.stat()
    name = path.relative_to(place.landing).as_posix()
    key = digest(_VERSION, name, stat.st_size, stat.st_mtime_ns, largest_record)
    return _home(place) / "files" / f"{key}.json"


def _has_settled(file: LandedFile, path: Path, settle_seconds: float) -> bool:
    """Whether a file that was read to its last whole line has not changed for long enough."""
    return file.growing and time.time() - path.stat().st_mtime > settle_seconds


def _remembered(known: Path) -> LandedFile | None:
    try:
        file = msgspec.json.decode(known.read_bytes(), type=LandedFile)
    except (OSError, msgspec.MsgspecError):
        return None
    return file if (known.parent.parent / "content" / file.entry).is_dir() else None


def _task(place: DataDir, path: Path, known: Path, largest: int, settle: float) -> _Task:
    """Recognise a file, and cut it into shares where it is large and made of lines."""
    for folder in (place.raw, _home(place), known.parent, _home(place) / "content"):
        make_directory(folder, private=True)
    folder = _home(place) / "content" / f".{os.getpid()}-{known.stem}.tmp"
    shutil.rmtree(folder, ignore_errors=True)
    make_directory(folder, private=True)
    source = Source(path, given_day(path), largest)
    task = _Task(path, known, None, source, folder, [])
    try:
        reader = choose_reader(source)
        if reader is not None:
            task.reader = reader.name
            growing = time.time() - path.stat().st_mtime <= settle
            if source.compression is None and holds_lines(source):
                stop = last_line_break(path) if growing else None
                task.source = replace(source, stop=stop)
            task.shares = shares_of(task.source) if getattr(reader, "by_lines", False) else []
            task.shares = task.shares or [task.source]
    except Unreadable as error:
        task.error = error
    except PermissionError:
        task.error = Unreadable("no_permission", "the file may not be read")
    return task


def _examined(
    place: DataDir, fresh: Sequence[_Task], progress: Callable[[int, int], None]
) -> Iterable[LandedFile]:
    """Read files that were not seen before; two processes where there is much to read."""
    work: list[dict[str, Any]] = []
    sizes: list[int] = []
    owners: list[int] = []
    for owner, task in enumerate(fresh):
        for number, share in enumerate(task.shares):
            work.append({"do": "shred", "reader": task.reader, "label": f"{number:04d}",
                         "source": _plain(share), "folder": str(task.folder)})  # fmt: skip
            sizes.append((share.stop or share.path.stat().st_size) - share.start)
            owners.append(owner)
    many = len(work) > 1 and sum(sizes) > _PARALLEL_FROM
    answers = run_tasks("pipeline.ingest.worker", work) if many else map(shred_share, work)
    held = [Shredded() for _ in fresh]
    done = 0
    for owner, size, answer in zip(owners, sizes, answers, strict=True):
        held[owner] = _add(held[owner], msgspec.convert(answer, Shredded))
        done += size
        progress(done, sum(sizes))
    for task, shredded in zip(fresh, held, strict=True):
        yield _entered(place, task, shredded)


def _plain(source: Source) -> dict[str, Any]:
    day = source.day.isoformat() if source.day else None
    return asdict(source) | {"path": str(source.path), "day": day}


def _add(one: Shredded, other: Shredded) -> Shredded:
    events = [e for e in (one.first_event, other.first_event) if e is not None]
    return Shredded(
        one.records + other.records,
        one.events + other.events,
        one.malformed + other.malformed,
        dict(sorted((Counter(one.reasons) + Counter(other.reasons)).items())),
        sorted({*one.days, *other.days}),
        min(events, default=None),
    )


def _entered(place: DataDir, task: _Task, held: Shredded) -> LandedFile:
    """Swap what was read into the index, and write down what it is."""
    stat = task.path.stat()
    given = given_day(task.path)
    if task.reader is None:
        held = shred(_Unread(task.error), task.source, task.folder, "0000")
    arrived = datetime.fromtimestamp(stat.st_mtime, UTC).date().isoformat()
    denied = task.error is not None and task.error.reason == "no_permission"
    whole = digest(task.path.name) if denied else sha256(task.path, task.source.stop)
    entry = digest(_VERSION, whole, str(given), task.source.largest_record, task.reader)
    target = _home(place) / "content" / entry
    if target.is_dir():
        shutil.rmtree(task.folder)
    else:
        task.folder.rename(target)
    file = LandedFile(
        path=task.path.relative_to(place.landing).as_posix(),
        sha256=whole,
        size=stat.st_size,
        format=task.reader,
        days=tuple(held.days),
        records=held.records,
        events=held.events,
        malformed=held.malformed,
        reasons=tuple(f"{reason} {n}" for reason, n in held.reasons.items()),
        fallback_day=given.isoformat() if given else min(held.days, default=arrived),
        first_event=held.first_event,
        growing=task.source.stop is not None,
        entry=entry,
    )
    with replace_file(task.known, 0o600) as temporary:
        temporary.write_bytes(msgspec.json.encode(file))
    return file


def _forget_gone(home: Path, files: Iterable[LandedFile]) -> None:
    """Remove what is known of files that have gone from landing, or have changed."""
    current = {file.entry for file in files}
    for entry in (home / "content").glob("*") if home.is_dir() else ():
        try:
            old = time.time() - entry.stat().st_mtime > _KEPT_SECONDS
        except FileNotFoundError:
            continue
        if old and entry.name not in current:
            shutil.rmtree(entry, ignore_errors=True)
