"""Turns whatever went wrong into a message that Dagster may store: no text of any trace."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from pipeline.grading import PendingCalls
from pipeline.os_errors import remedy

__all__ = ["SHOW_ERRORS", "clear_errors", "explain"]

SHOW_ERRORS = "CASELAW_SHOW_ERRORS"
_ROOT = Path(__file__).resolve().parent.parent
# The name that somebody gave to a file they landed may be a customer's; who runs a command is told.
_NAMED_FILE = re.compile(
    r"(?<=landing index: ).+(?= (?:could not be read|was changed|was removed))", re.DOTALL
)
_OURS = ("pipeline.", "assets.", "resources.")


def explain(where: str, error: Exception, again: Callable[[], str] | None = None) -> str:
    """Say what failed, why, and what to do.

    The messages of our own errors hold ids and counts and are passed on; so are those of the
    operating system. A library's message may quote the value it stumbled over, so of those only
    the type and the place are told: Dagster keeps its event log for ever and shows it to all.

    Args:
        where: asset and partition.
        error: what was raised.
        again: gives the command that resumes where calls of a judge are pending.
    """
    if isinstance(error, PendingCalls) and again:
        return f"{where}: {error}: {again()}"
    if type(error).__module__.startswith(_OURS):
        return f"{where}: {_NAMED_FILE.sub('a file', str(error))}"
    if isinstance(error, OSError) and error.errno is not None:
        landed = "landing" in Path(str(error.filename)).parts
        file = "a file in landing" if landed else error.filename
        todo = "" if landed else remedy(error)
        return f"{where}: {error.strerror} ({file}) {_place(error)}{f'. {todo}' if todo else ''}"
    if isinstance(error, MemoryError):
        return (
            f"{where}: there was not enough memory for it {_place(error)}. What was published "
            "before stays as it was. Run it with fewer processes (PARALLEL=1), or with more memory"
        )
    return (
        f"{where}: {type(error).__name__} {_place(error)}. Its own words are withheld, for they "
        "may quote a trace. What was published before stays as it was. Set "
        f"{SHOW_ERRORS}=1 to let them through, in a data directory of your own, and run it again"
    )


@contextmanager
def clear_errors(
    where: Callable[[], str], again: Callable[[], str] | None = None
) -> Iterator[None]:
    """Replace whatever is raised inside by a Dagster failure that says what `explain` says.

    Raises:
        dg.Failure: without cause or context, and not retried: the same inputs fail again.
    """
    try:
        yield
    except Exception as error:
        if os.environ.get(SHOW_ERRORS) == "1":
            raise
        raise dg.Failure(explain(where(), error, again), allow_retries=False) from None


def _place(error: Exception) -> str:
    """The innermost line of ours that the error passed through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [
        f for f in frames if Path(f.filename).is_relative_to(_ROOT) and ".venv" not in f.filename
    ]
    if not ours:
        return ""
    last = ours[-1]
    return f"in {Path(last.filename).relative_to(_ROOT)}, line {last.lineno} ({last.name})"
