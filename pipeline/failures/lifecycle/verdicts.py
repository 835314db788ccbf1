"""What production says of a mode: is it above its band, did a fix hold, did it come back."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from pipeline.estimation import (
    Tally,
    exposure_to_tell,
    p_fell,
    p_rose,
    p_rose_by_weekday,
)
from pipeline.failures.lifecycle.history import History
from pipeline.registry.settings import Lifecycle

__all__ = ["Band", "FixVerdict", "Return", "has_returned", "held_to_band", "judge_fix"]

_WEEK = timedelta(days=7)
_LOOKS_BACK = (1, 4)  # weeks: a return at full strength, and a faint one


@dataclass(frozen=True)
class Band:
    """A week against the mode's own past: failures expected, the chance of so many, the verdict.

    `expected` and `p` are None where the past is too short to say.
    """

    expected: float | None
    p: float | None
    above: bool


@dataclass(frozen=True)
class FixVerdict:
    """Whether the rate fell with the claimed release.

    `needs` says how many more traces of it, none of them failing, would tell; None where that
    cannot be said, or need not.
    """

    verdict: Literal["not_enough_data", "verified", "refuted"]
    p: float
    before: Tally
    after: Tally
    needs: int | None


@dataclass(frozen=True)
class Return:
    """The return of a mended mode: since when, on which release, and how improbable by chance.

    `day` is None where it did not return; `seen` are failures since the fix, in the window.
    """

    day: date | None
    release: str | None
    p: float
    seen: int


def held_to_band(history: History, week: date, limits: Lifecycle) -> Band:
    """Hold a week against the mode's own weeks before it, weekday by weekday.

    The week is above its band when so many failures have a chance of at most `band_false_alarm`,
    were the mode as it was in the `band_weeks` before (`p_rose_by_weekday`). Modes come in bursts,
    so both counts are divided by the dispersion of the weeks before,

        d = max(1, sum((k_t - e_t)² / e_t) / (T - 1)),  e_t = the events that week t's traffic has

    as in a quasi-Poisson model (McCullagh and Nelder, Generalized Linear Models, 1989, 6.2.3).
    """
    now = history.between(week, week)
    past = history.between(week - limits.band_weeks * _WEEK, week - _WEEK)
    if len(past.weeks) < limits.band_least_weeks or not now.tally.n:
        return Band(None, None, False)
    spread = _dispersion(past)
    p, mean = p_rose_by_weekday(
        [(events / spread, exposure) for events, exposure in past.by_weekday()],
        [(events / spread, exposure) for events, exposure in now.by_weekday()],
    )
    expected = past.tally.failures / past.tally.traffic * now.tally.traffic
    enough = now.tally.seen >= limits.band_least_failures
    return Band(expected, p, enough and p <= limits.band_false_alarm and now.tally.events > mean)


def judge_fix(history: History, fixed: Collection[str], limits: Lifecycle) -> FixVerdict:
    """Compare the mode's rate on releases with the fix to that on releases without it.

    Verified: the rate fell (`p_fell` at most `fix_error`), and at most `fix_leaves` of it is left.
    Refuted: so many failures have a chance of at most `fix_error` even if `fix_leaves` of the
    rate were left. Else there is not enough data.

    Args:
        history: from the day on which the mode was last known to be open.
        fixed: the releases that have the fix; traffic that names no release is left out.
        limits: the settings.
    """
    first, last = date.min, date.max
    after = history.between(first, last, only=fixed).tally
    before = history.between(first, last, without={*fixed, ""}).tally
    p = p_fell(before, after)
    left = _ratio(before, after)
    if left is not None and p <= limits.fix_error and left <= limits.fix_leaves:
        return FixVerdict("verified", p, before, after, None)
    if limits.fix_leaves and p_rose(before, after, limits.fix_leaves) <= limits.fix_error:
        return FixVerdict("refuted", p, before, after, None)
    more = exposure_to_tell(before, after, limits.fix_error)
    return FixVerdict(
        "not_enough_data", p, before, after, None if more is None else max(math.ceil(more), 1)
    )


def has_returned(
    history: History, fixed: Collection[str], week: date, verified: date, limits: Lifecycle
) -> Return:
    """Whether a mended mode fails again at a rate that its mended time does not explain.

    The week, and the last four weeks since it was verified, are each held against all the traffic
    with the fix before them (`p_rose`); either may be alarmed with half of
    `regression_false_alarm`. One stray failure never is: `regression_least_failures` have to be
    seen.

    Args:
        history: from the day on which the mode was last known to be open.
        fixed: the releases that have the fix.
        week: the Monday of the week.
        verified: the last day of the week that verified the fix.
        limits: the settings.
    """
    mended = history.between(date.min, date.max, only=fixed)
    found = Return(None, None, 1.0, 0)
    for weeks in _LOOKS_BACK:
        start = max(week - (weeks - 1) * _WEEK, verified + timedelta(days=1))
        window = mended.between(start, week)
        before = mended.between(date.min, start - _WEEK).tally
        p = p_rose(before, window.tally)
        if p >= found.p:
            continue
        seen = window.tally.seen
        alarmed = (
            p <= limits.regression_false_alarm / len(_LOOKS_BACK)
            and seen >= limits.regression_least_failures
        )
        day, release = _culprit(before, window) if alarmed else (None, None)
        found = Return(day, release, p, seen)
    return found


def _culprit(before: Tally, window: History) -> tuple[date | None, str | None]:
    """The release whose failures are the least probable, and the first day on which it failed.

    A stray failure of an older release in the same weeks is not what brought the mode back.
    """
    first, last = date.min, date.max
    _, day, release = min(
        (p_rose(before, window.between(first, last, only={release}).tally), day, release)
        for release, day in window.first_failures().items()
    )
    return day, release


def _ratio(before: Tally, after: Tally) -> float | None:
    if not before.failures or not after.traffic:
        return None
    return (after.failures / after.traffic) / (before.failures / before.traffic)


def _dispersion(past: History) -> float:
    weeks = past.weeks
    whole = past.tally
    if len(weeks) < 2 or not whole.events:
        return 1.0
    chi = 0.0
    for week in weeks:
        one = past.between(week, week).tally
        expected = whole.events * one.traffic / whole.traffic
        chi += (one.failures / whole.unit - expected) ** 2 / expected
    return max(1.0, chi / (len(weeks) - 1))
