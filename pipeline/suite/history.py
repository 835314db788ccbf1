"""The suite's file as a git repository remembers it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from pipeline.suite.file import SuiteFileError

__all__ = ["NoSuchRevision", "text_at"]

_PATIENCE = 60  # seconds


class NoSuchRevision(ValueError):
    """The file lies in no repository, or has no such revision."""


def text_at(path: Path, revision: str) -> str | None:
    """The file's text at a revision; None where it was not there yet.

    Raises:
        NoSuchRevision: naming the revision and the folder.
        SuiteFileError: it was no text then.
    """
    path = path.resolve()
    if not path.parent.is_dir() or _git(path.parent, "rev-parse", "--git-dir") is None:
        raise NoSuchRevision(f"{path.parent} lies in no git repository")
    commit = _git(path.parent, "rev-parse", "--verify", "--quiet", "--end-of-options",
                  f"{revision}^{{commit}}")  # fmt: skip
    if commit is None:
        raise NoSuchRevision(f"no revision {revision!r} in the repository of {path.parent}")
    shown = _git(path.parent, "show", f"{commit.decode().strip()}:./{path.name}")
    try:
        return None if shown is None else shown.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise SuiteFileError("it is not UTF-8", f"{path} at {revision}") from None


def _git(folder: Path, *arguments: str) -> bytes | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True, check=False, timeout=_PATIENCE,
        )  # fmt: skip
    except FileNotFoundError:
        raise NoSuchRevision("git is not installed") from None
    except subprocess.TimeoutExpired:
        raise NoSuchRevision(f"git gave no answer about {folder} in {_PATIENCE} s") from None
    return done.stdout if done.returncode == 0 else None
