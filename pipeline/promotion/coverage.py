"""Whether the suite had a case for a failure before it happened: the M of P.R.O.M.O.T.E., whole.

One day cannot know it, so `promoted_cases` asks only whether the mode is new. Where all days and
the suite are known, a failure that a case stood ready for tells of that case, or of a gate that
nobody asked, and a further case of the same lesson would have missed it as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

__all__ = ["cases_in_wait", "missed_offline"]

_SLIPPED = 0.5


def cases_in_wait(
    published: Mapping[str, Mapping[str, Any]], mode_id: str | None, intent: str, day: date
) -> tuple[str, ...]:
    """The active cases of a mode and intent that were there before `day`, by id.

    Args:
        published: the cases of the suite's file by id.
        mode_id: the mode, as merged by now.
        intent: of the failure.
        day: of the failure.
    """
    return tuple(
        name
        for name, case in sorted(published.items())
        if case.get("status") != "retired"
        and case.get("intent") == intent
        and _mode(case) == mode_id
        and _first_day(case) < day.isoformat()
    )


def missed_offline(known: float, waiting: Sequence[str]) -> float:
    """The score M: `known` is the day's; where cases stood ready, at most one half."""
    return min(known, _SLIPPED) if waiting else known


def _mode(case: Mapping[str, Any]) -> object:
    mode = case.get("mode")
    return mode.get("id") if isinstance(mode, Mapping) else None


def _first_day(case: Mapping[str, Any]) -> str:
    """ISO day of the first occurrence; a case without one was there for ever."""
    history = case.get("history")
    day = history.get("first_day") if isinstance(history, Mapping) else None
    return day if isinstance(day, str) else ""
