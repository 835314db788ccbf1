"""The failure mode under which the cases of a slow failure stand: one an intent and metric.

No check fails on them, so no weekly table has the mode: its id follows from what creeps up.
"""

from __future__ import annotations

import polars as pl

from pipeline.ids import digest

__all__ = ["METRIC_NAMES", "slow_mode_id", "slow_mode_name", "slow_modes"]

METRIC_NAMES = {
    "turns": "turns",
    "tokens": "tokens",
    "cost_usd": "cost",
    "retries": "retries",
    "complaints": "complaints",
}
"""The metrics in words, as the subject of a sentence; all but `cost` are plurals."""


def slow_mode_id(intent: str, metric: str) -> str:
    """The stable id of the mode: neither week, release nor level has a part in it."""
    return f"fm-{digest('slow_failure', intent, metric, size=6)}"


def slow_mode_name(metric: str) -> str:
    """What people read where nobody has given it a name."""
    return f"{METRIC_NAMES[metric]} {'creeps' if metric == 'cost_usd' else 'creep'} up"


def slow_modes(slow: pl.DataFrame) -> dict[str, str]:
    """The modes that rows of `slow_failures` may have cases of: id -> name with its intent."""
    rows = slow.filter(scope="intent").select("subject", "metric").unique().sort(pl.all())
    return {
        slow_mode_id(intent, metric): f"{slow_mode_name(metric)} ({intent})"
        for intent, metric in rows.iter_rows()
    }
