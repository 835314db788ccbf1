"""Files of lines, cut at line breaks: shares for several processes, and whole lines alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import orjson

from pipeline.ingest.source import Source

__all__ = ["holds_lines", "last_line_break", "shares_of"]

_SHARE = 64 * 2**20  # bytes that one process reads at a time
_LEFT = 4  # shares that what is left is cut into: no process waits long for another's last one


def holds_lines(source: Source) -> bool:
    """Whether the first line is a whole JSON object: then every line is a record of its own."""
    with source.open() as handle:
        first = handle.readline(source.largest_record).removeprefix(b"\xef\xbb\xbf")
        while first and not first.strip():
            first = handle.readline(source.largest_record)
    first = first.strip()
    try:
        return isinstance(orjson.loads(first), dict)
    except orjson.JSONDecodeError:
        return first.startswith(b"{") and first != b"{" and first.endswith(b"}")


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
