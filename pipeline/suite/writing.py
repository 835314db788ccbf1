"""A case as the pipeline would write it today, and as a row of the index."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pipeline.failures import ModeRecord
from pipeline.promotion.expiry import InForce, why_expired
from pipeline.registry import Registry
from pipeline.suite.edits import edited_fields
from pipeline.suite.lessons import Chosen
from pipeline.suite.lifetimes import is_retired
from pipeline.tables import EVAL_SUITE

__all__ = ["Conflict", "index_suite", "write_case"]

_TRACES_LISTED = 20


@dataclass(frozen=True)
class Conflict:
    """A field that a person and the pipeline both changed: what each of them says."""

    case_id: str
    field: str
    theirs: Any
    pipelines: Any

    def __str__(self) -> str:
        return f"{self.case_id}: {self.field}"


def write_case(
    one: Chosen,
    records: Mapping[str, ModeRecord],
    registry: Registry,
    split: str,
    because: str,
    in_force: InForce,
    seen: Mapping[str, Collection[str]],
) -> dict[str, Any]:
    """Write a chosen case.

    Args:
        one: the case.
        records: the modes as of the latest week.
        registry: names that people gave.
        split: its split.
        because: why it is retired; empty: it is active.
        in_force: the versions of policy and prompt that the latest traffic runs under.
        seen: the versions that failures of its variant came under.
    """
    names = {mode_id: record.name for mode_id, record in records.items()}
    names |= {mode.id: mode.name for mode in registry.failure_modes}
    mode = dict(one.head.case["mode"])
    mode["id"] = one.head.mode_id
    mode["name"] = names.get(one.head.mode_id or "", mode["name"])
    origin = {k: v for k, v in one.head.case["provenance"].items() if k != "twin_of"}
    days = [entry.day for entry in one.fold.entries]
    traces = list(dict.fromkeys(entry.trace_id for entry in one.fold.entries))
    expired = why_expired(one.head.case, in_force, seen)
    birth = {"birth": dict(one.birth)} if one.birth else {}
    return (
        one.head.case
        | birth
        | {
            "id": one.fold.case_id,
            "mode": mode,
            "split": split,
            "status": "retired" if because else "active",
            "provenance": origin | {"duplicate_group": one.fold.group},
            "history": {
                "first_day": min(days).isoformat(),
                "last_day": max(days).isoformat(),
                "occurrences": len(traces),
                "traces": traces[:_TRACES_LISTED],
                **({"expired": expired} if expired else {}),
            },
        }
    )


def index_suite(
    cases: Mapping[str, Mapping[str, Any]],
    sessions: Mapping[str, str],
    conflicts: Sequence[Conflict],
) -> pl.DataFrame:
    """The cases of the file as `eval_suite`; a field that a person mangled is null."""
    fields: dict[str, list[str]] = {}
    for conflict in conflicts:
        fields.setdefault(conflict.case_id, []).append(conflict.field)
    rows = [
        _row(case) | {"session": sessions.get(name), "conflicts": sorted(fields.get(name, []))}
        for name, case in cases.items()
    ]
    return EVAL_SUITE.conform(pl.DataFrame(rows, schema=EVAL_SUITE.schema))


def _row(case: Mapping[str, Any]) -> dict[str, Any]:
    mode, origin, history = (_mapping(case, n) for n in ("mode", "provenance", "history"))
    mutations = _mapping(_mapping(case, "birth"), "mutations")
    retired = is_retired(case)
    return {
        "case_id": case["id"],
        **{
            name: _text(case.get(name))
            for name in (
                "check", "intent", "stakes", "category", "severity", "split",
            )
        },
        "failure_mode_id": _text(mode.get("id")),
        "duplicate_group": _text(origin.get("duplicate_group")),
        "status": "retired" if retired else "active",
        "retired_because": _text(history.get("retired_because")) if retired else None,
        "expired": _text(history.get("expired")),
        "self_check": _text(_mapping(case, "birth").get("self_check")),
        "mutations_caught": _number(mutations.get("caught")),
        "mutations_tried": _number(mutations.get("of")),
        "edited": bool(edited_fields(case)),
        "first_day": _day(history.get("first_day")),
        "last_day": _day(history.get("last_day")),
        "added_on": _day(history.get("added_on")),
        "retired_on": _day(history.get("retired_on")) if retired else None,
        "occurrences": _number(history.get("occurrences")),
    }  # fmt: skip


def _mapping(case: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = case.get(name)
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
