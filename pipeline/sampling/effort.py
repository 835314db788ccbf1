"""What a conversation of an intent usually takes."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipeline.registry import UNKNOWN

__all__ = ["UsualEffort", "usual_effort"]


@dataclass(frozen=True)
class UsualEffort:
    """The median effort of an intent's sampled traces of the day, and on how many it rests."""

    turns: float
    tokens: float
    traces: int


def usual_effort(samples: pl.DataFrame, least: int) -> dict[str, UsualEffort]:
    """The median turns and tokens of every known intent with at least `least` sampled traces."""
    grouped = (
        samples.filter(pl.col("intent") != UNKNOWN)
        .group_by("intent")
        .agg(pl.col("turns").median(), pl.col("total_tokens").median(), pl.len().alias("traces"))
    )
    return {
        row["intent"]: UsualEffort(row["turns"] or 0.0, row["total_tokens"] or 0.0, row["traces"])
        for row in grouped.filter(pl.col("traces") >= least).sort("intent").to_dicts()
    }
