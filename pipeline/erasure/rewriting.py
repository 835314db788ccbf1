"""One landing file without those who are erased: rewritten if that is certain, else removed whole.

Certain means that the file's own reader finds, before and after, the same records of everybody
else and afterwards none of theirs.
"""

from __future__ import annotations

import fcntl
import gzip
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import zstandard

from pipeline.erasure.layouts import layouts_of
from pipeline.erasure.sifting import Inseparable, sift
from pipeline.erasure.telling import Speakers, Told, look_at, looker
from pipeline.files import replace_file, sha256
from pipeline.ingest.readers import LineReader, Reader, choose_reader
from pipeline.ingest.source import Source, Unreadable

__all__ = ["BeingWritten", "Outcome", "rewrite"]

_UNSURE = (Inseparable, Unreadable, ValueError, KeyError, TypeError, RecursionError, IndexError,
           MemoryError, OverflowError)  # fmt: skip


_NOTHING = Told(0, 0, 0)


class _Unsure(Exception):
    """A file cannot be rewritten for certain."""


class BeingWritten(RuntimeError):
    """Another process writes to the file: what it adds meanwhile would be lost."""


@dataclass(frozen=True)
class Outcome:
    """What became of a file.

    `removed` held nothing else; `removed_whole` did, but could not be rewritten for certain: then
    `others` records of other people went with it.
    """

    what: Literal["untouched", "rewritten", "removed", "removed_whole"]
    theirs: int = 0
    others: int = 0


def rewrite(
    path: Path,
    source: Source,
    speakers: Speakers,
    scratch: Path,
    before_swap: Callable[[str], None],
) -> Outcome:
    """Take their records out of a landing file, at one stroke; its time stays.

    Args:
        path: the file.
        source: the same, with its day and the size limit.
        speakers: those who are erased.
        scratch: a private folder.
        before_swap: told the new digest before the file has it, empty where it is removed.

    Raises:
        BeingWritten: a receiver has it open, or it changed meanwhile.
    """
    with _held(path) as unchanged:
        reader = _reader_of(source)
        told = look_at(reader, source, speakers) if reader else _search(path, speakers)
        if not told.theirs:
            return Outcome("untouched")
        if reader is not None and told.others:
            with suppress(_Unsure), replace_file(path, 0o600) as temporary:
                _write(source, temporary, reader, told, (speakers, scratch))
                stat = path.stat()
                os.utime(temporary, ns=(stat.st_atime_ns, stat.st_mtime_ns))
                unchanged()
                before_swap(sha256(temporary))
                return Outcome("rewritten", told.theirs)
        unchanged()
        before_swap("")
        path.unlink()
        if reader is not None and not told.others:
            return Outcome("removed", told.theirs)
        return Outcome("removed_whole", told.theirs, told.others)


def _search(path: Path, speakers: Speakers) -> Told:
    """What can be told of a file that no reader knows: whether an id of theirs stands in it."""
    return Told(len(speakers.listed.found_in_text(path.read_bytes())), 0, 0)


def _write(
    source: Source, target: Path, reader: Reader, told: Told, at: tuple[Speakers, Path]
) -> None:
    """Write the file without them.

    Raises:
        _Unsure: it cannot be told apart, or holds something else afterwards.
    """
    speakers, scratch = at
    look = looker(reader, scratch, source, speakers)
    by_lines = isinstance(reader, LineReader) and reader.lines(source) is not None
    try:
        with _compressed(target, source.compression) as out:
            for pieces, join, opened in layouts_of(source, by_lines):
                kept = sift(pieces, join, opened, look)
                whole = join(kept)
                _require_unnamed(pieces, kept, whole, speakers)
                if by_lines and [*map(id, kept)] != [*map(id, pieces)]:
                    after = look(whole) if kept else _NOTHING
                    _require(after, look(join(pieces)))
                out.write(whole)
        if not by_lines:  # only where each line stands alone is a stretch that was checked enough
            written = Source(target, source.day, source.largest_record)
            _require(look_at(reader, written, speakers), told)
    except _UNSURE as error:
        raise _Unsure from error


def _require_unnamed(
    before: Sequence[Any], kept: Sequence[Any], whole: bytes, speakers: Speakers
) -> None:
    """Refuse what was put together anew and still names them where no reader looks.

    Whole lines, rows and messages that stay are what others said: that is theirs to say.
    """
    same = {id(piece) for piece in before}
    anew = [piece for piece in kept if id(piece) not in same]
    texts = [piece if isinstance(piece, bytes) else whole for piece in anew]
    if isinstance(next(iter(before), None), tuple):  # the elements of one document
        texts = [whole]
    if any(speakers.listed.found_in_text(text) for text in texts):
        raise _Unsure


def _require(after: Told, before: Told) -> None:
    if after.theirs or after.seal != before.seal:
        raise _Unsure


def _reader_of(source: Source) -> Reader | None:
    with suppress(Unreadable):
        return choose_reader(source)
    return None


@contextmanager
def _compressed(target: Path, kind: str | None) -> Iterator[IO[bytes]]:
    """A file to write to, compressed as the one before was; equal content, equal bytes."""
    with target.open("wb") as raw:
        if kind == "gzip":
            with gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
                yield packed  # type: ignore[misc]
        elif kind == "zstd":
            with zstandard.ZstdCompressor().stream_writer(raw, closefd=False) as packed:
                yield packed
        else:
            yield raw


@contextmanager
def _held(path: Path) -> Iterator[Callable[[], None]]:
    """Hold a file as receivers do; yields what raises unless it is still as it was found."""
    was = path.stat()

    def unchanged() -> None:
        now = path.stat()
        if (now.st_ino, now.st_size, now.st_mtime_ns) != (
            was.st_ino, was.st_size, was.st_mtime_ns,
        ):  # fmt: skip
            raise BeingWritten

    with path.open("rb") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BeingWritten from None
        yield unchanged
