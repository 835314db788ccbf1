"""What else than a grader speaks against a trace: feedback, a hand-over, an anomaly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

__all__ = ["objections"]


def objections(redacted: pl.DataFrame, samples: pl.DataFrame, anomaly: float) -> dict[str, str]:
    """Traces that something other than a grader speaks against, and what."""
    odd = samples.filter(pl.col("anomaly_score") >= anomaly).select("trace_id", "anomaly_score")
    found = {trace: f"its anomaly score is {score:.2f}" for trace, score in odd.iter_rows()}
    for row in redacted.select("trace_id", "feedback").iter_rows(named=True):
        feedback = row["feedback"] or {}
        if feedback.get("escalated"):
            found[row["trace_id"]] = "it was handed over to a person"
        spoken = [score for score in feedback.get("scores") or () if _negative(score)]
        if any(score["source"] == "human" for score in spoken):
            found[row["trace_id"]] = "a reviewer's verdict in the trace is negative"
        elif any(score["source"] == "user" for score in spoken):
            found[row["trace_id"]] = "the user's feedback is negative"
    return found


def _negative(score: Mapping[str, Any]) -> bool:
    label = (score["label"] or "").lower()
    worst = score["value"] is not None and score["value"] <= 0
    return worst or label in ("negative", "bad", "thumbs_down", "down", "dislike", "no")
