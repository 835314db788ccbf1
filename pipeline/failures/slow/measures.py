"""What a conversation took: turns, tokens, cost, calls made again, and a user who complains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

__all__ = ["COMPLAINTS", "METRICS", "count_retries", "measure_traces"]

METRICS = ("turns", "tokens", "cost_usd", "retries", "complaints")
"""What is watched; `complaints` is a share, the others are means a conversation."""

COMPLAINTS = frozenset({"contradiction", "escalation", "negative_feedback", "resubmitted_request"})
"""Signals of sampling by which a user shows that the answer was not good."""


def count_retries(calls: Sequence[dict[str, Any]] | None) -> int:
    """Calls that were made again: same tool and arguments as an earlier one, or after its failure.

    A call counts once, however many reasons it has.
    """
    made: set[tuple[str, str]] = set()
    failed: set[str] = set()
    again = 0
    for call in calls or ():
        name, arguments = call["name"] or "", call["arguments"] or ""
        again += (name, arguments) in made or name in failed
        made.add((name, arguments))
        if call["status"] in ("error", "timeout"):
            failed.add(name)
        else:
            failed.discard(name)
    return again


def measure_traces(samples: pl.DataFrame, redacted: pl.DataFrame) -> pl.DataFrame:
    """Measure every sampled conversation that was redacted.

    Args:
        samples: rows of `stratified_samples`.
        redacted: `trace_id`, `tool_calls` and `cost_usd` of the same days' `redacted_traces`.

    Returns:
        `trace_id`, `intent`, `release`, `weight` and the `METRICS` (Float64, null where unknown).
    """
    made = redacted["tool_calls"].to_list()
    retries = pl.Series([count_retries(calls) for calls in made], dtype=pl.Int64)
    taken = redacted.select("trace_id", "cost_usd", retries=retries)
    complained = pl.col("signals").list.set_intersection(sorted(COMPLAINTS)).list.len() > 0
    return (
        samples.select(
            "trace_id",
            pl.col("intent").fill_null("unknown"),
            pl.col("release").fill_null(""),
            weight=pl.col("weight").fill_null(1.0),
            turns=pl.col("turns"),
            tokens=pl.col("total_tokens"),
            complaints=complained.fill_null(False),
        )
        .join(taken, on="trace_id")
        .with_columns(pl.col(METRICS).cast(pl.Float64))
        .select("trace_id", "intent", "release", "weight", *METRICS)
        .sort("trace_id")
    )
