"""The landing zone: files as they came, dropped by hand, by `caselaw land`, pull or receive."""

from __future__ import annotations

import glob
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline.datadir import DataDir
from pipeline.files import make_directory, replace_file, sha256
from pipeline.ingest.readers import choose_reader
from pipeline.ingest.source import Source, Unreadable

__all__ = ["Landed", "LandingError", "expand", "given_day", "land", "lying_files", "plain_name"]

_HEAD = 1 << 20
_LONGEST = 150  # characters of a name that are kept: with what is put before, any system holds it
_DAY_FOLDER = re.compile(r"day=(\d{4}-\d{2}-\d{2})")


class LandingError(ValueError):
    """A file could not be landed; landing is as it was."""


def expand(paths: Iterable[Path]) -> dict[Path, bool]:
    """The files that paths name, and whether by name: else a directory or `*` stands for them.

    Raises:
        LandingError: a path names nothing, or may not be read.
    """
    found: dict[Path, bool] = {}
    for path in paths:
        pattern = any(sign in str(path) for sign in "*?[") and not path.exists()
        root = Path(path.anchor) if path.is_absolute() else Path()
        matches = sorted(root.glob(str(path.relative_to(root)))) if pattern else [path]
        files = [file for match in matches for file in _files_below(match)]
        if not files:
            what = "an empty directory" if path.exists() else "no such file"
            what = "matches nothing" if pattern else what
            raise LandingError(f"{path}: {what}; nothing was landed")
        for file in files:
            found[file] = found.get(file, False) or file == path
    return found


def _files_below(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path] if path.is_file() else []
    try:
        below = sorted(path.iterdir())
    except PermissionError as error:
        raise LandingError(f"{path}: may not be read; nothing was landed") from error
    # Links to directories may lead in circles.
    seen = [p for p in below if not p.name.startswith(".") and not (p.is_symlink() and p.is_dir())]
    return [f for p in seen for f in _files_below(p)]


@dataclass(frozen=True)
class Landed:
    """What `land` did: files in landing, each with whether it is new, and what it left out."""

    files: tuple[tuple[Path, bool], ...]
    skipped: tuple[tuple[Path, str], ...]
    """Files of a directory or glob that hold no traces, and why."""


def land(place: DataDir, files: Iterable[Path], day: date | None = None) -> Landed:
    """Copy files into landing, whole or not at all.

    A file's name there starts with its digest, so the same file again is a no-op; with a day, one
    that was landed without moves there, and without one it stays where its day is. Of a directory
    or glob, files that hold no traces are left
    out; one that is named itself refuses the whole.

    Args:
        place: the data directory.
        files: files, directories and globs; they stay where they are.
        day: the UTC day of records that carry no time.

    Raises:
        LandingError: a file is missing, may not be read, or is of no format that is read.
    """
    folder = place.landing / f"day={day.isoformat()}" if day else place.landing
    checked: list[tuple[Path, Path]] = []
    skipped: list[tuple[Path, str]] = []
    refused: list[str] = []
    for file, by_name in expand(files).items():
        why = why_not(file)
        if why is None:
            checked.append((file, folder / f"{sha256(file)[:12]}-{file.name[-_LONGEST:]}"))
        elif by_name:
            refused.append(f"{file}: {why}")
        else:
            skipped.append((file, why))
    if refused or (skipped and not checked):
        every = refused or [f"{file}: {why}" for file, why in skipped]
        raise LandingError(
            "; ".join(every[:5]) + (f" and {len(every) - 5} more" if len(every) > 5 else "")
            + "; nothing was landed. What is read: docs/land-your-traces.md"
        )  # fmt: skip
    make_directory(place.landing, private=True)
    make_directory(folder, private=True)
    landed = []
    for file, target in checked:
        new = not target.exists()
        undated = place.landing / target.name
        dated = next(place.landing.glob(f"day=*/{glob.escape(target.name)}"), None)
        if new and day is None and dated is not None:
            target, new = dated, False
        elif new and undated != target and undated.exists():
            undated.replace(target)
        elif new:
            with replace_file(target, 0o600) as temporary:
                shutil.copyfile(file, temporary)
        landed.append((target, new))
    return Landed(tuple(landed), tuple(skipped))


def why_not(file: Path) -> str | None:
    """Why a file cannot be landed; None where a reader recognises it."""
    try:
        source = Source(file)
        if choose_reader(source) is not None:
            return None
        with source.open() as handle:
            head = handle.read(_HEAD)
    except Unreadable as error:
        return f"cannot be read: {error.detail} ({error.reason})"
    except PermissionError:
        return "may not be read"
    if not head.strip():
        return "is empty"
    if head.startswith((b"BZh", b"\xfd7zXZ", b"7z", b"PK")) or head[257:262] == b"ustar":
        return "is an archive, or compressed in a way that is not read: unpack it first"
    return "no reader knows this format"


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
