"""Takes records out of a file that holds others', whatever the format: halve, look, halve again.

No format is taken apart by rules of its own. A file is a list of pieces (lines, rows, elements,
fields) that can be put together again; a reader tells whose records a few of them hold. Pieces that
hold none of theirs stay byte for byte, and a piece that holds both is opened into finer ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from pipeline.erasure.telling import Look

__all__ = ["Inseparable", "Join", "Opened", "json_pieces", "open_json", "open_line", "sift"]

Join = Callable[[Sequence[Any]], Any]
Opened = tuple[list[Any], Join]
"""The finer pieces of one, and what puts some of them together to one again."""


class Inseparable(Exception):
    """One piece holds records of both, and cannot be opened."""


def sift(
    pieces: Sequence[Any], join: Join, opened: Callable[[Any], Opened | None], look: Look
) -> list[Any]:
    """The pieces without those that hold a record of theirs.

    Args:
        pieces: in order.
        join: makes a whole file's content of some of them.
        opened: the finer pieces of one, or None.
        look: tells whose records a content holds.

    Raises:
        Inseparable: a piece holds records of both and has no finer ones.
    """
    if not pieces:
        return []
    told = look(join(pieces))
    if not told.theirs:
        return list(pieces)
    if len(pieces) > 1:
        half = len(pieces) // 2
        return sift(pieces[:half], join, opened, look) + sift(pieces[half:], join, opened, look)
    if not told.others:
        return []
    finer = opened(pieces[0])
    if finer is None:
        raise Inseparable
    inner, again = finer
    kept = sift(inner, lambda some: join([again(some)]), opened, look)
    if len(kept) == len(inner) and all(a is b for a, b in zip(kept, inner, strict=True)):
        raise Inseparable  # only together do they make the record
    return [again(kept)] if kept else []


def json_pieces(value: Any) -> Opened | None:
    """The elements of a list, or those of the lists of objects right below an object's keys."""
    if isinstance(value, list):
        return [(None, one) for one in value], lambda some: [one for _, one in some]
    if not isinstance(value, dict):
        return None
    lists = {
        key: below
        for key, below in value.items()
        if isinstance(below, list) and below and all(isinstance(one, dict) for one in below)
    }
    if not lists:
        return None

    def again(some: Sequence[Any]) -> dict[str, Any]:
        kept: dict[str, list[Any]] = {key: [] for key in lists}
        for key, one in some:
            kept[key].append(one)
        return value | kept

    return [(key, one) for key, below in lists.items() for one in below], again


def open_json(piece: Any) -> Opened | None:
    """Open an element of `json_pieces`."""
    key, value = piece
    found = json_pieces(value)
    if found is None:
        return None
    inner, again = found
    return inner, lambda some: (key, again(some))


def open_line(piece: Any) -> Opened | None:
    """Open a line that holds one JSON value; what is inside is opened as JSON."""
    if not isinstance(piece, bytes):
        return open_json(piece)
    try:
        found = json_pieces(orjson.loads(piece))
    except orjson.JSONDecodeError:
        return None
    if found is None:
        return None
    inner, again = found
    return inner, lambda some: orjson.dumps(again(some)) + b"\n"
