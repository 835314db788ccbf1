"""Weeks of one hand-made failure mode, and the states that they lead to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import polars as pl

from pipeline.failures.lifecycle import HISTORY_WEEKS, advance_states
from pipeline.registry import Fix, NamedMode, Registry, Settings
from pipeline.tables import FAILURE_MODES, MODE_RATES
from pipeline.windows import Window, week

FIRST = date(2026, 9, 7)
"""A Monday."""

Seen = Mapping[str, tuple[int, int]]
"""Of one week: release -> (failures seen, traces graded), every trace with the weight 2."""


def monday(number: int) -> date:
    """The Monday of the n-th week."""
    return FIRST + timedelta(days=7 * number)


def rate_row(mode: str, release: str, seen: int, n: int, number: int) -> dict[str, Any]:
    """A row of `mode_rates`: traffic alike on all weekdays, failures from Wednesday on."""
    day = monday(number) + timedelta(days=2) if seen else None
    return dict.fromkeys(MODE_RATES.columns) | {
        "failure_mode_id": mode, "release": release, "n": n, "seen": seen,
        "traffic": 2.0 * n, "failures": 2.0 * seen, "squares": 4.0 * n,
        "squares_failing": 4.0 * seen, "traffic_by_weekday": [2 * n / 7] * 7,
        "failures_by_weekday": [0.0, 0.0, 2.0 * seen, 0.0, 0.0, 0.0, 0.0],
        "first_failure": day, "last_failure": day, "week": monday(number),
    }  # fmt: skip


@dataclass
class Life:
    """Lives week after week, as the chain of `mode_states` does."""

    mode: str = "loop"
    named: tuple[NamedMode, ...] = ()
    fixes: list[Fix] = field(default_factory=list)
    settings: Settings = field(default_factory=Settings)
    merged_from: tuple[str, ...] = ()
    rates: list[dict[str, Any]] = field(default_factory=list)
    states: pl.DataFrame | None = None
    unknown: tuple[str, ...] = ()
    number: int = 0

    def claim(self, release: str, mode: str | None = None) -> None:
        """Somebody claims today, the first day of the week to come, that a release mends it."""
        fix = Fix(mode=mode or self.mode, release=release, effective_from=monday(self.number))
        self.fixes.append(fix)

    def live(self, *weeks: Seen) -> list[str]:
        """Live through weeks and return the state at the end of each."""
        found = []
        for seen in weeks:
            self.rates += [
                rate_row(self.mode, r, *counts, self.number) for r, counts in seen.items()
            ]
            self.step(week(monday(self.number)))
            found.append(self.row["state"])
        return found

    def step(self, window: Window) -> None:
        first = monday(self.number - HISTORY_WEEKS + 1)
        rates = pl.DataFrame(
            [row for row in self.rates if row["week"] >= first],
            schema=dict(MODE_RATES.schema) | {"week": pl.Date},
        )
        done = advance_states(
            self.modes(), rates, self.states, self.registry(window.days[-1].first), window
        )
        self.states, self.unknown = done.frame, done.unknown
        self.number += 1

    @property
    def row(self) -> dict[str, Any]:
        """The mode's row of `mode_states` now."""
        assert self.states is not None
        return self.states.row(by_predicate=pl.col("failure_mode_id") == self.mode, named=True)

    def modes(self) -> pl.DataFrame:
        """`failure_modes` of the week: the one mode, as it was seen."""
        failed = [row for row in self.rates if row["seen"]]
        first = min((r["first_failure"] for r in failed), default=monday(0))
        last = max((r["last_failure"] for r in failed), default=monday(0))
        this = monday(self.number)
        quiet = "archived" if this - last > timedelta(weeks=13) else "quiet"
        state = ("new" if first >= this else "ongoing") if last >= this else quiet
        word = next((n.state for n in self.named if n.id == self.mode and n.state != "open"), state)
        row = {
            "failure_mode_id": self.mode, "name": "Goes round in circles", "state": word,
            "first_seen": first, "last_seen": last, "merged_from": list(self.merged_from),
            "releases": sorted({r["release"] for r in failed}),
        }  # fmt: skip
        return pl.DataFrame([dict.fromkeys(FAILURE_MODES.columns) | row], FAILURE_MODES.schema)

    def registry(self, instant: date) -> Registry:
        """The registry as of a day."""
        fixes = tuple(fix for fix in self.fixes if fix.holds(instant))
        return Registry(self.settings, (), (), (), self.named, {}, (), fixes)


def repeated(seen: Seen, times: int) -> Sequence[Seen]:
    """The same week several times."""
    return [seen] * times
