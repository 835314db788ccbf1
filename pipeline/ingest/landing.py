"""The landing zone: what was dropped there, and which days each file tells of."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import orjson

from pipeline.datadir import DataDir
from pipeline.files import make_directory, replace_file, sha256
from pipeline.ids import canonical_json, digest
from pipeline.ingest.readers import Source, choose_reader
from pipeline.ingest.records import Malformed

__all__ = ["LandedFile", "LandingError", "files_for", "land", "landed_files"]

_DAY_FOLDER = re.compile(r"day=(\d{4}-\d{2}-\d{2})")


class LandingError(ValueError):
    """A file could not be landed; landing is as it was."""


@dataclass(frozen=True)
class LandedFile:
    """One landing file: its digest, its format, and the days its records start on."""

    path: str
    sha256: str
    format: str | None
    days: tuple[str, ...]
    records: int
    malformed: int
    reasons: tuple[str, ...]
    fallback_day: str
    """Where its malformed records are counted: the day given, its first day, or its arrival."""

    def source(self, place: DataDir, largest: int) -> Source:
        """What a reader needs."""
        day = _given_day(Path(self.path))
        return Source(place.landing / self.path, self.sha256, day, largest)


def land(place: DataDir, files: Iterable[Path], day: date | None = None) -> list[tuple[Path, bool]]:
    """Copy files into landing, whole or not at all; returns each with whether it is new.

    A file's name there starts with its digest, so the same file again is a no-op.

    Args:
        place: the data directory.
        files: files to copy; they stay where they are.
        day: the UTC day of records that carry no time.

    Raises:
        LandingError: a file is missing, or of no format that is read.
    """
    folder = place.landing / f"day={day.isoformat()}" if day else place.landing
    checked = []
    for file in files:
        if not file.is_file():
            raise LandingError(f"{file}: no such file; nothing was landed")
        if choose_reader(file) is None:
            raise LandingError(
                f"{file}: no reader knows this format (read are OTLP JSON lines, and chat "
                "messages as JSON or JSON lines); nothing was landed"
            )
        checked.append((file, folder / f"{sha256(file)[:12]}-{file.name}"))
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


def landed_files(place: DataDir, largest: int) -> list[LandedFile]:
    """Every landing file, each content once; what a file holds is remembered beside raw."""
    found: dict[str, LandedFile] = {}
    if place.landing.is_dir():
        # Files dropped by hand leave it open as the umask says; here it is closed to others.
        make_directory(place.landing, private=True)
        _rename_odd_names(place.landing)
        for path in sorted(p for p in place.landing.rglob("*") if p.is_file()):
            if not any(part.startswith(".") for part in path.relative_to(place.landing).parts):
                file = _examined(place, path, largest)
                found.setdefault(f"{file.sha256}/{_given_day(path)}", file)
    return sorted(found.values(), key=lambda file: (file.sha256, file.path))


def files_for(files: Iterable[LandedFile], first: date, last: date) -> Iterator[LandedFile]:
    """The files with a record, or a malformed one, on the days from `first` to `last`."""
    lowest, highest = first.isoformat(), last.isoformat()
    for file in files:
        days = (*file.days, file.fallback_day) if file.malformed else file.days
        if any(lowest <= day <= highest for day in days):
            yield file


def _rename_odd_names(folder: Path) -> None:
    """Give files whose names are no UTF-8 a name that can be written down."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        plain = path.name.encode("utf-8", "backslashreplace").decode()
        if plain != path.name:
            path.rename(path.with_name(plain.replace("\\", "-")))


def _examined(place: DataDir, path: Path, largest: int) -> LandedFile:
    """Read a file through once, and remember what it holds until its size or time changes."""
    stat = path.stat()
    name = path.relative_to(place.landing).as_posix()
    index = place.raw / "landing_index"
    known = index / f"{digest('index-2', name, stat.st_size, stat.st_mtime_ns, largest)}.json"
    if known.exists():
        body = orjson.loads(known.read_bytes())
        listed = {name: tuple(body[name]) for name in ("days", "reasons")}
        return LandedFile(**{**body, **listed})
    arrived = datetime.fromtimestamp(stat.st_mtime, UTC).date().isoformat()
    given = _given_day(path)
    reader = choose_reader(path)
    source = Source(path, sha256(path), given, largest)
    days: set[str] = set()
    records = 0
    reasons: Counter[str] = Counter()
    for record in reader.read(source) if reader else ():
        if isinstance(record, Malformed):
            reasons[record.reason] += 1
        else:
            records += 1
            start = record.start if hasattr(record, "start") else record.started_at
            days.add(start.date().isoformat())
    fallback = given.isoformat() if given else min(days, default=arrived)
    file = LandedFile(
        path=name,
        sha256=source.sha256,
        format=reader.name if reader else None,
        days=tuple(sorted(days)),
        records=records,
        malformed=reasons.total() if reader else 1,
        reasons=tuple(f"{reason} {n}" for reason, n in sorted(reasons.items())),
        fallback_day=fallback,
    )
    make_directory(place.raw, private=True)
    make_directory(index, private=True)
    with replace_file(known, 0o600) as temporary:
        temporary.write_bytes(canonical_json(asdict(file)))
    return file


def _given_day(path: Path) -> date | None:
    """The day that a folder `day=YYYY-MM-DD` of landing gives to records without a time."""
    for part in reversed(path.parts[:-1]):
        if match := _DAY_FOLDER.fullmatch(part):
            try:
                return date.fromisoformat(match[1])
            except ValueError:
                return None
    return None
