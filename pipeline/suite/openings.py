"""The log of the holdout: whoever opens it by a command of ours is written down, and counted.

It is one line of JSON an opening, only ever appended to. What is read in an editor is not seen.
"""

from __future__ import annotations

import errno
import fcntl
import getpass
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from pipeline.datadir import DataDir
from pipeline.files import make_directory

__all__ = ["Opening", "Openings", "read_openings", "record_opening", "whoami"]


@dataclass(frozen=True)
class Opening:
    """One opening: when (UTC), by whom, why, how many cases, and with what."""

    at: str
    who: str
    why: str
    cases: int
    target: str


@dataclass(frozen=True)
class Openings:
    """All of them, oldest first, and how many lines of the log could not be read."""

    found: tuple[Opening, ...]
    unreadable: int


def record_opening(place: DataDir, *, who: str, why: str, cases: int, target: str) -> Opening:
    """Append one opening, before anything is shown.

    Args:
        place: the data directory.
        who: opens it.
        why: the reason that was given.
        cases: of the holdout that will be seen.
        target: the command, or what is exported to.

    Raises:
        ValueError: no reason was given.
        OSError: it cannot be written down; then nothing may be shown.
    """
    if not why.strip():
        raise ValueError("the holdout is not opened without a reason")
    who, why = (text.encode("utf-8", "replace").decode() for text in (who, why))
    made = Opening(datetime.now(UTC).isoformat(timespec="seconds"), who, why.strip(), cases, target)
    path = _path(place)
    make_directory(path.parent, private=False)
    line = orjson.dumps(made, option=orjson.OPT_APPEND_NEWLINE)
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":
            line = b"\n" + line  # what a full disk or a kill tore stays a line of its own
        if os.write(handle, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        os.fsync(handle)
    finally:
        os.close(handle)
    return made


def read_openings(place: DataDir) -> Openings:
    """Read the log; a torn or foreign line is counted, never a reason to stop."""
    try:
        lines = _path(place).read_bytes().splitlines()
    except FileNotFoundError:
        lines = []
    found = []
    for line in lines:
        try:
            entry = orjson.loads(line)
            found.append(Opening(**{name: entry[name] for name in Opening.__annotations__}))
        except (orjson.JSONDecodeError, KeyError, TypeError):
            continue
    return Openings(tuple(found), len(lines) - len(found))


def whoami() -> str:
    """The account that runs this, or the name that `CASELAW_WHO` gives."""
    try:
        return os.environ.get("CASELAW_WHO") or getpass.getuser()
    except (KeyError, OSError):  # an account without a name
        return f"uid {os.getuid()}"


def _path(place: DataDir) -> Path:
    return place.ledger / "holdout_openings.jsonl"
