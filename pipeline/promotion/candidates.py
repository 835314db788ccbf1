"""What one day offers for promotion: failures, borderline traces, passes that cost or creep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipeline.promotion.candidate import COSTLY_PASS, Candidate, from_grade
from pipeline.promotion.costs import Norm, costly_passes, usual_costs
from pipeline.promotion.objections import objections
from pipeline.promotion.slow.creeps import Creeps
from pipeline.promotion.slow.passes import slow_passes
from pipeline.registry import Registry

__all__ = ["COSTLY_PASS", "Candidate", "Candidates", "collect_candidates"]

_RANK = {"low": 1, "medium": 2, "high": 3}
_JUDGED = pl.col("layer") == "judge"


@dataclass(frozen=True)
class Candidates:
    """The candidates by (trace, check), how many records they came from, and the intents' norms."""

    found: tuple[Candidate, ...]
    records_in: int
    norms: Mapping[str, Norm]


def collect_candidates(
    clusters: pl.DataFrame,
    grades: pl.DataFrame,
    redacted: pl.DataFrame,
    samples: pl.DataFrame,
    registry: Registry,
    creeps: Creeps,
) -> Candidates:
    """Gather the day's candidates.

    Every row of `clusters` is one. A trace without a failure is borderline where a judge could
    not tell on some axis and something else speaks against it: negative feedback, a hand-over, or
    an anomaly score from the setting on; it is one candidate, under its first such axis. Of the
    traces without either that passed, the few that show best what creeps up are slow failures, and
    those of the rest with `costly_factor` times their intent's median of turns or tokens costly
    passes. A grader's error makes no candidate.
    """
    settings = registry.settings.promotion
    norms = usual_costs(samples, redacted, settings.costly_norm)
    sampled = {row["trace_id"]: row for row in samples.to_dicts()}
    against = objections(redacted, samples, settings.borderline_anomaly)
    failures = _failures(clusters, grades, sampled)
    failing = {one.trace_id for one in failures}
    unsure = grades.filter(
        _JUDGED
        & (pl.col("verdict") == "unknown")
        & pl.col("trace_id").is_in(sorted(against))
        & ~pl.col("trace_id").is_in(sorted(failing))
    ).sort("trace_id", "check", "grader_id")
    borderline = [
        from_grade("borderline", row, sampled, asked_by=against[row["trace_id"]])
        for row in unsure.unique("trace_id", keep="first", maintain_order=True).to_dicts()
    ]
    taken = failing | {one.trace_id for one in borderline}
    slow = slow_passes(grades, samples, redacted, creeps, taken, settings)
    taken |= {one.trace_id for one in slow}
    costly = costly_passes(grades, sampled, norms, taken, settings.costly_factor)
    return Candidates(
        tuple(
            sorted([*failures, *borderline, *slow, *costly], key=lambda c: (c.trace_id, c.check))
        ),
        len(failures) + unsure.height + len(slow) + len(costly),
        norms,
    )


def _failures(
    clusters: pl.DataFrame, grades: pl.DataFrame, sampled: Mapping[str, Mapping[str, Any]]
) -> list[Candidate]:
    """The clusters' rows, each with the gravest verdict behind it and all graders that agree."""
    rank = pl.col("severity").replace_strict(_RANK, default=1, return_dtype=pl.Int64)
    failing = grades.filter(pl.col("verdict") == "fail").with_columns(rank.alias("rank"))
    spoken: dict[tuple[str, str], list[dict[str, Any]]] = {}
    ordered = failing.sort("rank", "grader_id", descending=[True, False])
    for row in ordered.iter_rows(named=True):
        spoken.setdefault((row["trace_id"], row["check"]), []).append(row)
    found = []
    for row in clusters.sort("trace_id", "check").iter_rows(named=True):
        verdicts = spoken[row["trace_id"], row["check"]]
        # a rule that says the same outranks the judge
        layer = "rule" if any(v["layer"] == "rule" for v in verdicts) else "judge"
        grade = verdicts[0] | {"layer": layer}
        graders = tuple(sorted({v["grader_id"] for v in verdicts}))
        found.append(from_grade("failure", grade, sampled, cluster=row, graders=graders))
    return found
