"""What an intent usually takes, and who passed at far more than that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipeline.promotion.candidate import COSTLY_PASS, Candidate, from_grade
from pipeline.sampling import UsualEffort, usual_effort

__all__ = ["Norm", "cost_ratio", "costly_passes", "usual_costs"]


@dataclass(frozen=True)
class Norm(UsualEffort):
    """An intent's medians of the day; `latency_ms` is by turn of the user, 0 where not known."""

    latency_ms: float = 0.0


def usual_costs(samples: pl.DataFrame, redacted: pl.DataFrame, least: int) -> dict[str, Norm]:
    """The norms of every known intent of which at least `least` traces were sampled."""
    timed = samples.join(redacted.select("trace_id", "latency_ms"), on="trace_id").filter(
        pl.col("latency_ms") > 0
    )
    pace = pl.col("latency_ms") / pl.col("turns").fill_null(1).clip(1)
    paces = timed.group_by("intent").agg(pace.median().alias("pace"), pl.len().alias("traces"))
    known = dict(paces.filter(pl.col("traces") >= least).select("intent", "pace").iter_rows())
    return {
        intent: Norm(one.turns, one.tokens, one.traces, round(known.get(intent, 0.0), 4))
        for intent, one in usual_effort(samples, least).items()
    }


def cost_ratio(
    turns: int | None, tokens: int | None, latency_ms: float | None, norm: Norm | None
) -> float:
    """The largest of turns, tokens and latency a turn over the medians; 1 where there is no norm.

    Latency holds the user's own pauses, which is why it is taken by turn.
    """
    if norm is None:
        return 1.0
    pace = latency_ms / max(turns or 1, 1) if latency_ms else None
    over = [
        used / usual
        for used, usual in ((turns, norm.turns), (tokens, norm.tokens), (pace, norm.latency_ms))
        if used is not None and usual > 0
    ]
    return max(over, default=1.0)


def costly_passes(
    grades: pl.DataFrame,
    sampled: Mapping[str, Mapping[str, Any]],
    norms: Mapping[str, Norm],
    taken: set[str],
    factor: float,
) -> list[Candidate]:
    """Traces that passed with more than `factor` times the turns or tokens of their intent.

    Those in `taken` are candidates already. Latency alone makes none: no replay could check it.
    """
    passed = grades.filter(pl.col("verdict") == "pass").sort("trace_id", "check", "grader_id")
    found = []
    for row in passed.unique("trace_id", keep="first", maintain_order=True).to_dicts():
        seen = sampled.get(row["trace_id"])
        norm = norms.get(row["intent"])
        if row["trace_id"] in taken or seen is None or norm is None:
            continue
        if (seen["turns"] or 0) > factor * norm.turns or (
            (seen["total_tokens"] or 0) > factor * norm.tokens > 0
        ):
            said = (
                f"It passed with {seen['turns']} turns and {seen['total_tokens']} tokens, where "
                f"the median of its intent is {norm.turns:g} and {norm.tokens:g}."
            )
            found.append(
                from_grade(
                    "costly_pass",
                    row
                    | {
                        "check": COSTLY_PASS,
                        "layer": "rule",
                        "axis": "helpfulness",
                        "reason": said,
                        "severity": "low",
                        "subject": None,
                        "error_class": COSTLY_PASS,
                        "grader_id": COSTLY_PASS,
                        "evidence": [f"sample:{row['trace_id']}"],
                    },
                    sampled,
                )
            )
    return found
