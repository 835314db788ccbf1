"""Files of lines, cut at line breaks: shares for several processes, and whole lines alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise, repeat
from pathlib import Path
from typing import BinaryIO

import orjson

from pipeline.ingest.source import Source, Unreadable

__all__ = ["holds_lines", "last_line_break", "shares_of"]

_SHARE = 64 * 2**20  # bytes that one process reads at a time
_LEFT = 4  # shares that what is left is cut into: no process waits long for another's last one


def holds_lines(source: Source) -> bool:
    """Whether every line is a record of its own: the first one is a whole JSON object.

    Where the first is broken, the next ones tell: whole objects, and not what an unfinished list
    in the first line would go on with.
    """
    second = third = b""
    with source.open() as handle:
        lines = _filled(handle, source.largest_record)
        first = next(lines)
        with suppress(Unreadable):  # damage further on is for the reader to tell
            if first.startswith(b"{") and not _is_object(first):
                second, third = next(lines), next(lines)
    if first.startswith(b"[") or _is_object(first):
        return _is_object(first)
    if not first.startswith(b"{") or first == b"{":
        return False
    goes_on = first.endswith((b"[", b"{", b",", b":"))
    follows = _is_object(second) and (not goes_on or _is_object(third))
    return follows or first.endswith(b"}")


def _filled(handle: BinaryIO, largest: int) -> Iterator[bytes]:
    """The lines that are not blank, without the white space around them; then nothing for ever."""
    mark = b"\xef\xbb\xbf"
    while line := handle.readline(largest):
        if line := line.removeprefix(mark).strip():
            yield line
    yield from repeat(b"")


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def last_line_break(path: Path, size: int | None = None) -> int | None:
    """Where the last whole line of a file (of its first `size` bytes) ends, if something follows.

    None where nothing does, and where there is no line break at all.
    """
    size = path.stat().st_size if size is None else size
    with path.open("rb") as handle:
        at = size
        while at > 0:
            begin = max(at - 2**20, 0)
            handle.seek(begin)
            found = handle.read(at - begin).rfind(b"\n")
            if found >= 0:
                return None if begin + found + 1 == size else begin + found + 1
            at = begin
    return None


def shares_of(source: Source) -> list[Source]:
    """Cut a plain file of lines into shares that end at a line break."""
    size = source.path.stat().st_size if source.stop is None else source.stop
    if source.compression is not None or size <= _SHARE or not holds_lines(source):
        return [source]
    borders, least = [0], _SHARE // 4
    with source.path.open("rb") as handle:
        while (left := size - borders[-1]) > least:
            handle.seek(borders[-1] + min(_SHARE, max(left // _LEFT, least)))
            handle.readline()
            borders.append(min(handle.tell(), size))
    borders += [size] if borders[-1] < size else []
    return [replace(source, start=start, stop=stop) for start, stop in pairwise(borders)]
