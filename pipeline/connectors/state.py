"""How far a pull has come, so that the same command goes on from there."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from pipeline.datadir import DataDir
from pipeline.files import make_directory, replace_file
from pipeline.ids import digest

__all__ = ["Busy", "PartState", "PullState", "last_end", "opened"]


class Busy(Exception):
    """The same pull is running in another process."""


class PartState(msgspec.Struct):
    """One part of one stream: a day, or a batch of ids."""

    cursor: str | None = None
    size: int | None = None
    done: bool = False
    files: list[str] = []
    fetched: int = 0
    kept: int = 0
    repeated: int = 0
    total: int | None = None
    trouble: str | None = None


class PullState(msgspec.Struct):
    """A pull of one window; `series` is what it shares with pulls of other windows.

    Filters may hold a user's id: of them only a digest is kept. Keys never come here.
    """

    platform: str
    host: str
    series: str
    start: datetime
    end: datetime
    finished: bool = False
    parts: dict[str, PartState] = {}
    path: str = ""

    def save(self) -> None:
        """Write it, whole or not at all."""
        with replace_file(Path(self.path), 0o600) as temporary:
            temporary.write_bytes(msgspec.json.encode(self))


@contextmanager
def opened(
    place: DataDir, platform: str, host: str, selection: tuple[object, ...],
    start: datetime, end: datetime,
) -> Iterator[PullState]:  # fmt: skip
    """The state of a pull, new or as it was left; a finished one starts anew.

    Raises:
        Busy: another process has it open.
    """
    folder = _folder(place)
    for room in (place.ledger, folder):
        make_directory(room, private=True)
    series = digest(platform, host, selection, size=6)
    path = folder / f"{platform}-{series}-{start:%Y%m%dT%H%M%S}-{end:%Y%m%dT%H%M%S}.json"
    lock = os.open(folder / f".{path.stem}.lock", os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        state = _read(path)
        if state is None or state.finished:
            state = PullState(platform, host, series, start, end)
        state.path = str(path)
        yield state
    except BlockingIOError:
        raise Busy("the same pull is running in another process") from None
    finally:
        os.close(lock)


def last_end(
    place: DataDir, platform: str, host: str, selection: tuple[object, ...]
) -> datetime | None:
    """Until when the same selection was pulled by pulls that finished."""
    series = digest(platform, host, selection, size=6)
    states = [_read(path) for path in sorted(_folder(place).glob(f"{platform}-{series}-*.json"))]
    return max((state.end for state in states if state and state.finished), default=None)


def _folder(place: DataDir) -> Path:
    return place.ledger / "pulls"


def _read(path: Path) -> PullState | None:
    """A state, or None where there is none (or one that cannot be read: the pull starts anew)."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=PullState)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
