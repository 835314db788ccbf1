"""Candidates of all days, folded into cases: twins across days share one, under the oldest id."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

import orjson
import polars as pl

from pipeline.promotion.expiry import VERSIONS
from pipeline.promotion.twins import Fingerprint, group_twins

__all__ = ["SCORES", "Entry", "Fold", "fold_candidates", "read_entries", "source_of"]

SCORES = ("risk_bearing", "operationally_costly", "missed_offline", "observable", "teachable")


@dataclass(frozen=True)
class Entry:
    """One row of `promoted_cases`, with its day; `text` is the case as JSON."""

    day: date
    case_id: str
    trace_id: str
    check: str
    layer: str
    mode_id: str | None
    decision: str
    blocked_by: frozenset[str]
    scores: tuple[float, ...]
    intent: str
    user: str
    group: str
    session: str
    signature: str | None
    release: str | None
    versions: Mapping[str, str | None]
    prints: Fingerprint[int]
    twin_of: str | None
    text: str = field(repr=False)

    @property
    def order(self) -> tuple[date, str, str]:
        """Days first; then something of the trace's own."""
        return self.day, self.trace_id, self.check

    @cached_property
    def case(self) -> dict[str, Any]:
        """The case, parsed when it is asked for: of many candidates few become one."""
        parsed: dict[str, Any] = orjson.loads(self.text)
        return parsed


@dataclass(frozen=True)
class Fold:
    """The candidates of one case: all near-duplicates that failed one check, oldest first."""

    case_id: str
    published: bool
    group: str
    entries: tuple[Entry, ...]


def read_entries(promoted: pl.DataFrame, named: Mapping[str, str]) -> list[Entry]:
    """Read the rows of all days, in order; `named` maps merged mode ids to those they became."""
    rows = promoted.with_columns(
        pl.col("case").str.json_path_match("$.provenance.twin_of").alias("twin_of")
    )
    return sorted((_entry(row, named) for row in rows.iter_rows(named=True)), key=_in_order)


def _in_order(entry: Entry) -> tuple[date, str, str]:
    return entry.order


def _entry(row: Mapping[str, Any], named: Mapping[str, str]) -> Entry:
    mode = row["failure_mode_id"]
    return Entry(
        day=row["day"],
        case_id=row["case_id"],
        trace_id=row["trace_id"],
        check=row["check"],
        layer=row["layer"],
        mode_id=named.get(mode, mode),
        decision=row["decision"],
        blocked_by=frozenset(row["blocked_by"] or ()),
        scores=tuple(row[name] for name in SCORES),
        intent=row["intent"],
        user=row["user_key"] or row["trace_id"],
        group=row["duplicate_group"],
        session=row["session"] or row["trace_id"],
        signature=row["signature"],
        release=row["release"],
        versions={name: row[name] for name in VERSIONS},
        prints=array("I", row["fingerprint"] or ()),
        twin_of=row["twin_of"],
        text=row["case"],
    )


def fold_candidates(
    entries: Sequence[Entry], published: Mapping[str, Mapping[str, Any]], similarity: float
) -> list[Fold]:
    """Fold candidates into cases.

    Days have folded their own twins, under one `case_id`; here their founders are compared, in the
    order of time: what is twin to what does not depend on what is published, or the suite would
    not come out the same twice. Among twins a published id names all that have none of their own,
    so that it stays when an earlier twin comes to light; else the oldest's does. A candidate
    belongs to a published case by its id or by trace and check, since a trace that arrives late
    may give a day's twins another id.
    """
    units: dict[tuple[date, str], list[Entry]] = {}
    for entry in entries:
        units.setdefault((entry.day, entry.case_id), []).append(entry)
    by_trace = {source_of(case): name for name, case in published.items()}
    owned = {key: _published_id(unit, published, by_trace) for key, unit in units.items()}
    founders = {key: _founder(unit) for key, unit in units.items()}
    order = sorted(units, key=lambda key: founders[key].order)
    leaders = group_twins([founders[key].prints for key in order], similarity)
    homes = [(leaders[n], founders[key].check) for n, key in enumerate(order)]
    names: dict[tuple[int, str], str] = {}
    for key, home in zip(order, homes, strict=True):
        if (own := owned[key]) is not None:
            names.setdefault(home, own)
    folds: dict[str, list[Entry]] = {}
    groups: dict[str, str] = {}
    for key, home in zip(order, homes, strict=True):
        name = owned[key] or names.setdefault(home, founders[key].case_id)
        folds.setdefault(name, []).extend(units[key])
        groups.setdefault(name, founders[order[home[0]]].group)
    return [
        Fold(name, name in published, groups[name], tuple(sorted(own, key=_in_order)))
        for name, own in sorted(folds.items())
    ]


def _founder(unit: Sequence[Entry]) -> Entry:
    return min(unit, key=lambda entry: (entry.twin_of is not None, entry.order))


def source_of(case: Mapping[str, Any]) -> tuple[str, str]:
    """The trace that a case in the file was written from, and its check."""
    origin = case.get("provenance")
    trace = origin.get("trace_id") if isinstance(origin, dict) else None
    return str(trace), str(case.get("check"))


def _published_id(
    unit: Sequence[Entry],
    published: Mapping[str, Any],
    by_trace: Mapping[tuple[str, str], str],
) -> str | None:
    if unit[0].case_id in published:
        return unit[0].case_id
    found = sorted(
        by_trace[entry.trace_id, entry.check]
        for entry in unit
        if (entry.trace_id, entry.check) in by_trace
    )
    return found[0] if found else None
