"""The log of the holdout's openings: each one is a line, and none is ever taken away.

A holdout that is looked at whenever it suits is a second training set; so who opened it, why and
how often stands where everybody can count it.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import orjson

from pipeline.datadir import DataDir
from pipeline.files import make_directory

__all__ = ["Opening", "count_openings", "record_opening"]


@dataclass(frozen=True)
class Opening:
    """One opening: when (UTC), who, why, how many cases, for which target."""

    at: str
    who: str
    why: str
    cases: int
    target: str


def record_opening(place: DataDir, *, who: str, why: str, cases: int, target: str) -> Opening:
    """Append an opening to `ledger/holdout_openings.jsonl` before anything of it is shown."""
    opening = Opening(datetime.now(UTC).isoformat(timespec="seconds"), who, why, cases, target)
    make_directory(place.ledger, private=False)
    line = orjson.dumps(asdict(opening)) + b"\n"
    path = place.ledger / "holdout_openings.jsonl"
    # one write of one line in append mode: openings at the same time do not mix
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, line)
        os.fsync(handle)
    finally:
        os.close(handle)
    return opening


def count_openings(place: DataDir) -> int:
    """How often the holdout was opened so far."""
    path = place.ledger / "holdout_openings.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0
