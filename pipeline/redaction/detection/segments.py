"""Cut texts into the pieces that the name detector reads and remembers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

__all__ = ["blank_blobs", "chunks", "segments"]

_WINDOW: Final = 480  # characters: the context the model detects best in
_LETTERS: Final = re.compile(r"[^\W\d_]{2}")
_BLOB: Final = re.compile(r"[A-Za-z0-9+/=_\-]{512,}")  # an image or a key: no one's name or phone
_BREAK: Final = re.compile(rf"[\r\n\u2028\u2029]+|{_BLOB.pattern}")
_OVERLAP: Final = 96
_CHUNK: Final = 200_000
_CHUNKS_SHARE: Final = 24_000  # characters; the longest pattern, a PEM block, spans 20,000


def chunks(text: str) -> list[tuple[int, str]]:
    """Cut a long text into (offset, chunk) that overlap by more than an entity is long.

    Chunks begin and end at white space where there is any: half a number looks like another.
    """
    parts, start = [], 0
    while len(text) - start > _CHUNK + _CHUNKS_SHARE:
        end = _blank_before(text, start + _CHUNK)
        parts.append((start, text[start:end]))
        start = _blank_before(text, end - _CHUNKS_SHARE)
    parts.append((start, text[start:]))
    return parts


def _blank_before(text: str, end: int) -> int:
    blank = max(text.rfind(mark, end - _WINDOW, end) for mark in " \n\t")
    return blank if blank > 0 else end


def blank_blobs(text: str) -> str:
    """Return `text` with blanks for images and keys, at which slow detectors would stare."""
    return _BLOB.sub(lambda match: " " * len(match[0]), text)


def segments(text: str) -> list[tuple[int, str]]:
    """Cut `text` into (offset, piece): lines, and windows that overlap where a line is long.

    A line is what repeats between conversations, so lines are what is remembered. Windows cut
    at white space and overlap by more than an entity is long, so each is whole in one of them.
    """
    pieces = []
    for base, line in _lines(text):
        start = 0
        while len(line) - start > _WINDOW:
            end = line.rfind(" ", start + _WINDOW // 2, start + _WINDOW)
            end = end if end > 0 else start + _WINDOW
            pieces.append((base + start, line[start:end]))
            back = line.find(" ", end - _OVERLAP, end)
            start = back + 1 if back >= 0 else end - _OVERLAP
        pieces.append((base + start, line[start:]))
    return pieces


def _lines(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for end, after in [*((m.start(), m.end()) for m in _BREAK.finditer(text)), (len(text), 0)]:
        raw = text[start:end]
        line = raw.strip()
        if _LETTERS.search(line):
            yield start + raw.index(line), line
        start = after
