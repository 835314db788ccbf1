"""What weeks of `mode_rates` say of one mode, under the id that it has now."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pipeline.estimation import Tally, total

__all__ = ["HISTORY_WEEKS", "History", "Stretch", "read_histories"]

HISTORY_WEEKS = 26
"""Weeks of `mode_rates`, the latest among them, that a state may rest on."""


@dataclass(frozen=True)
class Stretch:
    """One week of one release: what was seen of the mode, also by weekday."""

    week: date
    release: str
    tally: Tally
    traffic_by_weekday: tuple[float, ...]
    failures_by_weekday: tuple[float, ...]
    first_failure: date | None


@dataclass(frozen=True)
class History:
    """The stretches of one mode, by week and release."""

    stretches: tuple[Stretch, ...] = ()

    def between(
        self,
        first: date,
        last: date,
        only: Collection[str] | None = None,
        without: Collection[str] = (),
    ) -> History:
        """Those of the weeks from `first` to `last`, of some releases only, or of all but some."""
        return History(
            tuple(
                s
                for s in self.stretches
                if first <= s.week <= last
                and (only is None or s.release in only)
                and s.release not in without
            )
        )

    @property
    def tally(self) -> Tally:
        """Everything summed up."""
        return total(s.tally for s in self.stretches)

    @property
    def weeks(self) -> list[date]:
        """The weeks with traffic."""
        return sorted({s.week for s in self.stretches if s.tally.n})

    def by_weekday(self) -> list[tuple[float, float]]:
        """(events, exposure) of every weekday, Monday first."""
        unit = self.tally.unit
        return [
            (
                math.fsum(s.failures_by_weekday[d] for s in self.stretches) / unit,
                math.fsum(s.traffic_by_weekday[d] for s in self.stretches) / unit,
            )
            for d in range(7)
        ]

    def first_failures(self) -> dict[str, date]:
        """The first failing day of each release that failed."""
        found: dict[str, date] = {}
        for s in self.stretches:
            if s.first_failure:
                found[s.release] = min(s.first_failure, found.get(s.release, s.first_failure))
        return found


def read_histories(rates: pl.DataFrame, now: Mapping[str, str]) -> dict[str, History]:
    """Read `mode_rates` of several weeks, with a `week` (pl.Date), into a history per mode.

    Args:
        rates: the rows.
        now: ids that were merged away -> the id they live on under.

    Where several ids became one mode their failures are added up, while the traffic, which they
    shared, is counted once. A trace that was in both then counts twice: rare, and too high.
    """
    merged: dict[tuple[str, date, str], list[dict[str, Any]]] = {}
    for row in rates.sort("week", "failure_mode_id", "release").iter_rows(named=True):
        mode = now.get(row["failure_mode_id"], row["failure_mode_id"])
        merged.setdefault((mode, row["week"], row["release"]), []).append(row)
    found: dict[str, list[Stretch]] = {}
    for (mode, week, release), rows in sorted(merged.items()):
        found.setdefault(mode, []).append(_stretch(week, release, rows))
    return {mode: History(tuple(listed)) for mode, listed in found.items()}


def _stretch(week: date, release: str, rows: list[dict[str, Any]]) -> Stretch:
    def weekdays(name: str) -> Iterable[tuple[float, ...]]:
        return zip(*(row[name] for row in rows), strict=True)

    return Stretch(
        week,
        release,
        Tally(
            max(row["n"] for row in rows),
            sum(row["seen"] for row in rows),
            max(row["traffic"] for row in rows),
            math.fsum(row["failures"] for row in rows),
            max(row["squares"] for row in rows),
            math.fsum(row["squares_failing"] for row in rows),
        ),
        tuple(max(day) for day in weekdays("traffic_by_weekday")),
        tuple(math.fsum(day) for day in weekdays("failures_by_weekday")),
        min((row["first_failure"] for row in rows if row["first_failure"]), default=None),
    )
