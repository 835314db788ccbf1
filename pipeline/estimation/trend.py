"""Whether something creeps up from week to week, and how many such findings are false."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Trend", "false_discovery", "rising"]


@dataclass(frozen=True)
class Trend:
    """A line through weekly means: its ends, its slope a week, and the chance of such a rise."""

    first: float
    last: float
    slope: float
    p_value: float
    weeks: int

    @property
    def rise(self) -> float | None:
        """The rise from the first week to the last, as a share of the first."""
        return (self.last - self.first) / self.first if self.first > 0 else None


def rising(weeks: Sequence[int], means: Sequence[float], weights: Sequence[float]) -> Trend | None:
    """Fit a line to weekly means by weighted least squares, and test that it does not rise.

        slope b = sum(w (x - X)(y - Y)) / S,  S = sum(w (x - X)²),  X and Y the weighted means
        s² = sum(w (y - line)²) / (k - 2)
        t = b / sqrt(s² / S),  p = P(T >= t) with k - 2 degrees of freedom

    The weights are the traces behind each mean. How much weeks differ is learnt from the weeks
    themselves (s²), so a measure that wanders from week to week for reasons of its own must rise
    by more than it wanders.

    Returns:
        None for fewer than three weeks. A line without any scatter has p = 0 if it rises, else 1.
    """
    from scipy.stats import t as student

    k = len(weeks)
    if k < 3:
        return None
    mass = math.fsum(weights)
    x_mean = math.fsum(w * x for w, x in zip(weights, weeks, strict=True)) / mass
    y_mean = math.fsum(w * y for w, y in zip(weights, means, strict=True)) / mass
    rows = list(zip(weights, weeks, means, strict=True))
    across = math.fsum(w * (x - x_mean) ** 2 for w, x, _ in rows)
    slope = math.fsum(w * (x - x_mean) * (y - y_mean) for w, x, y in rows) / across
    line = [y_mean + slope * (x - x_mean) for x in weeks]
    left = math.fsum(w * (y - at) ** 2 for (w, _, y), at in zip(rows, line, strict=True))
    error = math.sqrt(left / (k - 2) / across)
    if error <= 1e-12 * max(abs(y_mean), 1.0):
        p = 0.0 if slope > 1e-12 * max(abs(y_mean), 1.0) else 1.0
    else:
        p = float(student.sf(slope / error, k - 2))
    return Trend(line[0], line[-1], slope, p, k)


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
