"""Says what went wrong without a word of any trace: for logs, for Dagster and for a terminal."""

from __future__ import annotations

import re
import traceback
from pathlib import Path
from typing import Final

from pipeline.os_errors import remedy

__all__ = ["SHOW_ERRORS", "tell_error"]

SHOW_ERRORS: Final = "CASELAW_SHOW_ERRORS"
"""Environment variable: 1 lets an unforeseen exception through as Python prints it."""

_ROOT: Final = Path(__file__).resolve().parent.parent
_OURS: Final = ("pipeline.", "assets.", "resources.")
# The name that somebody gave to a file they landed may be a customer's; who runs a command is told.
_NAMED_FILE: Final = re.compile(
    r"(?<=landing index: ).+(?= (?:could not be read|was changed|was removed))", re.DOTALL
)


def tell_error(error: BaseException) -> str:
    """Say what failed and why; of what nobody foresaw its type and the place in our code alone.

    The messages of our own errors hold ids and counts and are passed on; so are those of the
    operating system. A library's message may quote the value it stumbled over.
    """
    if type(error).__module__.startswith(_OURS):
        return _NAMED_FILE.sub("a file", str(error))
    if isinstance(error, OSError) and error.errno is not None:
        landed = "landing" in Path(str(error.filename)).parts
        file = "a file in landing" if landed else error.filename
        todo = "" if landed else remedy(error)
        return f"{error.strerror} ({file}) {_place(error)}{f'. {todo}' if todo else ''}"
    if isinstance(error, MemoryError):
        return (
            f"there was not enough memory for it {_place(error)}. What was published before stays "
            "as it was. Run it with fewer processes (PARALLEL=1), on fewer files or days at a "
            "time, or with more memory"
        )
    return (
        f"{type(error).__name__} {_place(error)}. Its own words are withheld, for they "
        "may quote a trace. What was published before stays as it was. Set "
        f"{SHOW_ERRORS}=1 to let them through, in a data directory of your own, and run it again"
    )


def _place(error: BaseException) -> str:
    """The innermost line of ours that the error passed through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [
        f for f in frames if Path(f.filename).is_relative_to(_ROOT) and ".venv" not in f.filename
    ]
    if not ours:
        return ""
    last = ours[-1]
    return f"in {Path(last.filename).relative_to(_ROOT)}, line {last.lineno} ({last.name})"
