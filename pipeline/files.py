"""Files that are whole or not there: written aside and swapped in, leftovers collected."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = [
    "is_alive",
    "keep_private",
    "leftovers",
    "make_directory",
    "replace_file",
    "sha256",
    "sweep",
    "sync_directory",
]


_TEMPORARY = re.compile(r"\..+\.(\d+)\.[0-9a-f]{8}\.tmp")  # as replace_file names them


def keep_private() -> None:
    """Have this process, and those it starts, make files for its owner alone: umask 077.

    What is for others to read (the lake, the warehouse, reports, the suite) says so itself.
    """
    os.umask(0o077)


@contextmanager
def replace_file(
    path: Path,
    mode: int = 0o644,
    *,
    durable: bool = True,
    before_swap: Callable[[], None] | None = None,
) -> Iterator[Path]:
    """Write aside, then swap in: a reader, or a kill, sees the old file or the new, never half.

    Yields a path in the same directory whose name starts with a dot and ends in `.tmp`; on
    success it is fsynced and renamed to `path`, on failure removed. What can be made again need
    not be `durable`: it is not fsynced, and may be torn after a power cut. Until then it is its
    owner's alone, whatever the umask. What `before_swap` raises, right before, calls it off.
    """
    temporary = path.parent / f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp"
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        yield temporary
        os.chmod(temporary, mode)
        if durable:
            with open(temporary, "rb+") as handle:
                os.fsync(handle.fileno())
        if before_swap is not None:
            before_swap()
        os.replace(temporary, path)
        if durable:
            sync_directory(path.parent)
    except OSError as error:
        if error.errno is not None and error.filename is None:  # of a write that found no room
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise
    finally:
        temporary.unlink(missing_ok=True)


def sha256(path: Path, stop: int | None = None) -> str:
    """The SHA-256 of a file's bytes, or of its first `stop` ones, hexadecimal."""
    with open(path, "rb") as handle:
        if stop is None:
            return hashlib.file_digest(handle, "sha256").hexdigest()
        found = hashlib.sha256()
        while chunk := handle.read(min(stop - handle.tell(), 1 << 20)):
            found.update(chunk)
        return found.hexdigest()


def make_directory(folder: Path, *, private: bool) -> None:
    """Make `folder`, so that its name survives a crash; a private one is its owner's alone.

    What is made on the way to it, and one that is not private, may be entered by all: the umask
    does not count. Folders that were there are left as somebody chose to have them.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in reversed(made):
        path.chmod(0o755)
        sync_directory(path.parent)
    if private:
        folder.chmod(0o700)


def sweep(folder: Path) -> None:
    """Remove temporary files that a killed process left: those whose process is gone."""
    for leftover in folder.glob(".*.tmp"):
        pid = leftover.name.split(".")[-3]
        if not (pid.isdigit() and is_alive(int(pid))):
            leftover.unlink(missing_ok=True)


def leftovers(folder: Path) -> Iterator[Path]:
    """Temporary files of ours at any depth whose process is gone; what others named is theirs."""
    for left in folder.rglob(".*.tmp"):
        if (made := _TEMPORARY.fullmatch(left.name)) and not is_alive(int(made[1])):
            yield left


def is_alive(pid: int) -> bool:
    """Whether a process of this id runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def sync_directory(folder: Path) -> None:
    """Make the names in `folder` survive a crash."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
