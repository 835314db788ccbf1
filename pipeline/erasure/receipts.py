"""The receipt of an erasure, and the notes of one that is not finished: neither names anybody."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from pipeline.datadir import DataDir
from pipeline.files import make_directory, replace_file
from pipeline.ids import digest

__all__ = ["Line", "NotesBroken", "Receipt", "finish", "note", "open_receipt"]


class NotesBroken(RuntimeError):
    """What an interrupted erasure wrote down cannot be read."""


class Line(msgspec.Struct, frozen=True):
    """What left one place: a table, landing, the judge's ledger, ..."""

    where: str
    dropped: int
    changed: int = 0
    parts: int = 0
    """Partitions or files."""


class Receipt(msgspec.Struct):
    """What was erased, in numbers; `digest` is HMAC-SHA256 of the id under the content key."""

    receipt: str
    kind: str
    digest: str
    erased_on: str
    conversations: int = 0
    days: list[str] = []
    erased: list[Line] = []
    cases: list[str] = []
    removed_whole: dict[str, int] = {}
    """Landing files that could not be rewritten for certain, and the records of others in them."""
    left_to_people: list[str] = []
    interrupted: int = 0
    replaced: dict[str, str] = {}
    """Landing files by their digest, before and after; kept until the erasure is finished."""

    def add(self, lines: list[Line]) -> None:
        """Add what left; what an interrupted erasure had written down counts too."""
        for line in lines:
            before = next((one for one in self.erased if one.where == line.where), None)
            if before is None:
                self.erased.append(line)
            else:
                self.erased[self.erased.index(before)] = Line(
                    line.where,
                    before.dropped + line.dropped,
                    before.changed + line.changed,
                    before.parts + line.parts,
                )


def open_receipt(place: DataDir, name: str) -> Receipt:
    """The receipt of an erasure that was interrupted, else a new one.

    Args:
        place: the data directory.
        name: "kind:digest" of the person on the list.

    Raises:
        NotesBroken: the interrupted one's notes cannot be read.
    """
    kind, _, keyed = name.partition(":")
    path = _unfinished(place, keyed)
    if path.exists():
        try:
            receipt = msgspec.json.decode(path.read_bytes(), type=Receipt)
        except msgspec.MsgspecError:
            raise NotesBroken(
                f"{path} cannot be read: it counted what an interrupted erasure had done; nothing "
                "was changed. Put it back from a backup, or remove it and run the same again: then "
                "the receipt counts only what is left"
            ) from None
        receipt.interrupted += 1
        return receipt
    now = datetime.now(UTC)
    made = f"erasure-{now:%Y%m%d}-{digest(name, now.isoformat(), size=5)}"
    return Receipt(made, kind, keyed, now.date().isoformat())


def note(place: DataDir, receipt: Receipt) -> None:
    """Write down how far it has come, so that the same command goes on after a kill."""
    make_directory(place.privacy, private=True)
    _write(_unfinished(place, receipt.digest), receipt)


def finish(place: DataDir, receipt: Receipt) -> Path:
    """Write the receipt; the notes of it go."""
    make_directory(place.receipts, private=True)
    path = place.receipts / f"{receipt.receipt}.json"
    receipt.replaced = {}
    _write(path, receipt)
    _unfinished(place, receipt.digest).unlink(missing_ok=True)
    return path


def _unfinished(place: DataDir, keyed: str) -> Path:
    return place.privacy / f"unfinished-{keyed[:16]}.json"


def _write(path: Path, receipt: Receipt) -> None:
    body: dict[str, Any] = msgspec.to_builtins(receipt)
    shown = {name: value for name, value in body.items() if value not in ({}, [])}
    with replace_file(path, 0o600) as temporary:
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(shown)) + b"\n")
