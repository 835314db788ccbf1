"""Cut texts into the pieces that the name detector reads and remembers."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["segments"]

_WINDOW: Final = 480  # characters: the context the model detects best in
_LETTERS: Final = re.compile(r"[^\W\d_]{2}")
_OVERLAP: Final = 96


def segments(text: str) -> list[tuple[int, str]]:
    """Cut `text` into (offset, piece): lines, and windows that overlap where a line is long.

    A line is what repeats between conversations, so lines are what is remembered. Windows cut
    at white space and overlap by more than an entity is long, so each is whole in one of them.
    """
    pieces = []
    for match in re.finditer(r"[^\r\n\u2028\u2029]+", text):
        line = match[0].strip()
        if not _LETTERS.search(line):
            continue
        base = match.start() + match[0].index(line)
        start = 0
        while len(line) - start > _WINDOW:
            end = line.rfind(" ", start + _WINDOW // 2, start + _WINDOW)
            end = end if end > 0 else start + _WINDOW
            pieces.append((base + start, line[start:end]))
            back = line.find(" ", end - _OVERLAP, end)
            start = back + 1 if back >= 0 else end - _OVERLAP
        pieces.append((base + start, line[start:]))
    return pieces
