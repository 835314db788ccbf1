"""The estimate that every stage reports, and the interval of a proportion."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Z95", "Estimate", "estimate", "undefined", "wilson", "wilson_bounds"]

Z95 = 1.959963984540054
"""The 97.5 % quantile of the standard normal: two-sided 95 %."""


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval, the observations it rests on, and how it was made.

    `value`, `low` and `high` are None together where the number is not defined (no observation,
    or a margin of the table is empty); `n` counts observations, never weights.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    estimator: str

    @property
    def defined(self) -> bool:
        """Whether there is a number at all."""
        return self.value is not None


def estimate(value: float, low: float, high: float, n: int, estimator: str) -> Estimate:
    """Make an Estimate whose interval holds its value, whatever floating point says.

    Nothing is rounded here, or the interval of a census would miss the very rate it knows; who
    stores an estimate rounds it.
    """
    return Estimate(value, min(low, value), max(high, value), n, estimator)


def undefined(n: int, estimator: str) -> Estimate:
    """An Estimate without a number."""
    return Estimate(None, None, None, n, estimator)


def wilson_bounds(p: float, n: float) -> tuple[float, float]:
    """Wilson's 95 % score interval of a share `p` of `n` observations, `n` real and up to infinity.

    centre (p + z²/2n) / (1 + z²/n), half width z / (1 + z²/n) · sqrt(p(1-p)/n + z²/4n²), z = 1.96.
    It stays within 0 and 1 and keeps a width at p = 0 and p = 1, where p ± z·sqrt(p(1-p)/n) has
    none. Source: E. B. Wilson, JASA 22 (1927) 209-212; compared with others by Brown, Cai and
    DasGupta, Statistical Science 16 (2001) 101-133. An infinite `n` gives the width zero.
    """
    if math.isinf(n):
        return p, p
    shrink = 1 + Z95**2 / n
    centre = (p + Z95**2 / (2 * n)) / shrink
    half = Z95 / shrink * math.sqrt(max(p * (1 - p), 0.0) / n + Z95**2 / (4 * n * n))
    return max(centre - half, 0.0), min(centre + half, 1.0)


def wilson(k: int, n: int) -> Estimate:
    """The share `k` of `n` equally weighted, independent observations, with Wilson's interval.

    Raises:
        ValueError: `k` is not between 0 and `n`.
    """
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is no share")
    if n == 0:
        return undefined(0, "share, unweighted, Wilson")
    return estimate(k / n, *wilson_bounds(k / n, n), n, "share, unweighted, Wilson")
