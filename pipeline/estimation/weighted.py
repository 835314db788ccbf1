"""The rate of failure in all traffic, estimated from traces drawn with known probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pipeline.estimation.interval import Estimate, estimate, undefined, wilson_bounds

__all__ = ["NAME", "rate"]

NAME = "Hajek, weights 1/inclusion_probability, Wilson at the effective n"
"""How a Hájek rate says that it was made."""


def rate(failed: Sequence[bool], probability: Sequence[float]) -> Estimate:
    """Estimate the share of failures among all traces the sample was drawn from.

    With the design weights w = 1/pi and y = 1 for a failure (math.fsum, so that the order of rows
    does not matter):

        p = sum(w y) / sum(w)                                Hajek's ratio estimator
        v = sum((1 - pi) w² (y - p)²) / sum(w)²              its linearised variance
        n_design = p (1 - p) / v                             what a simple random sample would need
        n_weights = sum(w)² / sum((1 - pi) w²)               the same, were y unrelated to w
        n_effective = min(n_design, n_weights)
        interval = Wilson's at p and n_effective

    v treats draws as independent (a Poisson design). The draw within a stratum is negatively
    dependent, so v is too large rather than too small. The factor 1 - pi is the finite-population
    correction: where everything was looked at, the interval has no width. n_design alone would
    break down where few failures are seen (v is 0 at p = 0) or all of them stand in a census, so
    it never counts for more than n_weights, Kish's effective sample size with that correction.

    Args:
        failed: one truth value a sampled trace.
        probability: its inclusion probability, above 0 and at most 1.

    Raises:
        ValueError: the two differ in length, or a probability is out of range.

    Source: Särndal, Swensson, Wretman, Model Assisted Survey Sampling (1992), 5.7 and 7.2; Kish,
    Survey Sampling (1965), 11.7; the effective n inside a binomial interval as in Korn and
    Graubard, Survey Methodology 24 (1998) 193-201.
    """
    if len(failed) != len(probability):
        raise ValueError(f"{len(failed)} outcomes, but {len(probability)} probabilities")
    outside = sum(1 for pi in probability if not 0 < pi <= 1)
    if outside:
        raise ValueError(f"{outside} inclusion probabilities are not above 0 and at most 1")
    if not failed:
        return undefined(0, NAME)
    rows = [(1.0 if y else 0.0, 1 / pi, 1 - pi) for y, pi in zip(failed, probability, strict=True)]
    total = math.fsum(w for _, w, _ in rows)
    p = math.fsum(w * y for y, w, _ in rows) / total
    spread = math.fsum(rest * w * w for _, w, rest in rows)
    residual = math.fsum(rest * w * w * (y - p) ** 2 for y, w, rest in rows)
    n_weights = total**2 / spread if spread else math.inf
    n_design = p * (1 - p) * total**2 / residual if residual and 0 < p < 1 else n_weights
    return estimate(p, *wilson_bounds(p, min(n_design, n_weights)), len(failed), NAME)
