"""What the operating system refused, in words: the path, what it takes, what to do."""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path

__all__ = ["describe", "remedy"]

_ROOM = (errno.ENOSPC, errno.EDQUOT)
_RIGHTS = (errno.EACCES, errno.EPERM)
_ASIDE = re.compile(r"\.(.+)\.\d+\.[0-9a-f]{8}\.tmp")  # as pipeline.files names them


def describe(error: OSError) -> str:
    """One sentence or two: the file, why, what was kept, and what to do about it.

    An error of our own that has no number is one already.
    """
    if error.errno is None:
        return str(error)
    path = _path(error)
    said = f"{path}: {error.strerror}" if path else str(error.strerror)
    todo = remedy(error)
    return f"{said}. {todo}" if todo else said


def remedy(error: OSError) -> str:
    """What to do about it; empty where only the error itself can tell."""
    if error.errno in _ROOM:
        return "What was there is as it was: make room, then run the same again"
    if error.errno == errno.EFBIG:
        return "What was there is as it was: raise the limit (ulimit -f), then run the same again"
    if error.errno == errno.EROFS:
        return (
            "The file system can only be read: mount it for writing, or name another data "
            "directory with --data or CASELAW_DATA"
        )
    named = _named(error)
    return _rights(named) if error.errno in _RIGHTS and named else ""


def _rights(path: Path) -> str:
    there = next((one for one in (path, *path.parents) if _exists(one)), path)
    while there != there.parent and not os.access(there.parent, os.X_OK):
        there = there.parent  # a directory on the way to it cannot be entered
    try:
        found = there.stat()
    except OSError:
        return f"This account has to be able to read and write {there}"
    mode = stat.S_IMODE(found.st_mode)
    needed = mode | (0o700 if there.is_dir() else 0o600)
    if found.st_uid != os.geteuid():
        return (
            f"{there} has mode {mode:04o} and belongs to account {found.st_uid}, not to this one "
            f"({os.geteuid()}): run as that one, or have it given to this one"
        )
    return (
        f"{there} has mode {mode:04o} and needs {needed:04o}: chmod u+rwX {there}, then run the "
        "same again"
    )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _path(error: OSError) -> Path | None:
    """The file that was meant, which a file written aside stands for."""
    path = _named(error)
    aside = _ASIDE.fullmatch(path.name) if path else None
    return path.with_name(aside[1]) if path and aside else path


def _named(error: OSError) -> Path | None:
    named = error.filename2 or error.filename
    named_so = isinstance(named, (str, bytes, os.PathLike))
    return Path(os.fsdecode(named)) if named_so else None
