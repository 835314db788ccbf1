"""The suite's files on disk: read as bytes, swapped in only over what was read.

A person's editor, a merge in the agent's repository and two runs of ours may write at any time.
Whoever writes compares right before the swap, and leaves what has changed meanwhile.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.files import is_alive, make_directory, replace_file
from pipeline.suite.file import (
    SuiteFileError,
    parse_suite,
    read_preamble,
    read_tombstones,
    render_suite,
)

__all__ = [
    "BY_HAND",
    "FROM_PROD",
    "SuiteEdited",
    "SuiteText",
    "read_cases",
    "read_text",
    "replace_cases",
    "replace_text",
]

FROM_PROD = "cases_from_prod.yaml"
BY_HAND = "cases_by_hand.yaml"

_LARGEST = 64 * 2**20  # bytes: some 10,000 cases
_MODE = 0o644


class SuiteEdited(RuntimeError):
    """Somebody saved the suite while it was being worked on; theirs was left as it is."""


@dataclass(frozen=True)
class SuiteText:
    """A file as it was read: `raw` is None where there was none; `text` is without BOM or CR."""

    path: Path
    raw: bytes | None
    text: str | None


def read_text(path: Path) -> SuiteText:
    """Read a suite's file.

    Raises:
        SuiteFileError: it is no file, too large, or not UTF-8; the file is left untouched.
    """
    try:
        path = path.resolve()  # a link stays a link: what it leads to is replaced
        if path.exists() and not path.is_file():
            raise SuiteFileError("it is no file", path)
        if path.exists() and path.stat().st_size > _LARGEST:
            size = path.stat().st_size >> 20
            raise SuiteFileError(
                f"{size} MB, more than the {_LARGEST >> 20} MB that are read", path
            )
        raw = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return SuiteText(path, None, None)
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a ring
        why = error.strerror if isinstance(error, OSError) else "links that lead in a ring"
        raise SuiteFileError(f"it cannot be opened: {why}", path) from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise SuiteFileError(f"line {line}: not UTF-8", path) from None
    return SuiteText(path, raw, text.replace("\r\n", "\n"))


def read_cases(path: Path) -> dict[str, dict[str, Any]]:
    """Read the cases of a file by id; no file: no cases.

    Raises:
        SuiteFileError: naming the file by its path.
    """
    found = read_text(path)
    try:
        return parse_suite(found.text)
    except SuiteFileError as error:
        raise error.at(found.path) from None


def replace_text(before: SuiteText, text: str, again: str) -> bool:
    """Swap `text` in, unless somebody saved the file since it was read.

    Args:
        before: the file as it was read.
        text: what it shall hold; the same as before leaves the file alone.
        again: the command that tries again.

    Returns:
        Whether the file changed.

    Raises:
        SuiteEdited: somebody did; nothing of theirs was lost.
        OSError: the folder cannot be written to.
    """
    if before.raw is not None and text == before.text:
        return False
    path = before.path
    make_directory(path.parent, private=False)
    mode = path.stat().st_mode & 0o777 if path.exists() else _MODE

    def require_unchanged() -> None:
        if (path.read_bytes() if path.exists() else None) != before.raw:
            raise SuiteEdited(
                f"{path} was saved by somebody else meanwhile; it was left as it is. Run: {again}"
            )

    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # of two runs of ours none swaps after the other looked
        require_unchanged()
        for left in path.parent.glob(f".{path.name}.*.tmp"):  # of a run that was killed
            writer = left.name.split(".")[-3]
            if writer.isdigit() and not is_alive(int(writer)):
                left.unlink(missing_ok=True)
        with replace_file(path, mode, before_swap=require_unchanged) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    finally:
        os.close(folder)
    return True


def replace_cases(before: SuiteText, cases: Sequence[Mapping[str, Any]], again: str) -> bool:
    """Swap in other cases; tombstones and the comments on top stay. See `replace_text`."""
    text = render_suite(cases, read_tombstones(before.text), read_preamble(before.text))
    return replace_text(before, text, again)
