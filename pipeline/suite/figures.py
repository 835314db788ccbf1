"""Figures of the suite: what it holds, how it grows, and how much of what fails it covers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from pipeline.estimation import Estimate, rate
from pipeline.failures import merged_ids
from pipeline.lake import Lake
from pipeline.registry import Registry
from pipeline.tables import FAILURE_MODE_CLUSTERS, FAILURE_MODES

__all__ = ["Coverage", "count_cases", "cover", "grow"]

_WEEKS = 4
_CLOSED = ("ignored", "archived")


@dataclass(frozen=True)
class Coverage:
    """How much of what fails has an active case.

    Attributes:
        modes: active modes of the latest week, and those of them that have a case.
        covered: as above.
        traffic: share of failing conversations of the latest four weeks, weighted to all traffic,
            of which at least one failure is of a mode that has a case; None: none failed.
        uncovered: the largest modes without a case: name and weighted failures of the week.
    """

    modes: int
    covered: int
    traffic: Estimate | None
    uncovered: tuple[tuple[str, float], ...]


def count_cases(index: pl.DataFrame, field: str) -> dict[str, int]:
    """Active cases by a column of `eval_suite`, most first."""
    active = index.filter(pl.col("status") == "active")
    found = Counter(value or "(none)" for value in active[field])
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def grow(index: pl.DataFrame) -> pl.DataFrame:
    """Cases that were added and retired in each week, and how many were active at its end.

    Columns: week (its Monday), added, retired, active. Cases of before the suite noted days are
    taken to have been added on the day of their first failure.
    """
    week = pl.col("day").dt.truncate("1w").alias("week")
    came = index.select(day=pl.coalesce("added_on", "first_day"), added=1, retired=0)
    went = index.select(day=pl.col("retired_on"), added=0, retired=1)
    weeks = pl.concat([came, went]).drop_nulls("day").group_by(week).agg(
        pl.col("added").sum(), pl.col("retired").sum()
    )  # fmt: skip
    running = (pl.col("added") - pl.col("retired")).cum_sum().alias("active")
    return weeks.sort("week").with_columns(running)


def cover(lake: Lake, index: pl.DataFrame, registry: Registry) -> Coverage:
    """Measure the coverage of the suite that was published last."""
    weeks = lake.windows(FAILURE_MODES)
    modes = lake.read(FAILURE_MODES, weeks[-1]) if weeks else FAILURE_MODES.empty()
    named = merged_ids(modes, registry.failure_modes)
    active = index.filter(pl.col("status") == "active")
    held = {named.get(mode, mode) for mode in active["failure_mode_id"].drop_nulls()}
    closed = {mode.id for mode in registry.failure_modes if mode.state != "open"}
    open_ones = modes.filter(
        ~pl.col("state").is_in(_CLOSED) & ~pl.col("failure_mode_id").is_in(sorted(closed))
    )
    bare = open_ones.filter(~pl.col("failure_mode_id").is_in(sorted(held)))
    largest = bare.sort("weighted_week", "failure_mode_id", descending=[True, False]).head(5)
    return Coverage(
        open_ones.height,
        open_ones.height - bare.height,
        _traffic(lake, held, named),
        tuple(largest.select("name", "weighted_week").iter_rows()),
    )


def _traffic(lake: Lake, held: set[str], named: Mapping[str, str]) -> Estimate | None:
    days = lake.windows(FAILURE_MODE_CLUSTERS)
    late = [d for d in days if d.first > days[-1].first - timedelta(weeks=_WEEKS)]
    columns = ["trace_id", "failure_mode_id", "weight"]
    if not late:
        return None
    failures = lake.read(FAILURE_MODE_CLUSTERS, late, columns).drop_nulls("weight")
    current = pl.col("failure_mode_id").replace(dict(named))
    traces = failures.group_by("trace_id").agg(
        current.is_in(sorted(held)).any().alias("covered"), pl.col("weight").first()
    )
    if traces.is_empty():
        return None
    traces = traces.sort("trace_id")
    probabilities = [min(1.0, 1 / weight) for weight in traces["weight"]]
    return rate(traces["covered"].to_list(), probabilities)
