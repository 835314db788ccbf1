"""A trend test for every intent, release and mode, over the weeks, with the false ones bounded."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

import polars as pl

from pipeline.estimation import Line, false_discovery, fit_line, p_rising, shared_scatter
from pipeline.failures.slow.measures import METRICS
from pipeline.provenance import Counts
from pipeline.registry.settings import Lifecycle
from pipeline.tables import SLOW_FAILURES
from pipeline.windows import Window

__all__ = ["SlowFailures", "find_slow_failures"]

_LATE = 4  # weeks
_Z95 = 1.959963984540054
_NAME = "Hajek mean, weights 1/inclusion_probability, linearised, normal"


@dataclass(frozen=True)
class SlowFailures:
    """What was measured and what creeps up: `frame` fits `slow_failures`."""

    frame: pl.DataFrame
    counts: Counts


@dataclass(frozen=True)
class _Point:
    """The mean of one measure of one subject in one week."""

    key: tuple[str, str, str]
    value: float
    half: float | None
    n: int
    effective_n: float
    variance: float
    line: Line | None = None
    late: Line | None = None
    first_week: date | None = None


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

    Args:
        traces: as `measure_traces` gives them, of the whole week.
        failing: `trace_id` and `failure_mode_id` of the week's failures.
        before: `slow_failures` of the weeks before, with a `week` (pl.Date).
        limits: the settings.
        window: the week.
    """
    past = _past(before)
    points = [_with_line(p, past, limits, window.first) for p in _points(traces, failing)]
    p_values, late = _tested(points, "line"), _tested(points, "late")
    q_values = iter(false_discovery([p for p in p_values if p is not None]))
    rows = [
        _row(point, p, None if p is None else next(q_values), still, limits)
        for point, p, still in zip(points, p_values, late, strict=True)
    ]
    frame = pl.DataFrame(rows, schema=SLOW_FAILURES.schema) if rows else SLOW_FAILURES.empty()
    return SlowFailures(SLOW_FAILURES.conform(frame), Counts("measures", len(rows), len(rows)))


def _points(traces: pl.DataFrame, failing: pl.DataFrame) -> Iterator[_Point]:
    """The week's means, in the order of the table's key."""
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
                known = own.select("weight", metric).drop_nulls()
                if known.height:
                    yield _mean((scope, subject, metric), known["weight"], known[metric])


def _tested(points: Sequence[_Point], which: Literal["line", "late"]) -> list[float | None]:
    """The p-value of each point's line, of all weeks or the later half; None without one."""
    priors = {
        metric: shared_scatter([p.line for p in points if p.line and p.key[2] == metric])
        for metric in METRICS
    }
    lines = [(getattr(p, which), priors[p.key[2]]) for p in points]
    return [None if line is None else p_rising(line, prior) for line, prior in lines]


def _mean(key: tuple[str, str, str], weights: pl.Series, values: pl.Series) -> _Point:
    """The weighted mean, half its interval, Kish's effective number of traces, their variance.

    m = sum(w x) / sum(w); v = n/(n-1) sum((1 - 1/w) w² (x - m)²) / sum(w)², as in
    `pipeline.report.estimates`; n_e = sum(w)² / sum(w²); n/(n-1) sum(w (x - m)²) / sum(w).
    """
    rows = list(zip(weights, values, strict=True))
    n, mass = len(rows), math.fsum(weights)
    mean = math.fsum(w * x for w, x in rows) / mass
    squares = math.fsum(w * w for w in weights)
    spread = math.fsum(w * (w - 1) * (x - mean) ** 2 for w, x in rows)
    small = n / max(n - 1, 1)
    half = None
    if n > 1 or all(w <= 1 for w in weights):
        half = _Z95 * math.sqrt(spread * small) / mass
    variance = small * math.fsum(w * (x - mean) ** 2 for w, x in rows) / mass
    return _Point(key, mean, half, n, mass * mass / squares, variance)


_Week = tuple[date, float, int, float, float]  # value, n, effective n, variance
_Past = Mapping[tuple[str, str, str], Sequence[_Week]]


def _past(before: pl.DataFrame) -> _Past:
    found: dict[tuple[str, str, str], list[_Week]] = {}
    columns = ["week", "value", "n", "effective_n", "variance"]
    rows = before.sort("week").select("scope", "subject", "metric", *columns)
    for scope, subject, metric, week, value, n, effective_n, variance in rows.iter_rows():
        point = (week, value, n, effective_n, variance)
        found.setdefault((scope, subject, metric), []).append(point)
    return found


def _with_line(point: _Point, past: _Past, limits: Lifecycle, week: date) -> _Point:
    if point.n < limits.trend_least_traces:
        return point
    start = week - timedelta(weeks=limits.trend_weeks - 1)
    usable = [
        known
        for known in past.get(point.key, ())
        if known[0] >= start and known[2] >= limits.trend_least_traces
    ]
    points = [*usable, (week, point.value, point.n, point.effective_n, point.variance)]
    if len(points) < limits.trend_least_weeks:
        return point
    line = _fit(points, week)
    if line is None:
        return point
    late = _fit(points[-max(_LATE, (len(points) + 1) // 2) :], week)
    return replace(point, line=line, late=late, first_week=points[0][0])


def _fit(points: Sequence[_Week], week: date) -> Line | None:
    return fit_line(
        [(day - week).days // 7 for day, *_ in points],
        [value for _, value, *_ in points],
        [size for *_, size, _ in points],
        [variance for *_, variance in points],
    )


def _row(
    point: _Point, p: float | None, q: float | None, late: float | None, limits: Lifecycle
) -> dict[str, Any]:
    line = point.line
    rise = line.rise if line else None
    # a measure that starts at nothing has no share to rise by: any rise is one
    large = line is not None and (
        rise >= limits.trend_least_rise if rise is not None else line.slope > 0
    )
    half = point.half
    return {
        "scope": point.key[0],
        "subject": point.key[1],
        "metric": point.key[2],
        "value": round(point.value, 6),
        "low": None if half is None else max(math.floor((point.value - half) * 1e6) / 1e6, 0.0),
        "high": None if half is None else math.ceil((point.value + half) * 1e6) / 1e6,
        "n": point.n,
        "estimator": _NAME,
        "effective_n": round(point.effective_n, 6),
        "variance": round(point.variance, 9),
        "weeks": line.weeks if line else None,
        "first_week": point.first_week,
        "rise": None if rise is None else round(rise, 6),
        "p_value": None if p is None else round(p, 9),
        "q_value": None if q is None else round(q, 9),
        "still_p": None if late is None else round(late, 9),
        "creeping": q is not None
        and q <= limits.trend_false_discoveries
        and large
        and late is not None
        and late <= limits.trend_still_rising,
    }
