"""The landing zone: files as they came, dropped by hand, by `caselaw land`, pull or receive."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from pipeline.datadir import DataDir
from pipeline.files import make_directory, replace_file, sha256
from pipeline.ingest.readers import READERS, choose_reader
from pipeline.ingest.source import Source, Unreadable

__all__ = ["LandingError", "expand", "given_day", "land", "lying_files", "plain_name"]

_DAY_FOLDER = re.compile(r"day=(\d{4}-\d{2}-\d{2})")


class LandingError(ValueError):
    """A file could not be landed; landing is as it was."""


def expand(paths: Iterable[Path]) -> list[Path]:
    """The files that paths name: a directory stands for the files below it, `*` for what matches.

    Raises:
        LandingError: a path names nothing, or may not be read.
    """
    found: dict[Path, None] = {}
    for path in paths:
        pattern = any(sign in str(path) for sign in "*?[") and not path.exists()
        root = Path(path.anchor) if path.is_absolute() else Path()
        matches = sorted(root.glob(str(path.relative_to(root)))) if pattern else [path]
        files = [file for match in matches for file in _files_below(match)]
        if not files:
            what = "no such file" if pattern or not path.exists() else "an empty directory"
            raise LandingError(f"{path}: {what}; nothing was landed")
        found |= dict.fromkeys(files)
    return list(found)


def _files_below(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path] if path.is_file() else []
    try:
        below = sorted(path.iterdir())
    except PermissionError as error:
        raise LandingError(f"{path}: may not be read; nothing was landed") from error
    return [f for p in below if not p.name.startswith(".") for f in _files_below(p)]


def land(place: DataDir, files: Iterable[Path], day: date | None = None) -> list[tuple[Path, bool]]:
    """Copy files into landing, whole or not at all; returns each with whether it is new.

    A file's name there starts with its digest, so the same file again is a no-op.

    Args:
        place: the data directory.
        files: files, directories and globs; they stay where they are.
        day: the UTC day of records that carry no time.

    Raises:
        LandingError: a file is missing, may not be read, or is of no format that is read.
    """
    folder = place.landing / f"day={day.isoformat()}" if day else place.landing
    checked = [(file, folder / f"{_recognised(file)}-{file.name}") for file in expand(files)]
    make_directory(place.landing, private=True)
    make_directory(folder, private=True)
    landed = []
    for file, target in checked:
        new = not target.exists()
        if new:
            with replace_file(target, 0o600) as temporary:
                shutil.copyfile(file, temporary)
        landed.append((target, new))
    return landed


def _recognised(file: Path) -> str:
    """The beginning of a file's digest, once a reader has recognised it."""
    try:
        known = choose_reader(Source(file))
        name = sha256(file)[:12]
    except Unreadable as error:
        detail = f"{error.detail} ({error.reason})"
        raise LandingError(f"{file}: cannot be read: {detail}; nothing was landed") from error
    except PermissionError as error:
        raise LandingError(f"{file}: may not be read; nothing was landed") from error
    if known is None:
        names = ", ".join(reader.name for reader in READERS)
        raise LandingError(
            f"{file}: no reader knows this format; nothing was landed. Read are {names}; "
            "see docs/land-your-traces.md"
        )
    return name


def lying_files(place: DataDir) -> Iterator[Path]:
    """Every file in landing that is to be read, in order; hidden ones are not.

    A directory that may not be read stands for what lies below it.
    """
    if not place.landing.is_dir():
        return
    # Files dropped by hand leave it open as the umask says; here it is closed to others.
    make_directory(place.landing, private=True)
    yield from sorted(_lying_below(place.landing))


def _lying_below(folder: Path) -> Iterator[Path]:
    try:
        below = [p for p in folder.iterdir() if not p.name.startswith(".")]
        folders = {p for p in below if p.is_dir() and not p.is_symlink()}
        files = [p for p in below if p not in folders and p.is_file()]
    except PermissionError:
        yield folder
        return
    except FileNotFoundError:
        return
    yield from files
    for path in folders:
        yield from _lying_below(path)


def plain_name(path: Path) -> str:
    """A path that can be written down: bytes that are no UTF-8 become escapes."""
    return path.as_posix().encode("utf-8", "backslashreplace").decode()


def given_day(path: Path) -> date | None:
    """The day that a folder `day=YYYY-MM-DD` of landing gives to records without a time."""
    for part in reversed(path.parts[:-1]):
        if match := _DAY_FOLDER.fullmatch(part):
            try:
                return date.fromisoformat(match[1])
            except ValueError:
                return None
    return None
