"""Where they may still stand once all is erased: half-written files, and what no reader reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Set
from contextlib import suppress
from pathlib import Path

import orjson

from pipeline.datadir import DataDir
from pipeline.files import leftovers
from pipeline.ingest.id_words import stands_in
from pipeline.ingest.landing import lying_files, plain_name
from pipeline.ingest.source import Source, Unreadable
from pipeline.ingest.suppression import Suppression

__all__ = ["led_to", "still_named", "sweep_leftovers"]

_CHUNK = 8 * 2**20
_OVERLAP = 4096  # bytes: an id may lie across two chunks


def sweep_leftovers(*folders: Path) -> None:
    """Remove what killed processes had half written, wherever it lies."""
    for folder in folders:
        for left in leftovers(folder):
            left.unlink(missing_ok=True)


def led_to(place: DataDir) -> list[Path]:
    """The files elsewhere that links in landing lead to: a link is erased, not what it leads to."""
    return [path.resolve() for path in lying_files(place) if path.is_symlink()]


def still_named(
    place: DataDir, listed: Suppression, elsewhere: Iterable[Path], rewritten: Set[Path]
) -> list[str]:
    """Files in which an id of theirs stands by itself: others' words, or what no reader reads.

    Archives and Parquet are not looked into: where their reader finds nothing, there is nothing.

    Args:
        place: the data directory; hidden files in landing count.
        listed: with the ids as the application writes them.
        elsewhere: see `led_to`.
        rewritten: files that would be rewritten were this no dry run, so they are not looked into.
    """
    shown = {one: orjson.dumps(one).decode()[1:-1] for one in listed.spoken}
    ids = {*shown, *shown.values()}
    in_landing = {path for path in place.landing.rglob("*") if path.is_file()}
    found = (path for path in sorted({*in_landing, *elsewhere} - rewritten) if _names(path, ids))
    return [_told(path, listed) for path in found]


def _names(path: Path, ids: Collection[str]) -> bool:
    needles = [one.encode() for one in ids]
    for chunk in _chunks(path):
        if any(needle in chunk for needle in needles):
            text = chunk.decode("utf-8", "replace")
            if any(stands_in(one, text) for one in ids):
                return True
    return False


def _chunks(path: Path) -> Iterator[bytes]:
    before = b""
    with suppress(Unreadable, OSError), Source(path).open() as handle:
        while chunk := handle.read(_CHUNK):
            yield before + chunk
            before = chunk[-_OVERLAP:]


def _told(path: Path, listed: Suppression) -> str:
    name = plain_name(path)
    return (
        f"{plain_name(path.parent)}: a file named after them"
        if listed.found_in_name(name)
        else name
    )
