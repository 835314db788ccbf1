"""What files hold, read into the index: here, or by processes of our own where there is much."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from pipeline.ingest.index.landed import IndexFailed
from pipeline.ingest.index.pile import Shredded
from pipeline.ingest.index.shredding import shred
from pipeline.ingest.landing import plain_name
from pipeline.ingest.parallel import run_tasks
from pipeline.ingest.readers import reader_named
from pipeline.ingest.records import Record
from pipeline.ingest.source import Source, Unreadable

__all__ = ["Reading", "read_all", "shred_share"]

_PARALLEL_FROM = 32 * 2**20  # bytes: below them a process of its own is not worth its start


@dataclass
class Reading:
    """One file to be read: by which reader, in which shares, and the folder its records go to."""

    folder: Path
    size: int
    reader: str | None
    error: Unreadable | None
    shares: Sequence[Source]


def read_all(files: Sequence[Reading], progress: Callable[[int, int], None]) -> Iterator[Shredded]:
    """What each file holds, in their order."""
    work = [_work(file, number) for file in files for number in range(len(file.shares))]
    sizes = [(share.stop or file.size) - share.start for file in files for share in file.shares]
    many = len(work) > 1 and sum(sizes) > _PARALLEL_FROM
    answers = iter(run_tasks("pipeline.ingest.worker", work) if many else map(shred_share, work))
    waiting = iter(sizes)
    done = 0
    for file in files:
        held = Shredded()
        for _ in file.shares:
            held = held.plus(msgspec.convert(next(answers), Shredded))
            done += next(waiting)
            progress(done, sum(sizes))
        yield held


def _work(file: Reading, number: int) -> dict[str, Any]:
    share = file.shares[number]
    day = share.day.isoformat() if share.day else None
    return {
        "do": "shred",
        "reader": file.reader,
        "error": (file.error.reason, file.error.detail) if file.error else None,
        "label": f"{number:04d}",
        "source": asdict(share) | {"path": str(share.path), "day": day},
        "folder": str(file.folder),
    }


def shred_share(task: dict[str, Any]) -> Any:
    """Read a file, or a share of it: the work of one process.

    Raises:
        IndexFailed: it could not be written down, or is gone.
    """
    reader = reader_named(task["reader"])
    given = task["source"]
    day = date.fromisoformat(given["day"]) if given["day"] else None
    source = Source(**given | {"path": Path(given["path"]), "day": day})
    chosen = reader or _Unread(task["error"])
    try:
        return msgspec.to_builtins(shred(chosen, source, Path(task["folder"]), task["label"]))
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else type(error).__name__
        name = plain_name(Path(source.path.name))
        raise IndexFailed(
            f"landing index: {name} could not be read into it: {why}. Landing and what was "
            "published are as they were; once that is mended, run the same again"
        ) from error


class _Unread:
    """Stands for a reader where there is none."""

    name = "none"

    def __init__(self, error: Sequence[str] | None) -> None:
        self._error = error

    def sniff(self, head: object) -> bool:
        return False

    def read(self, source: Source) -> Iterator[Record]:
        if self._error is not None:
            raise Unreadable(*self._error)
        yield from ()
