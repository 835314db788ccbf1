"""Turns whatever went wrong into a message that Dagster may store: no text of any trace."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dagster as dg

from pipeline.errors import SHOW_ERRORS, tell_error
from pipeline.grading import PendingCalls

__all__ = ["clear_errors", "explain"]


def explain(where: str, error: Exception, again: Callable[[], str] | None = None) -> str:
    """Say what failed, why, and what to do: Dagster keeps its event log for ever and shows it.

    Args:
        where: asset and partition.
        error: what was raised.
        again: gives the command that resumes where calls of a judge are pending.
    """
    if isinstance(error, PendingCalls) and again:
        return f"{where}: {error}: {again()}"
    return f"{where}: {tell_error(error)}"


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
