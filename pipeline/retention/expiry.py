"""What raw data there is, how old it is, and which of it is past its period."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from os import stat_result
from pathlib import Path

from pipeline.datadir import DataDir
from pipeline.files import sha256
from pipeline.ingest.index import LandedFile, lying_and_known
from pipeline.ingest.index.landed import content_folder
from pipeline.ingest.landing import plain_name
from pipeline.registry.settings import Privacy
from pipeline.retention.judge_cache import answers_by_day
from pipeline.retention.mark import first_kept
from pipeline.tables import QUARANTINED_RECORDS, RAW_TRACES, Table
from pipeline.windows import is_key

__all__ = ["Footprint", "Piece", "footprint", "strays"]

# A conversation of the first day that is kept may have begun on the day before.
_CONVERSATION = timedelta(days=1)


@dataclass(frozen=True)
class Piece:
    """Something that is dropped whole: a partition, a landing file, the answers of a day.

    Attributes:
        day: of its latest record.
        size: bytes.
        count: of files, of answers.
        path: where it lies; of answers None.
        landed: its name below landing, as the landing index knows it; never written down.
        digest: its sha256, where the landing index knows it.
        days: those that its records start on, where it is a landing file that was read.
    """

    day: date
    size: int
    count: int
    path: Path | None = field(default=None, repr=False)
    landed: str | None = field(default=None, repr=False)
    digest: str | None = None
    days: tuple[str, ...] = ()

    def digests(self) -> list[str]:
        """The sha256 of its files."""
        if self.path is None:
            return []
        if self.digest is not None:
            return [self.digest]
        return [sha256(file) for file in _files(self.path) if file.suffix != ".json"]


@dataclass(frozen=True)
class Footprint:
    """All there is of one kind, `days` its period and `first_kept` what that comes to today."""

    kind: str
    noun: str
    days: int
    first_kept: date
    pieces: tuple[Piece, ...]

    @property
    def cut(self) -> date:
        """The day before which all goes: landing files are needed by the day after theirs."""
        return self.first_kept - (_CONVERSATION if self.kind == "landing" else timedelta())

    @property
    def expired(self) -> list[Piece]:
        """What is past its period."""
        return [piece for piece in self.pieces if piece.day < self.cut]

    @property
    def kept(self) -> list[Piece]:
        """What is not, oldest first."""
        return sorted((p for p in self.pieces if p.day >= self.cut), key=lambda p: p.day)


def footprint(place: DataDir, privacy: Privacy, today: date) -> list[Footprint]:
    """What there is of every kind that has a period. Nothing is changed, no landing file read."""
    sources: list[tuple[str, str, int | None, Callable[[], Iterator[Piece]]]] = [
        ("raw_traces", "partition", privacy.raw_traces_days,
         lambda: _partitions(place, RAW_TRACES)),
        ("quarantine", "partition", privacy.quarantine_days,
         lambda: _partitions(place, QUARANTINED_RECORDS)),
        ("landing", "file", privacy.landing_days, lambda: _landing(place, today)),
        ("judge_cache", "answer", privacy.judge_cache_days, lambda: _answers(place)),
    ]  # fmt: skip
    found = []
    for kind, noun, own, pieces in sources:
        days = own or privacy.retention_days
        found.append(Footprint(kind, noun, days, first_kept(days, today), tuple(pieces())))
    return found


def strays(place: DataDir) -> list[Path]:
    """What lies among the raw partitions and is none: copies that people made, links, other names.

    It may hold raw data, and retention leaves it to who put it there.
    """
    return [
        path
        for table in (RAW_TRACES, QUARANTINED_RECORDS)
        for path in sorted((place.raw / table.name).glob("*"))
        if not _is_partition(path)
    ]


def _is_partition(path: Path) -> bool:
    unit, _, key = path.name.partition("=")
    return unit == "day" and is_key(key) and path.is_dir() and not path.is_symlink()


def _partitions(place: DataDir, table: Table) -> Iterator[Piece]:
    """Every partition's directory, a half-removed one without its Parquet file too."""
    for folder in sorted(filter(_is_partition, (place.raw / table.name).glob("day=*"))):
        key = folder.name.partition("=")[2]
        yield Piece(date.fromisoformat(key), _size(folder), 1, folder)


def _landing(place: DataDir, today: date) -> Iterator[Piece]:
    for path, stat, file in lying_and_known(place):
        if path.is_file():  # a directory that may not be read stands for what lies in it
            entry = content_folder(place) / file.entry if file else None
            size = stat.st_size + (_size(entry) if entry else 0)
            name = plain_name(path.relative_to(place.landing))
            known = (file.sha256, file.days) if file else (None, ())
            yield Piece(_latest(file, stat, today), size, 1, path, name, *known)


def _latest(file: LandedFile | None, stat: stat_result, today: date) -> date:
    """The day of the latest record; of a file never read, or ahead of the clock, its arrival."""
    arrived = min(datetime.fromtimestamp(stat.st_mtime, UTC).date(), today)
    if file is None:
        return arrived
    told = [date.fromisoformat(day) for day in file.days]
    if file.last_event is not None:
        told.append(datetime.fromtimestamp(file.last_event / 1e6, UTC).date())
    if file.untimed_events:
        told.append(arrived)
    latest = max(told, default=date.fromisoformat(file.fallback_day))
    return latest if latest <= today else arrived


def _answers(place: DataDir) -> Iterator[Piece]:
    for day, count, size in answers_by_day(place.ledger):
        yield Piece(day, size, count)


def _files(path: Path) -> list[Path]:
    return sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in _files(path)) if path.exists() else 0
