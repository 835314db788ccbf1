"""A trend test for every intent, release and mode, over the weeks, with the false ones bounded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

import polars as pl

from pipeline.estimation import Line, false_discovery, fit_line, p_rising, shared_scatter
from pipeline.failures.slow.levels import Level, Rise, measure_rise
from pipeline.failures.slow.means import ESTIMATOR, Mean, weekly_means
from pipeline.failures.slow.measures import METRICS
from pipeline.failures.slow.past import Past, Week, read_past
from pipeline.provenance import Counts
from pipeline.registry.settings import Lifecycle
from pipeline.tables import SLOW_FAILURES
from pipeline.windows import Window

__all__ = ["SlowFailures", "find_slow_failures", "what_creeps"]

_LATE = 4  # weeks


@dataclass(frozen=True)
class SlowFailures:
    """What was measured and what creeps up: `frame` fits `slow_failures`."""

    frame: pl.DataFrame
    counts: Counts


@dataclass(frozen=True)
class _Point:
    """A mean with the lines through it and the weeks before: all of them, and the later half."""

    mean: Mean
    line: Line | None = None
    late: Line | None = None
    first_week: date | None = None
    rise: Rise | None = None
    found_before: date | None = None


def find_slow_failures(
    traces: pl.DataFrame,
    failing: pl.DataFrame,
    before: pl.DataFrame,
    limits: Lifecycle,
    window: Window,
) -> SlowFailures:
    """Measure the week and test whether its measures rise over the weeks.

    Each intent and release is measured over all its conversations, each mode over those found in
    it. A week counts where at least `trend_least_traces` were measured; from `trend_least_weeks`
    such weeks on, within `trend_weeks`, a line is fitted and tested (`p_rising`), with what all
    subjects of a metric tell of its scatter (`shared_scatter`). Each p-value is set among all of
    that week's by Benjamini and Hochberg (`false_discovery`), so that what `creeping` says is
    false in about `trend_false_discoveries` of the cases, and a week in which nothing creeps says
    so of anything with about that chance. It has to have risen by `trend_least_rise` or more, and
    to rise still: the line of the later half of the weeks, four at least, rises with a chance of
    at most `trend_still_rising`. A step, as when a release brings a dearer model, is no creeping.
    Beside it stands from where it rose, and how much of that shows where no check failed
    (`measure_rise`).

    Args:
        traces: as `mark_passed` leaves them, of the whole week.
        failing: `trace_id` and `failure_mode_id` of the week's failures.
        before: `slow_failures` of the weeks before, with a `week` (pl.Date).
        limits: the settings.
        window: the week.
    """
    past = read_past(before)
    points = [_with_line(p, past, limits, window.first) for p in weekly_means(traces, failing)]
    p_values, late = _tested(points, "line"), _tested(points, "late")
    q_values = iter(false_discovery([p for p in p_values if p is not None]))
    rows = [
        _row(point, p, None if p is None else next(q_values), still, limits, window.first)
        for point, p, still in zip(points, p_values, late, strict=True)
    ]
    frame = pl.DataFrame(rows, schema=SLOW_FAILURES.schema) if rows else SLOW_FAILURES.empty()
    return SlowFailures(SLOW_FAILURES.conform(frame), Counts("measures", len(rows), len(rows)))


def what_creeps(slow: pl.DataFrame | None) -> dict[tuple[str, str], tuple[str, ...]]:
    """What creeps up by `slow_failures` of a week: (scope, subject) -> metrics, sorted.

    For those who act on it: a conversation of a creeping intent or mode is worth a look though no
    check failed. Empty where that week was never closed.
    """
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    if slow is not None:
        rows = slow.filter("creeping").select("scope", "subject", "metric").sort(pl.all())
        for scope, subject, metric in rows.iter_rows():
            found[scope, subject] = (*found.get((scope, subject), ()), metric)
    return found


def _tested(points: Sequence[_Point], which: Literal["line", "late"]) -> list[float | None]:
    """The p-value of each point's line, of all weeks or the later half; None without one."""
    priors = {
        metric: shared_scatter([p.line for p in points if p.line and p.mean.key[2] == metric])
        for metric in METRICS
    }
    lines = [(getattr(p, which), priors[p.mean.key[2]]) for p in points]
    return [None if line is None else p_rising(line, prior) for line, prior in lines]


def _with_line(mean: Mean, past: Past, limits: Lifecycle, week: date) -> _Point:
    if mean.n < limits.trend_least_traces:
        return _Point(mean)
    start = week - timedelta(weeks=limits.trend_weeks - 1)
    known = past.get(mean.key, ())
    now = Week(
        week, mean.value, mean.n, mean.effective_n, mean.variance, mean.passing, mean.passing_n
    )
    usable = [one for one in known if one.week >= start and one.n >= limits.trend_least_traces]
    points = [*usable, now]
    line = _fit(points, week) if len(points) >= limits.trend_least_weeks else None
    if line is None:
        return _Point(mean)
    late = _fit(points[-max(_LATE, (len(points) + 1) // 2) :], week)
    levels = [Level(p.value, p.effective_n, p.passing, p.passing_n) for p in points]
    if mean.key[0] == "mode":  # whose traces all failed
        levels = [replace(one, passing=one.value, passing_n=one.n) for one in levels]
    rise = measure_rise(levels)
    last = usable[-1]
    found_before = last.since if last.week == week - timedelta(weeks=1) else None
    return _Point(mean, line, late, points[0].week, rise, found_before)


def _fit(points: Sequence[Week], week: date) -> Line | None:
    return fit_line(
        [(one.week - week).days // 7 for one in points],
        [one.value for one in points],
        [one.effective_n for one in points],
        [one.variance for one in points],
    )


def _row(
    point: _Point,
    p: float | None,
    q: float | None,
    late: float | None,
    limits: Lifecycle,
    week: date,
) -> dict[str, Any]:
    line, mean, half = point.line, point.mean, point.mean.half
    rise = line.rise if line else None
    # a measure that starts at nothing has no share to rise by: any rise is one
    large = line is not None and (
        rise >= limits.trend_least_rise if rise is not None else line.slope > 0
    )
    creeping = (
        q is not None
        and q <= limits.trend_false_discoveries
        and large
        and late is not None
        and late <= limits.trend_still_rising
    )
    return {
        "scope": mean.key[0],
        "subject": mean.key[1],
        "metric": mean.key[2],
        "value": round(mean.value, 6),
        "low": None if half is None else max(math.floor((mean.value - half) * 1e6) / 1e6, 0.0),
        "high": None if half is None else math.ceil((mean.value + half) * 1e6) / 1e6,
        "n": mean.n,
        "estimator": ESTIMATOR,
        "effective_n": round(mean.effective_n, 6),
        "variance": round(mean.variance, 9),
        "passing": _rounded(mean.passing, 6),
        "passing_n": mean.passing_n,
        "weeks": line.weeks if line else None,
        "first_week": point.first_week,
        "rise": _rounded(rise, 6),
        "p_value": _rounded(p, 9),
        "q_value": _rounded(q, 9),
        "still_p": _rounded(late, 9),
        "creeping": creeping,
        "since": (point.found_before or week) if creeping else None,
        "baseline": _rounded(point.rise.baseline if point.rise else None, 6),
        "passing_share": _rounded(point.rise.share if point.rise else None, 6),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
