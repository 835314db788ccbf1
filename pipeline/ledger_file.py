"""What can be wrong with the file of the judge's ledger, whoever opens it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["LedgerBroken", "telling_of_ledger"]


class LedgerBroken(RuntimeError):
    """The ledger's file cannot be read or written; the message says why and what to do."""

    def __init__(self, path: Path, error: sqlite3.Error, kept: str) -> None:
        said = str(error)
        if "full" in said:
            cannot, then = "written", "Make room and run it again"
        elif "locked" in said:
            cannot, then = "used", "Another process holds it: run the same again once it has ended"
        elif "readonly" in said or "unable to open" in said:
            cannot, then = "used", f"Make it writable (chmod u+rwX {path.parent}) and run it again"
        else:
            cannot = "used"
            then = (
                "Put a copy of before back, or move the file away and run it again: what it kept "
                "is then asked and paid for once more"
            )
        super().__init__(f"judge: the ledger {path} cannot be {cannot} ({said}); {kept}. {then}")


@contextmanager
def telling_of_ledger(path: Path, kept: str) -> Iterator[None]:
    """Say what is wrong with the file, which no message of SQLite's names, and what was kept.

    Raises:
        LedgerBroken: in place of what SQLite raises.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise LedgerBroken(path, error, kept) from error
