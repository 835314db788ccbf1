"""Lines that are on disk before anyone is told so: appended by one thread, many to an fsync."""

from __future__ import annotations

import fcntl
import json
import os
import queue
import re
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.files import make_directory, sync_directory
from pipeline.receiver.otlp import LARGEST_LINE

__all__ = ["Journal", "NotKept"]

_ROLL_BYTES = 256 * 2**20
_GROUP_BYTES = 32 * 2**20
_OWN_NAME = re.compile(r"otlp-[0-9]{8}T[0-9]{2}-[0-9]{3,}\.jsonl")


class NotKept(Exception):
    """Lines could not be written; the files are as if they had never come."""


@dataclass
class _File:
    path: Path
    handle: int
    size: int = 0  # bytes that are whole lines, on disk


class Journal:
    """Appends to `otlp-<UTC hour>-<n>.jsonl` in a folder, files 0600, a new one an hour or size.

    While one group of lines is being synced the next one gathers, so that requests at the same
    time share an fsync. A journal writes only to files that it made (O_EXCL) and holds locked:
    any number of processes may share the folder.
    """

    def __init__(
        self,
        folder: Path,
        *,
        roll_bytes: int = _ROLL_BYTES,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._folder = folder
        self._roll_bytes = roll_bytes
        self._now = now
        self._waiting: queue.Queue[tuple[bytes, Future[None]] | None] = queue.Queue()
        self._file: _File | None = None
        make_directory(folder, private=True)
        _cut_torn_lines(folder)
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def append(self, lines: bytes) -> Future[None]:
        """Append whole lines; the future is done once they are on disk.

        Raises:
            NotKept: (from the future) they are not, say since the disk is full.
        """
        done: Future[None] = Future()
        done.set_running_or_notify_cancel()  # from here on nobody can cancel it
        self._waiting.put((lines, done))
        return done

    def close(self) -> None:
        """Write what waits, then stop."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        group: list[tuple[bytes, Future[None]]] = []
        ended = False
        while not ended:
            item = self._waiting.get()
            while item is not None:
                group.append(item)
                if sum(len(lines) for lines, _ in group) >= _GROUP_BYTES:
                    break
                try:
                    item = self._waiting.get_nowait()
                except queue.Empty:
                    break
            ended = item is None
            if group:
                self._commit(group)
            group = []
        self._shut()

    def _commit(self, group: list[tuple[bytes, Future[None]]]) -> None:
        try:
            self._write(b"".join(lines for lines, _ in group))
        except OSError as error:
            with suppress(OSError):
                self._undo()
            for _, done in group:
                done.set_exception(NotKept(error.strerror or type(error).__name__))
        else:
            for _, done in group:
                done.set_result(None)

    def _write(self, lines: bytes) -> None:
        file = self._current()
        rest = memoryview(lines)
        while rest:
            rest = rest[os.write(file.handle, rest) :]
        os.fsync(file.handle)
        file.size += len(lines)

    def _current(self) -> _File:
        """The open file, or a new one where the hour is another or the size is reached."""
        hour = f"otlp-{self._now():%Y%m%dT%H}-"
        file = self._file
        if (
            file
            and file.path.name.startswith(hour)
            and file.size < self._roll_bytes
            and _linked(file.handle)
        ):
            return file
        self._shut()
        make_directory(self._folder, private=True)
        number = 0
        while self._file is None:
            path = self._folder / f"{hour}{number:03}.jsonl"
            number += 1
            with suppress(FileExistsError):
                handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_WRONLY, 0o600)
                fcntl.flock(handle, fcntl.LOCK_EX)
                self._file = _File(path, handle)
                # A receiver that starts may have taken it for a leftover before it was locked.
                if not _linked(handle):
                    self._shut()
        sync_directory(self._folder)
        return self._file

    def _undo(self) -> None:
        """Cut what was half written; a file that cannot be cut is not written to again."""
        file = self._file
        if file is None:
            return
        try:
            os.ftruncate(file.handle, file.size)
        except OSError:
            self._shut()
        else:
            if file.size == 0:
                file.path.unlink(missing_ok=True)
                self._shut()

    def _shut(self) -> None:
        if self._file:
            os.close(self._file.handle)
            self._file = None


def _linked(handle: int) -> bool:
    """Whether the open file still has a name: lines in one that was removed would be lost."""
    return os.fstat(handle).st_nlink > 0


def _cut_torn_lines(folder: Path) -> None:
    """Cut the half lines that killed receivers left behind: nobody was told that they are kept.

    People put files of their own into landing: what is not named as a journal names its files, is
    a link, or ends in more than a line may hold, was written by somebody else and stays as it is.
    """
    for path in sorted(folder.iterdir()):
        if _OWN_NAME.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            # Another receiver is writing to it, or it is not ours to write to.
            with suppress(OSError), path.open("rb+", buffering=0) as handle:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _mend_end(path, handle.fileno())


def _mend_end(path: Path, handle: int) -> None:
    size, end = os.fstat(handle).st_size, _whole_lines(handle)
    if size - end > LARGEST_LINE:
        return
    if size > end and _is_json(os.pread(handle, size - end, end)):
        # Only its line feed is missing: half of an object never parses.
        os.pwrite(handle, b"\n", size)
        os.fsync(handle)
    elif end == 0:
        path.unlink()
    elif end < size:
        os.ftruncate(handle, end)


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line.decode("utf-8", "replace"))  # as loosely as requests are read
    except (ValueError, RecursionError):
        return False
    return True


def _whole_lines(handle: int) -> int:
    """The size of a file up to and with its last line feed."""
    end = os.fstat(handle).st_size
    while end > 0:
        start = max(end - (1 << 20), 0)
        found = os.pread(handle, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
