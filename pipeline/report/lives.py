"""What the last closed week says of modes: worse, back again, mended; and what creeps up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from pipeline.promotion.candidate import SLOW_FAILURE
from pipeline.report.day import DayTables
from pipeline.report.facts import Fact, counted
from pipeline.windows import previous_week

__all__ = ["TOLD_STATES", "life_facts"]

TOLD_STATES = ("regressed", "escalating", "verified", "fixed_unverified")
"""States that a team lead hears of, gravest first; `verified` in the week that verified it."""


def life_facts(day: DayTables) -> list[Fact]:
    """Modes that stand out at the end of the week before, and measures that creep up.

    The metric of a mode is `mode_` and its state, its value the week's share of all traffic; the
    slice of a slow failure is scope/subject/metric, its value the week's mean. `slow_decided`
    counts the day's decisions on conversations that show one, by that slice and the decision.
    """
    monday = previous_week(day.window).first
    return [*_states(day.states_before, monday), *_slow(day.slow_before, day.decisions)]


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


def _slow(slow: pl.DataFrame | None, decisions: pl.DataFrame) -> list[Fact]:
    if slow is None:
        return []
    facts = []
    rows = list(slow.filter("creeping").sort("scope", "subject", "metric").iter_rows(named=True))
    intents = {(row["subject"], row["metric"]) for row in rows if row["scope"] == "intent"}
    for row in rows:
        name = f"{row['scope']}/{row['subject']}/{row['metric']}"
        own = decisions.filter(check=f"{SLOW_FAILURE}_{row['metric']}")
        if row["scope"] == "release":  # what its own intent explains is counted there
            told = [intent for intent, metric in intents if metric == row["metric"]]
            own = own.filter(~pl.col("intent").is_in(told))
        column = "release" if row["scope"] == "release" else "intent"
        decided = dict(
            own.filter(pl.col(column) == row["subject"]).group_by("decision").len().iter_rows()
        )
        facts += counted("slow_decided", {f"{name}/{word}": n for word, n in decided.items()})
        facts.append(
            Fact(
                "slow_failure",
                name,
                row["value"],
                row["low"],
                row["high"],
                row["n"],
                row["estimator"],
                label=_risen(row) + _decided(decided),
            )
        )
    return facts


def _risen(row: Mapping[str, Any]) -> str:
    rise, share = row["rise"], row["passing_share"]
    by = "from next to nothing" if rise is None else f"by {100 * rise:.0f} %"
    part = None if share is None else 100 * min(max(share, 0), 1)
    seen = "" if part is None else f"; {part:.0f} % of the rise where no check failed"
    return f"up {by} over {row['weeks']} weeks (q = {row['q_value']:.2g}{seen})"


def _decided(decided: Mapping[str, int]) -> str:
    words = {"promoted": "promoted", "review": "for review", "rejected": "rejected"}
    said = [f"{decided[name]} {word}" for name, word in words.items() if name in decided]
    return f"; of its conversations today {', '.join(said)}" if said else ""
