"""Whether something creeps up from week to week, and how many such findings are false."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, variance

__all__ = ["Line", "Prior", "false_discovery", "fit_line", "p_rising", "shared_scatter"]

_FEWEST = 3  # lines that have something to share
_MOST = 200.0  # degrees of freedom that a prior may have


@dataclass(frozen=True)
class Line:
    """A line through weekly means.

    `first` and `last` are its ends, `slope` its rise a week, `across` = sum(w (x - X)²), `scatter`
    = s² of the means about it for the weight one, `within` the variance between traces of a week.
    """

    first: float
    last: float
    slope: float
    across: float
    scatter: float
    within: float
    weeks: int

    @property
    def rise(self) -> float | None:
        """The rise from the first week to the last, as a share of the first."""
        return (self.last - self.first) / self.first if self.first > 0 else None

    @property
    def degrees(self) -> int:
        """Degrees of freedom of `scatter`."""
        return self.weeks - 2

    @property
    def excess(self) -> float | None:
        """How much more weeks differ than their traces let expect; None where traces are alike."""
        return self.scatter / self.within if self.within > 0 else None


@dataclass(frozen=True)
class Prior:
    """What many lines share: how much weeks of such a measure differ, and how surely."""

    excess: float
    degrees: float


def fit_line(
    weeks: Sequence[int], means: Sequence[float], weights: Sequence[float], within: Sequence[float]
) -> Line | None:
    """Fit a line to weekly means by weighted least squares.

        b = sum(w (x - X)(y - Y)) / sum(w (x - X)²),  X and Y the weighted means
        s² = sum(w (y - line)²) / (k - 2)

    Args:
        weeks: their numbers.
        means: of the measure.
        weights: the traces behind each mean.
        within: the variance between the traces of each week; the line has their weighted mean.

    Returns:
        None for fewer than three weeks, and where all means are the same: nothing to test.
    """
    k = len(weeks)
    if k < 3 or max(means) - min(means) <= 1e-12 * max(map(abs, means)):
        return None
    mass = math.fsum(weights)
    x_mean = math.fsum(w * x for w, x in zip(weights, weeks, strict=True)) / mass
    y_mean = math.fsum(w * y for w, y in zip(weights, means, strict=True)) / mass
    rows = list(zip(weights, weeks, means, strict=True))
    across = math.fsum(w * (x - x_mean) ** 2 for w, x, _ in rows)
    slope = math.fsum(w * (x - x_mean) * (y - y_mean) for w, x, y in rows) / across
    line = [y_mean + slope * (x - x_mean) for x in weeks]
    left = math.fsum(w * (y - at) ** 2 for (w, _, y), at in zip(rows, line, strict=True))
    inside = math.fsum(w * v for w, v in zip(weights, within, strict=True)) / mass
    return Line(line[0], line[-1], slope, across, left / (k - 2), inside, k)


def shared_scatter(lines: Sequence[Line]) -> Prior | None:
    """What the lines of one measure tell of one another's scatter.

    A few weeks say little of how much they differ. The excess e of each line, its scatter over
    what its traces let expect, is taken as e0 F(d, d0) distributed, and e0 and d0 follow from mean
    and variance of z = log e - digamma(d/2) + log(d/2):

        trigamma(d0/2) = var(z) - mean(trigamma(d/2)),  log e0 = mean(z) + digamma(d0/2) - log(d0/2)

    Source: Smyth, Statistical Applications in Genetics and Molecular Biology 3 (2004) 3, whose
    limma does so for gene expression.

    Returns:
        None where fewer than three lines have an excess: each then stands for itself.
    """
    from scipy.optimize import brentq
    from scipy.special import digamma, polygamma

    known = [(line.excess, line.degrees / 2) for line in lines if line.excess]
    if len(known) < _FEWEST:
        return None
    z = [math.log(e) - float(digamma(h)) + math.log(h) for e, h in known if e]
    left = variance(z) - fmean(float(polygamma(1, h)) for _, h in known)
    half = _MOST / 2
    if left > float(polygamma(1, half)):
        half = float(brentq(lambda h: polygamma(1, h) - left, 1e-3, half))
    return Prior(math.exp(fmean(z) + float(digamma(half)) - math.log(half)), 2 * half)


def p_rising(line: Line, prior: Prior | None = None) -> float:
    """The chance of a line that rises so steeply where nothing rises.

        s~² = (d0 e0 v + d s²) / (d0 + d),  t = b / sqrt(s~² / S),  P(T >= t) with d0 + d degrees

    with v the variance within weeks and S = `across`. Without a prior d0 = 0: Student's test of a
    slope. How much weeks differ is so learnt from the weeks themselves, and a measure that
    wanders for reasons of its own must rise by more than it wanders.
    """
    from scipy.stats import t as student

    scatter, degrees = line.scatter, float(line.degrees)
    if prior is not None and line.within > 0:
        degrees += prior.degrees
        shared = prior.degrees * prior.excess * line.within
        scatter = (shared + line.degrees * line.scatter) / degrees
    error = math.sqrt(scatter / line.across)
    if error <= 1e-12 * abs(line.slope):
        return 0.0 if line.slope > 0 else 1.0
    return float(student.sf(line.slope / error, degrees))


def false_discovery(p_values: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's q of each p: the false share among findings up to it.

    Of p sorted ascending, q_i = min over j >= i of (m p_j / j). Calling all with q <= a findings
    keeps the expected share of false ones at a; where nothing is there to find, the chance of any
    finding at all is at most a. Source: JRSS B 57 (1995) 289-300.
    """
    m = len(p_values)
    order = sorted(range(m), key=lambda i: p_values[i], reverse=True)
    found = [1.0] * m
    least = 1.0
    for step, i in enumerate(order):
        least = min(least, p_values[i] * m / (m - step))
        found[i] = least
    return found
