"""What a conversation took: turns, tokens, cost, calls made again, and a user who complains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from pipeline.registry import Rule

__all__ = [
    "COMPLAINTS",
    "METRICS",
    "SYMPTOMS",
    "count_retries",
    "mark_passed",
    "measure_traces",
    "retries_among",
]

METRICS = ("turns", "tokens", "cost_usd", "retries", "complaints")
"""What is watched; `complaints` is a share, the others are means a conversation."""

SYMPTOMS = ("complaint", "trajectory")
"""Kinds of rules that tell that something is wrong, not what: no headline failure by themselves."""

COMPLAINTS = frozenset({"contradiction", "escalation", "negative_feedback", "resubmitted_request"})
"""Signals of sampling by which a user shows that the answer was not good."""


def count_retries(calls: Sequence[dict[str, Any]] | None) -> int:
    """How many calls of `redacted_traces` were made again, by `retries_among`."""
    made = [
        (call["name"] or "", call["arguments"] or "", call["status"] in ("error", "timeout"))
        for call in calls or ()
    ]
    return len(retries_among(made))


def retries_among(calls: Iterable[tuple[str, str, bool]]) -> list[int]:
    """Calls that were made again: same tool and arguments as an earlier one, or after its failure.

    A call counts once, however many reasons it has.

    Args:
        calls: name, arguments, and whether the tool failed, in order.

    Returns:
        Their places.
    """
    made: set[tuple[str, str]] = set()
    failed: set[str] = set()
    again = []
    for place, (name, arguments, broke) in enumerate(calls):
        if (name, arguments) in made or name in failed:
            again.append(place)
        made.add((name, arguments))
        failed = failed | {name} if broke else failed - {name}
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


def mark_passed(traces: pl.DataFrame, failing: pl.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
    """Add `passed`: whether no check failed, but for those that only show a symptom.

    Args:
        traces: as `measure_traces` gives them.
        failing: `trace_id` and `check` of their failures.
        rules: of the registry.
    """
    symptoms = [rule.id for rule in rules if rule.kind in SYMPTOMS]
    grave = failing.filter(~pl.col("check").is_in(symptoms))["trace_id"].unique().to_list()
    return traces.with_columns(passed=~pl.col("trace_id").is_in(grave))
