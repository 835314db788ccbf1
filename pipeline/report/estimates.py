"""Weighted estimates that the summary adds to `pipeline.estimation`: numbers and sums."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from pipeline.estimation import Estimate, rate

__all__ = ["failure_rate", "weighted_count", "weighted_total"]

_Z95 = 1.959963984540054
_COUNT = "Hajek rate x summed weights 1/inclusion_probability"
_TOTAL = "Horvitz-Thompson total, weights 1/inclusion_probability, linearised, normal"


def failure_rate(rows: pl.DataFrame) -> Estimate:
    """The share of failures in all traffic, from columns `failed` and `probability`."""
    return rate(rows["failed"].to_list(), rows["probability"].to_list())


def weighted_count(rows: pl.DataFrame) -> Estimate:
    """The number of failures in all traffic: the rate and its bounds times the summed weights.

    The summed weights of everything looked at estimate the traces it was drawn from; under the
    stratified draw they hardly vary, so their own variance is left out. What was seen to fail is
    there, so the lower bound is never below it.
    """
    found = failure_rate(rows)
    if found.value is None or found.low is None or found.high is None:
        return replace(found, estimator=_COUNT)
    seen = rows.filter(pl.col("failed"))["probability"].to_list()
    failing = math.fsum(1 / p for p in seen)
    total = math.fsum(1 / p for p in rows["probability"].to_list())
    low, high = max(found.low * total, len(seen)), found.high * total
    return Estimate(failing, min(low, failing), max(high, failing), found.n, _COUNT)


def weighted_total(amounts: Sequence[float], probability: Sequence[float]) -> Estimate:
    """The sum of a quantity over all traffic, not below zero.

    T = sum(w x) with w = 1/pi; v(T) = n/(n-1) sum((1 - pi) w² (x - m)²) around the weighted mean
    m, the same linearisation as in `pipeline.estimation.rate`; interval T ± 1.96 sqrt(v). One
    trace that stands for others has no spread to learn from: no bounds then. Source: Särndal,
    Swensson, Wretman, Model Assisted Survey Sampling (1992), 5.7.
    """
    if not amounts:
        return Estimate(None, None, None, 0, _TOTAL)
    n = len(amounts)
    rows = [(x, 1 / pi, 1 - pi) for x, pi in zip(amounts, probability, strict=True)]
    total = math.fsum(w * x for x, w, _ in rows)
    mean = total / math.fsum(w for _, w, _ in rows)
    if n == 1 and rows[0][2] > 0:
        return Estimate(total, None, None, n, _TOTAL)
    spread = math.fsum(rest * w * w * (x - mean) ** 2 for x, w, rest in rows)
    half = _Z95 * math.sqrt(spread * n / max(n - 1, 1))
    return Estimate(total, max(total - half, 0.0), total + half, n, _TOTAL)
