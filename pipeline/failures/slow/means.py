"""The weekly means of what conversations took, by intent, release and failure mode."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from pipeline.failures.slow.measures import METRICS

__all__ = ["ESTIMATOR", "Mean", "weekly_means"]

_Z95 = 1.959963984540054
ESTIMATOR = "Hajek mean, weights 1/inclusion_probability, linearised, normal"
"""How the means say that they were made."""


@dataclass(frozen=True)
class Mean:
    """The mean of one measure of one subject in one week.

    `key` is scope, subject and metric; `half` half the 95 % interval, None where one trace stands
    for others; `effective_n` traces of equal weight that tell as much. `passing` is the mean over
    those `passing_n` that passed every check, None where none did.
    """

    key: tuple[str, str, str]
    value: float
    half: float | None
    n: int
    effective_n: float
    variance: float
    passing: float | None
    passing_n: int


def weekly_means(traces: pl.DataFrame, failing: pl.DataFrame) -> Iterator[Mean]:
    """The week's means, in the order of the table's key; `traces` as `mark_passed` leaves them."""
    in_mode = failing.select("trace_id", "failure_mode_id").unique().sort(pl.all())
    scopes = (
        ("intent", "intent", traces),
        ("mode", "failure_mode_id", in_mode.join(traces, on="trace_id")),
        ("release", "release", traces.filter(pl.col("release") != "")),
    )
    for scope, column, rows in scopes:
        for subject in rows[column].unique().sort():
            own = rows.filter(pl.col(column) == subject)
            for metric in sorted(METRICS):
                known = own.select("weight", "passed", metric).drop_nulls()
                if known.height:
                    yield _mean((scope, subject, metric), known.rename({metric: "value"}))


def _mean(key: tuple[str, str, str], known: pl.DataFrame) -> Mean:
    """The weighted mean, half its interval, Kish's effective number of traces, their variance.

    m = sum(w x) / sum(w); v = n/(n-1) sum((1 - 1/w) w² (x - m)²) / sum(w)², as in
    `pipeline.report.estimates`; n_e = sum(w)² / sum(w²); n/(n-1) sum(w (x - m)²) / sum(w).
    """
    weights = known["weight"]
    rows = list(known.select("weight", "value").iter_rows())
    n, mass = len(rows), math.fsum(weights)
    mean = math.fsum(w * x for w, x in rows) / mass
    squares = math.fsum(w * w for w in weights)
    spread = math.fsum(w * (w - 1) * (x - mean) ** 2 for w, x in rows)
    small = n / max(n - 1, 1)
    half = None
    if n > 1 or all(w <= 1 for w in weights):
        half = _Z95 * math.sqrt(spread * small) / mass
    variance = small * math.fsum(w * (x - mean) ** 2 for w, x in rows) / mass
    passed = list(known.filter("passed").select("weight", "value").iter_rows())
    passing = (
        math.fsum(w * x for w, x in passed) / math.fsum(w for w, _ in passed) if passed else None
    )
    return Mean(key, mean, half, n, mass * mass / squares, variance, passing, len(passed))
