"""When a case came, when it retired, and why: kept in its history, which the pipeline owns.

Days are of the data, never of the clock: a case is added, and retired, on the latest day there is
when that happens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from pipeline.failures import ModeRecord
from pipeline.suite.folding import Entry, Fold

__all__ = ["PRUNED", "LastSeen", "is_retired", "with_lifetime"]

PRUNED = ("repeats", "superseded")
"""Why `caselaw suite prune` retires a case: another asks the same, or its trace fails no more."""


class LastSeen:
    """The latest failure of each mode, by the weeks and by the days after them."""

    def __init__(self, entries: Sequence[Entry], records: Mapping[str, ModeRecord]) -> None:
        self._seen = {name: record.last_seen for name, record in records.items()}
        for entry in entries:
            if entry.mode_id is not None:
                known = self._seen.get(entry.mode_id, entry.day)
                self._seen[entry.mode_id] = max(known, entry.day)
        self.today = max((entry.day for entry in entries), default=None)

    def is_quiet(self, fold: Fold, mode_id: str | None, days: int) -> bool:
        """Whether neither the mode nor the case has failed for that long."""
        latest = max(entry.day for entry in fold.entries)
        if mode_id is not None:
            latest = max(latest, self._seen.get(mode_id, latest))
        return self.today is not None and self.today - latest >= timedelta(days=days)


def is_retired(case: Mapping[str, Any]) -> bool:
    """Whether a case is switched off; any status but "retired" leaves it on."""
    return bool(case.get("status") == "retired")


def with_lifetime(
    case: Mapping[str, Any], before: Mapping[str, Any] | None, because: str, today: date | None
) -> dict[str, Any]:
    """The case with `added_on`, and while it is retired `retired_on` and why, in its history.

    Args:
        case: as it will be written.
        before: as it stands in the file; a case of before there were such days was added when it
            first occurred.
        because: why the pipeline retires it; empty where a person does.
        today: the latest day there is.
    """
    history = dict(case["history"]) if isinstance(case.get("history"), Mapping) else {}
    old = before.get("history") if before else None
    old = old if isinstance(old, Mapping) else {}
    now = today.isoformat() if today else None
    first = history.get("first_day") if before else now
    lifetime = {"added_on": old.get("added_on") or first}
    if is_retired(case):
        lifetime |= {"retired_on": old.get("retired_on") or now}
        pruned = old.get("retired_because") if old.get("retired_because") in PRUNED else None
        lifetime |= {"retired_because": because or pruned or "person"}
    return {**case, "history": history | {k: v for k, v in lifetime.items() if v}}
