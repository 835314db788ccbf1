"""What people type, and what is meant by it: traces, axes and modes, with suggestions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from pipeline.lake import MissingPartition
from pipeline.review.queue.items import Queue

__all__ = ["REST", "UnknownName", "find_axes", "find_by_beginning", "find_mode", "find_trace"]

REST = "rest"
"""Stands for all axes of the rubric that are not named."""

_SHORTEST = 4  # characters of a beginning
_SHOWN = 3


class UnknownName(LookupError):
    """Something was named that is not there; the message says what may be meant."""


def find_trace(queue: Queue, typed: str) -> str:
    """The id of a redacted trace, given as it is, by its beginning, or by the id of its case.

    Raises:
        UnknownName: there is none, or more than one begins like this.
        MissingPartition: no day is published at all.
    """
    if typed in queue.day_of:
        return typed
    rows = queue.material.candidates.select("case_id", "trace_id", "day").sort("day", "trace_id")
    of_case = [t for case, t, _ in rows.iter_rows() if case == typed and t in queue.day_of]
    if of_case:
        shown = {c.case_id: c.trace_id for item in queue.open for c in item.cases}
        return str(shown.get(typed, of_case[-1]))
    if not queue.day_of:
        command = queue.material.place.make("backfill", "YYYY-MM-DD")
        raise MissingPartition(f"no day is published yet, so no trace is there. Run: {command}")
    if (found := find_by_beginning(queue.day_of, typed)) is not None:
        return found
    near = get_close_matches(typed, queue.day_of, n=_SHOWN, cutoff=0.75)
    raise UnknownName(
        f"no redacted trace is {typed!r}: it was never drawn, its day is not published, or it was "
        f"erased{_perhaps(near)}. See what waits with: caselaw review next"
    )


def find_by_beginning(traces: Iterable[str], typed: str) -> str | None:
    """The one of `traces` that begins with four characters or more that somebody typed.

    Raises:
        UnknownName: more than one does.
    """
    found = sorted(one for one in traces if len(typed) >= _SHORTEST and one.startswith(typed))
    if len(found) > 1:
        raise UnknownName(
            f"{len(found)} traces begin with {typed!r}: {_listed(found)}; type more of it"
        )
    return found[0] if found else None


def find_axes(given: Mapping[str, str], known: Iterable[str]) -> dict[str, str]:
    """Verdicts by axis; `rest` is every axis of the rubric that is not named.

    Raises:
        UnknownName: an axis that the rubric does not have.
    """
    axes = list(known)
    for name in given:
        if name != REST and name not in axes:
            near = _perhaps(get_close_matches(name, axes))
            raise UnknownName(
                f"no axis {name!r} in registry/rubric.yaml{near};"
                f" there are {', '.join(axes)}, and {REST} for those not named"
            )
    if REST in given:
        return {name: given.get(name, given[REST]) for name in axes}
    return dict(given)


def find_mode(typed: str, modes: Mapping[str, str]) -> str:
    """The name of a failure mode, given by its id or its name, in any case of letters.

    Args:
        typed: what a person typed.
        modes: names by id.

    Raises:
        UnknownName: there is no such mode.
    """
    if typed in modes:
        return modes[typed]
    names = {name.casefold(): name for name in sorted(modes.values())}
    if typed.casefold() in names:
        return names[typed.casefold()]
    near = get_close_matches(typed.casefold(), [*names, *modes], n=_SHOWN, cutoff=0.5)
    said = [names.get(one) or modes[one] for one in near]
    raise UnknownName(
        f"no failure mode {typed!r}{_perhaps(list(dict.fromkeys(said)))}. "
        "To give a name of your own: --new-mode"
    )


def _perhaps(near: list[str]) -> str:
    return f"; did you mean {_listed(near)}?" if near else ""


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return " or ".join(repr(one) for one in names[:_SHOWN]) + more
