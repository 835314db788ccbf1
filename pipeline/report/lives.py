"""What the last closed week says of modes: worse, back again, mended; and what creeps up."""

from __future__ import annotations

from datetime import date

import polars as pl

from pipeline.report.day import DayTables
from pipeline.report.facts import Fact
from pipeline.windows import previous_week

__all__ = ["TOLD_STATES", "life_facts"]

TOLD_STATES = ("regressed", "escalating", "verified", "fixed_unverified")
"""States that a team lead hears of, gravest first; `verified` in the week that verified it."""


def life_facts(day: DayTables) -> list[Fact]:
    """Modes that stand out at the end of the week before, and measures that creep up.

    The metric of a mode is `mode_` and its state, its value the week's share of all traffic; the
    slice of a slow failure is scope/subject/metric, its value the week's mean.
    """
    monday = previous_week(day.window).first
    return [*_states(day.states_before, monday), *_slow(day.slow_before)]


def _states(states: pl.DataFrame | None, monday: date) -> list[Fact]:
    if states is None:
        return []
    told = states.filter(
        pl.col("state").is_in(TOLD_STATES)
        & ((pl.col("state") != "verified") | (pl.col("since") == monday))
    )
    return [
        Fact(
            f"mode_{row['state']}",
            row["failure_mode_id"],
            row["rate"],
            row["rate_low"],
            row["rate_high"],
            row["rate_n"],
            row["estimator"],
            label=f"{row['name']}: {row['reason']}",
        )
        for row in told.sort("failure_mode_id").iter_rows(named=True)
    ]


def _slow(slow: pl.DataFrame | None) -> list[Fact]:
    if slow is None:
        return []
    return [
        Fact(
            "slow_failure",
            f"{row['scope']}/{row['subject']}/{row['metric']}",
            row["value"],
            row["low"],
            row["high"],
            row["n"],
            row["estimator"],
            label=_risen(row["rise"], row["weeks"], row["q_value"]),
        )
        for row in slow.filter("creeping").sort("scope", "subject", "metric").iter_rows(named=True)
    ]


def _risen(rise: float | None, weeks: int, q: float) -> str:
    by = "from next to nothing" if rise is None else f"by {100 * rise:.0f} %"
    return f"up {by} over {weeks} weeks (q = {q:.2g})"
