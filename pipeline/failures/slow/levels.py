"""From what level a measure rose, and whether it rose in conversations that failed nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Level", "Rise", "measure_rise"]


@dataclass(frozen=True)
class Level:
    """One week's means of a measure: over all its `n` traces, and over those that passed."""

    value: float
    n: float
    passing: float | None
    passing_n: float


@dataclass(frozen=True)
class Rise:
    """The level before a measure rose, of traces that passed, and their part in the rise.

    `share` is None where nothing rose, or where a third of the weeks has no trace that passed.
    """

    baseline: float | None
    share: float | None


def measure_rise(weeks: Sequence[Level]) -> Rise:
    """Compare the first third of the weeks with the last third, two weeks each at least.

        baseline = mean of `passing` over the first third, weighted by traces
        share = (passing, last - first) / (value, last - first)

    A line's start lies below what was measured where a measure was steady before it rose, and one
    week alone scatters; a third of them does neither. A share far below one says that failing
    conversations are what rose: that is a failure with a name, and no slow one.

    Args:
        weeks: of the trend, oldest first.
    """
    third = max(2, len(weeks) // 3)
    early, late = weeks[:third], weeks[-third:]
    before, after = _passing(early), _passing(late)
    risen = _mean(late) - _mean(early)
    if before is None or after is None or risen <= 0:
        return Rise(before, None)
    return Rise(before, (after - before) / risen)


def _mean(weeks: Sequence[Level]) -> float:
    return sum(one.value * one.n for one in weeks) / sum(one.n for one in weeks)


def _passing(weeks: Sequence[Level]) -> float | None:
    known = [(one.passing, one.passing_n) for one in weeks if one.passing is not None]
    mass = sum(n for _, n in known)
    return sum(value * n for value, n in known) / mass if mass else None
