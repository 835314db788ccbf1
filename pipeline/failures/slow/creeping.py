"""A trend test for every intent, release and mode, over the weeks, with the false ones bounded."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import polars as pl

from pipeline.estimation import Trend, false_discovery, rising
from pipeline.failures.slow.measures import METRICS
from pipeline.provenance import Counts
from pipeline.registry.settings import Lifecycle
from pipeline.tables import SLOW_FAILURES
from pipeline.windows import Window

__all__ = ["SlowFailures", "find_slow_failures"]

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
    trend: Trend | None = None
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
    such weeks on, within `trend_weeks`, a line is fitted (`rising`) and its p-value is set among
    all of that week's by Benjamini and Hochberg (`false_discovery`). What `creeping` says is then
    false in at most `trend_false_discoveries` of the cases, and a week in which nothing creeps
    says so of anything with at most that chance; and it rose by `trend_least_rise` or more.

    Args:
        traces: as `measure_traces` gives them, of the whole week.
        failing: `trace_id` and `failure_mode_id` of the week's failures.
        before: `slow_failures` of the weeks before, with a `week` (pl.Date).
        limits: the settings.
        window: the week.
    """
    points = [_with_trend(p, _past(before), limits, window.first) for p in _points(traces, failing)]
    tested = [p.trend.p_value for p in points if p.trend]
    q_values = iter(false_discovery(tested))
    rows = [_row(p, next(q_values) if p.trend else None, limits) for p in points]
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


def _mean(key: tuple[str, str, str], weights: pl.Series, values: pl.Series) -> _Point:
    """The weighted mean, half its interval, and Kish's effective number of traces.

    m = sum(w x) / sum(w); v = n/(n-1) sum((1 - 1/w) w² (x - m)²) / sum(w)², as in
    `pipeline.report.estimates`; n_e = sum(w)² / sum(w²).
    """
    rows = list(zip(weights, values, strict=True))
    n, mass = len(rows), math.fsum(weights)
    mean = math.fsum(w * x for w, x in rows) / mass
    squares = math.fsum(w * w for w in weights)
    spread = math.fsum(w * (w - 1) * (x - mean) ** 2 for w, x in rows)
    half = None
    if n > 1 or all(w <= 1 for w in weights):
        half = _Z95 * math.sqrt(spread * n / max(n - 1, 1)) / mass
    return _Point(key, mean, half, n, mass * mass / squares)


_Past = Mapping[tuple[str, str, str], Sequence[tuple[date, float, int, float]]]


def _past(before: pl.DataFrame) -> _Past:
    found: dict[tuple[str, str, str], list[tuple[date, float, int, float]]] = {}
    columns = ["scope", "subject", "metric", "week", "value", "n", "effective_n"]
    for scope, subject, metric, *point in before.select(columns).sort("week").iter_rows():
        found.setdefault((scope, subject, metric), []).append((*point,))
    return found


def _with_trend(point: _Point, past: _Past, limits: Lifecycle, week: date) -> _Point:
    if point.n < limits.trend_least_traces:
        return point
    start = week - timedelta(weeks=limits.trend_weeks - 1)
    usable = [
        known
        for known in past.get(point.key, ())
        if known[0] >= start and known[2] >= limits.trend_least_traces
    ]
    points = [*usable, (week, point.value, point.n, point.effective_n)]
    if len(points) < limits.trend_least_weeks:
        return point
    trend = rising(
        [(day - week).days // 7 for day, *_ in points],
        [value for _, value, *_ in points],
        [size for *_, size in points],
    )
    return replace(point, trend=trend, first_week=points[0][0])


def _row(point: _Point, q: float | None, limits: Lifecycle) -> dict[str, Any]:
    trend = point.trend
    rise = trend.rise if trend else None
    # a measure that starts at nothing has no share to rise by: any rise is one
    large = trend is not None and (
        rise >= limits.trend_least_rise if rise is not None else trend.slope > 0
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
        "weeks": trend.weeks if trend else None,
        "first_week": point.first_week,
        "rise": None if rise is None else round(rise, 6),
        "p_value": None if trend is None else round(trend.p_value, 9),
        "q_value": None if q is None else round(q, 9),
        "creeping": q is not None and q <= limits.trend_false_discoveries and large,
    }
