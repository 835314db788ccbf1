"""Weighted failures as a few sums: they add up over days; rates and tests need no more."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.estimation.interval import Estimate, estimate, undefined, wilson_bounds
from pipeline.estimation.weighted import NAME

__all__ = ["EMPTY", "Tally", "tally", "tally_rate", "total"]


@dataclass(frozen=True)
class Tally:
    """What some traffic showed of one kind of failure.

    With a weight w = 1/probability and y = 1 for a failure, over the traces looked at: `n` and
    `seen` count traces and failures, `traffic` = sum(w) and `failures` = sum(w y) estimate them in
    all traffic, `squares` = sum(w²) and `squares_failing` = sum(w² y) say how unevenly.
    """

    n: int
    seen: int
    traffic: float
    failures: float
    squares: float
    squares_failing: float

    def __add__(self, other: Tally) -> Tally:
        return total((self, other))

    @property
    def unit(self) -> float:
        """How many failures of all traffic one observed failure stands for.

            u = (sum(w² y) + m²) / (sum(w y) + m),  m = sum(w²) / sum(w)

        The mean weight of the failures, each weighted by itself, and of one more of the mean
        weight m, so that few failures, or none, do not make it wild. Equal weights w give u = w.
        """
        mean = self.squares / self.traffic if self.traffic else 1.0
        return (self.squares_failing + mean * mean) / (self.failures + mean)

    @property
    def events(self) -> float:
        """The effective number of failures: as variable as so many unweighted ones."""
        return self.failures / self.unit

    @property
    def exposure(self) -> float:
        """The traffic on the scale of `events`: with equal weights, the traces looked at."""
        return self.traffic / self.unit


EMPTY = Tally(0, 0, 0.0, 0.0, 0.0, 0.0)


def tally(failed: Sequence[bool], probability: Sequence[float]) -> Tally:
    """Sum up traces: whether each failed, and the probability that this was seen."""
    rows = [(1 / p, y) for y, p in zip(failed, probability, strict=True)]
    bad = [w for w, y in rows if y]
    return Tally(
        len(rows), len(bad), math.fsum(w for w, _ in rows), math.fsum(bad),
        math.fsum(w * w for w, _ in rows), math.fsum(w * w for w in bad),
    )  # fmt: skip


def total(parts: Iterable[Tally]) -> Tally:
    """The sum of tallies of different traffic; their order does not matter."""
    listed = list(parts)
    return Tally(
        sum(t.n for t in listed), sum(t.seen for t in listed),
        math.fsum(t.traffic for t in listed), math.fsum(t.failures for t in listed),
        math.fsum(t.squares for t in listed), math.fsum(t.squares_failing for t in listed),
    )  # fmt: skip


def tally_rate(of: Tally) -> Estimate:
    """The share of failures in all traffic: what `pipeline.estimation.rate` says of the traces.

    As pi w² = w, its sums follow from those kept here: sum((1 - pi) w²) = squares - traffic, and
    the same of the failures alone; residual = failing (1 - 2p) + p² spread.
    """
    if not of.n or not of.traffic:
        return undefined(0, NAME)
    p = min(of.failures / of.traffic, 1.0)
    spread = _above_rounding(of.squares - of.traffic, of.squares)
    failing = _above_rounding(of.squares_failing - of.failures, of.squares)
    residual = _above_rounding(failing * (1 - 2 * p) + p * p * spread, of.squares)
    n_weights = of.traffic**2 / spread if spread else math.inf
    n_design = p * (1 - p) * of.traffic**2 / residual if residual and 0 < p < 1 else n_weights
    return estimate(p, *wilson_bounds(p, min(n_design, n_weights)), of.n, NAME)


def _above_rounding(value: float, scale: float) -> float:
    """A difference of sums, zero where it is nothing but their rounding to six decimals."""
    return value if value > 1e-6 * max(scale, 1.0) else 0.0
