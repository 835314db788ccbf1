"""What two states of the suite differ in: cases that came, went, retired, returned, changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.suite.lifetimes import is_retired

__all__ = ["Difference", "compare_cases"]

What = Literal["added", "removed", "retired", "returned", "changed", "recurred"]

_MISSING = object()
_UNSAID = ("generated",)  # follows from the other fields


@dataclass(frozen=True)
class Difference:
    """What became of one case, and which of its fields, before and after.

    `recurred` is a case of which nothing but the history changed.
    """

    case_id: str
    what: What
    title: str
    split: str
    because: str = ""
    fields: tuple[str, ...] = ()


def compare_cases(
    before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]
) -> list[Difference]:
    """Compare two states, in the order of the ids."""
    found = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old is None and new is not None:
            found.append(_difference("added", new))
        elif new is None and old is not None:
            found.append(_difference("removed", old))
        elif old is not None and new is not None and old != new:
            fields = [
                field
                for field in (*old, *(f for f in new if f not in old))
                if old.get(field, _MISSING) != new.get(field, _MISSING) and field not in _UNSAID
            ]
            found.append(_difference(_became(old, new, fields), new, fields))
    return found


def _became(old: Mapping[str, Any], new: Mapping[str, Any], fields: Sequence[str]) -> What:
    if is_retired(new) != is_retired(old):
        return "retired" if is_retired(new) else "returned"
    return "recurred" if set(fields) <= {"history"} else "changed"


def _difference(what: What, case: Mapping[str, Any], fields: Sequence[str] = ()) -> Difference:
    history = case.get("history")
    because = history.get("retired_because") if isinstance(history, Mapping) else None
    return Difference(
        str(case["id"]),
        what,
        str(case.get("title") or ""),
        str(case.get("split") or ""),
        str(because or "") if what == "retired" else "",
        tuple(field for field in fields if field not in ("status", "history")),
    )
