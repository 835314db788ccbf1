"""The landing index: what every landing file holds, found out once and kept beside raw."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from pipeline.datadir import DataDir
from pipeline.files import is_alive, sweep
from pipeline.ingest.index.examining import examine
from pipeline.ingest.index.landed import (
    LandedFile,
    content_folder,
    note_of,
    notes_folder,
    stored_bytes,
)
from pipeline.ingest.index.recognising import is_fresh
from pipeline.ingest.landing import given_day, lying_files, plain_name

__all__ = [
    "forget_file",
    "forget_files",
    "landed_files",
    "lying_and_known",
    "purge_index",
    "remembered_files",
    "settled_files",
]

_KEPT_SECONDS = 3600  # since some process last used it: another may still read it


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

    Raises:
        IndexFailed: a new file could not be read into the index.
    """
    known, fresh = _known_and_unread(place, largest_record, settle_seconds)
    found = [*known, *examine(place, fresh, largest_record, settle_seconds, progress)]
    for file in found:
        with suppress(FileNotFoundError):
            os.utime(content_folder(place) / file.entry)
    _forget_gone(place, found)
    return _each_once(found)


def settled_files(
    place: DataDir, largest_record: int, settle_seconds: float
) -> tuple[list[LandedFile], list[Path]]:
    """Of the files that no longer change: those that were read, and those still to be read.

    Nothing is read; a file that changed within `settle_seconds` is in neither list.
    """
    known, unread = _known_and_unread(place, largest_record, settle_seconds)
    quiet = [f for f in known if not _changes(place.landing / f.path, settle_seconds)]
    return _each_once(quiet), [path for path in unread if not _changes(path, settle_seconds)]


def _changes(path: Path, settle_seconds: float) -> bool:
    try:
        return is_fresh(path.stat(), settle_seconds)
    except FileNotFoundError:
        return True


def remembered_files(place: DataDir) -> list[LandedFile]:
    """What is known of the files that lie in landing as they are now; none is read for it."""
    return _each_once(file for _, _, file in lying_and_known(place) if file is not None)


def lying_and_known(place: DataDir) -> Iterator[tuple[Path, os.stat_result, LandedFile | None]]:
    """Every file that lies in landing, and what is known of it as it is now; none is read."""
    found = (_remembered(place, note) for note in notes_folder(place).glob("*.json"))
    known = {(file.path, file.size, file.modified): file for file in found if file is not None}
    for path in lying_files(place):
        with suppress(FileNotFoundError):
            stat = path.stat()
            name = plain_name(path.relative_to(place.landing))
            yield path, stat, known.get((name, stat.st_size, stat.st_mtime_ns))


def _each_once(files: Iterable[LandedFile]) -> list[LandedFile]:
    """Files in order of their digest, of those with one content the first."""
    unique: dict[str, LandedFile] = {}
    for file in sorted(files, key=lambda file: file.path):
        unique.setdefault(f"{file.sha256}/{given_day(Path(file.path))}", file)
    return sorted(unique.values(), key=lambda file: (file.sha256, file.path))


def forget_file(place: DataDir, path: str) -> None:
    """Forget what is known of a landing file, so that it is read anew."""
    forget_files(place, {path})


def forget_files(place: DataDir, paths: Collection[str]) -> None:
    """Forget what is known of landing files, named as in `LandedFile.path`."""
    for note in notes_folder(place).glob("*.json"):
        file = _remembered(place, note)
        if file is not None and file.path in paths:
            note.unlink(missing_ok=True)
            shutil.rmtree(content_folder(place) / file.entry, ignore_errors=True)


def purge_index(place: DataDir) -> None:
    """Remove at once whatever the index holds beyond the files that lie in landing as they are.

    Nobody may be reading it meanwhile. Plans and scratch folders go too; all is made again.
    """
    remembered = remembered_files(place)
    current = {file.entry for file in remembered}
    for entry in content_folder(place).glob("*"):
        if entry.name not in current:
            shutil.rmtree(entry, ignore_errors=True)
    for note in notes_folder(place).glob("*"):
        known = _remembered(place, note)
        if known is None or known not in remembered:
            note.unlink(missing_ok=True)
    shutil.rmtree(notes_folder(place).parent / "plans", ignore_errors=True)
    for scratch in place.raw.glob(".*-*"):
        if scratch.is_dir():
            shutil.rmtree(scratch, ignore_errors=True)


def _known_and_unread(
    place: DataDir, largest_record: int, settle_seconds: float
) -> tuple[list[LandedFile], list[Path]]:
    """Landing files as they are known; and those not seen before, or not to their end."""
    known: list[LandedFile] = []
    unread: list[Path] = []
    for path in lying_files(place):
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue
        note = note_of(place, path, stat, largest_record)
        file = _remembered(place, note)
        if file is None or (file.growing and not is_fresh(stat, settle_seconds)):
            unread.append(path)
        else:
            known.append(file)
    return known, unread


def _remembered(place: DataDir, note: Path) -> LandedFile | None:
    try:
        file = msgspec.json.decode(note.read_bytes(), type=LandedFile)
        stored = stored_bytes(content_folder(place) / file.entry)
    except (OSError, msgspec.MsgspecError):
        return None
    return file if stored == file.stored else None


def _forget_gone(place: DataDir, files: Iterable[LandedFile]) -> None:
    """Remove what is known of files that have gone from landing or have changed.

    What killed processes left is removed too.
    """
    current = {file.entry for file in files}
    removed = False
    for entry in content_folder(place).glob("*"):
        try:
            old = time.time() - entry.stat().st_mtime > _KEPT_SECONDS
        except FileNotFoundError:
            continue
        owner = entry.name[1:].split("-")[0]
        if entry.name.startswith(".") and owner.isdigit():
            old = not is_alive(int(owner))
        if old and entry.name not in current:
            shutil.rmtree(entry, ignore_errors=True)
            removed = True
    sweep(notes_folder(place))
    for note in notes_folder(place).glob("*.json") if removed else ():
        if _remembered(place, note) is None:
            note.unlink(missing_ok=True)
