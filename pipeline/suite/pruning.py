"""Which cases the suite can do without: repetitions, and those whose failure is none any more.

Pruning retires, it never deletes: the id, the history and people's edits stay, and a status that a
person sets back to active counts. What a person edited is left to that person.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from pipeline.suite.checking import Cases, repeated_cases
from pipeline.suite.edits import edited_fields
from pipeline.suite.lifetimes import is_retired

__all__ = ["Pruned", "plan_pruning", "retire"]


@dataclass(frozen=True)
class Pruned:
    """A case to retire, why, and for a repetition the case that stays."""

    case_id: str
    why: Literal["repeats", "superseded"]
    of: str = ""


def plan_pruning(
    cases: Cases, unsupported: Collection[str], decided: Collection[date], similarity: float
) -> tuple[list[Pruned], list[str]]:
    """Plan what to retire.

    Args:
        cases: of the file, by id.
        unsupported: ids that no candidate stands behind.
        decided: the days that there are decisions of: a case of another day may only have lost
            its data, one of these was decided anew.
        similarity: cosine from which two turns ask the same.

    Returns:
        What to retire, by id, and the ids that are left because a person edited them.
    """
    days = {day.isoformat() for day in decided}
    found = [
        Pruned(name, "superseded")
        for name in unsupported
        if "generated" in cases[name] and not is_retired(cases[name])
        and _day_of(cases[name]) in days
    ]  # fmt: skip
    gone = {one.case_id for one in found}
    rest = {name: case for name, case in cases.items() if name not in gone}
    found += [Pruned(n, "repeats", of) for n, of in repeated_cases(rest, similarity).items()]
    edited = {one.case_id for one in found if edited_fields(cases[one.case_id])}
    kept = [one for one in found if one.case_id not in edited]
    return sorted(kept, key=lambda one: one.case_id), sorted(edited)


def retire(cases: Cases, pruned: Sequence[Pruned], today: date) -> list[dict[str, Any]]:
    """The cases, in their order, with those retired."""
    why = {one.case_id: one.why for one in pruned}
    return [
        {
            **case,
            "status": "retired",
            "history": {
                **_mapping(case.get("history")),
                "retired_on": today.isoformat(),
                "retired_because": why[name],
            },
        }
        if name in why
        else dict(case)
        for name, case in cases.items()
    ]


def _day_of(case: Mapping[str, Any]) -> str:
    return str(_mapping(case.get("provenance")).get("day"))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
