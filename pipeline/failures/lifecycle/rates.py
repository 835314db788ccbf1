"""How often each failure mode struck each release in one week."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from pipeline.estimation import Tally, tally_rate
from pipeline.failures.lifecycle.membership import chance_of_a_verdict, failures_of_modes
from pipeline.provenance import Counts
from pipeline.registry import Registry
from pipeline.tables import MODE_RATES

__all__ = ["Rates", "measure_rates"]

_DAYS = range(7)
_Place = tuple[str, int]  # release, weekday


@dataclass(frozen=True)
class Rates:
    """The rates of a week: `frame` fits `mode_rates`."""

    frame: pl.DataFrame
    counts: Counts


@dataclass
class _Cell:
    """Weights of the traces of one release and weekday, and of those in a mode."""

    weights: list[float] = field(default_factory=list)
    failing: list[float] = field(default_factory=list)
    n: int = 0


def measure_rates(grades: pl.DataFrame, modes: pl.DataFrame, registry: Registry) -> Rates:
    """Measure every mode that is not at rest, on every release that had traffic.

    A trace is in a mode when one of its failures has a signature of it. What is estimated is the
    share of all conversations found in the mode, as in the view `mode_observations`: a trace that
    none of the mode's checks looked at counts as one without it, and where a check looked at some
    traces only (`rate_probability`), those stand for the rest.

    Args:
        grades: of the week's days, with a `day` (pl.Date).
        modes: `failure_modes` of that week.
        registry: as of the week's end.
    """
    traces = _graded(grades)
    base = _base(traces.values())
    failures = _failures(grades, modes, registry)
    partial = _partial(grades)
    rows = []
    for mode, check, state in modes.select("failure_mode_id", "check", "state").sort(
        "failure_mode_id"
    ).iter_rows():  # fmt: skip
        own = failures.get(mode, {})
        if not own and state == "archived":
            continue
        checks = sorted({check, *(c for c, _ in own)})
        failing: dict[str, float] = {}
        for (_, trace), chance in own.items():
            failing[trace] = max(failing.get(trace, 0.0), chance)
        thinned: dict[str, float] = {}
        for name in checks:
            for trace, chance in partial.get(name, {}).items():
                thinned[trace] = min(thinned.get(trace, 1.0), chance)
        rows += _rows_of(mode, base, traces, failing, thinned)
    frame = pl.DataFrame(rows, schema=MODE_RATES.schema) if rows else MODE_RATES.empty()
    return Rates(MODE_RATES.conform(frame), Counts("rates", len(rows), len(rows)))


@dataclass(frozen=True)
class _Trace:
    day: date
    release: str
    chance: float

    @property
    def place(self) -> _Place:
        return self.release, self.day.weekday()


def _graded(grades: pl.DataFrame) -> dict[str, _Trace]:
    rows = grades.select("trace_id", "day", pl.col("release").fill_null(""), "weight").unique(
        ["trace_id"], keep="first", maintain_order=True
    )
    return {
        trace: _Trace(day, release, min(1 / (weight or 1.0), 1.0))
        for trace, day, release, weight in rows.iter_rows()
    }


def _base(traces: Iterable[_Trace]) -> dict[_Place, Tally]:
    """The traffic that every mode shares, by release and weekday."""
    weights: dict[_Place, list[float]] = {}
    for trace in traces:
        weights.setdefault(trace.place, []).append(1 / trace.chance)
    return {
        place: Tally(len(w), 0, math.fsum(w), 0.0, math.fsum(x * x for x in w), 0.0)
        for place, w in sorted(weights.items())
    }


def _failures(
    grades: pl.DataFrame, modes: pl.DataFrame, registry: Registry
) -> dict[str, dict[tuple[str, str], float]]:
    """Of each mode its failures, (check, trace) -> the likeliest way in which it could be seen."""
    found: dict[str, dict[tuple[str, str], float]] = {}
    for mode, check, trace, chance in failures_of_modes(grades, modes, registry).iter_rows():
        found.setdefault(mode, {})[check, trace] = chance
    return found


def _partial(grades: pl.DataFrame) -> dict[str, dict[str, float]]:
    """Verdicts of checks that look at a part of the traces: check -> trace -> chance."""
    rows = (
        grades.filter(
            pl.col("verdict").is_in(["pass", "fail"]) & (pl.col("rate_probability") < 1.0)
        )
        .with_columns(chance_of_a_verdict())
        .group_by("check", "trace_id")
        .agg(pl.col("chance").min())
        .sort("check", "trace_id")
    )
    found: dict[str, dict[str, float]] = {}
    for check, trace, chance in rows.iter_rows():
        found.setdefault(check, {})[trace] = chance
    return found


def _rows_of(
    mode: str,
    base: Mapping[_Place, Tally],
    traces: Mapping[str, _Trace],
    failing: Mapping[str, float],
    thinned: Mapping[str, float],
) -> list[dict[str, object]]:
    """The rows of one mode: the shared traffic, put right where the mode sees it otherwise."""
    changes: dict[_Place, _Cell] = {}
    days: dict[str, list[date]] = {}
    for trace in sorted(failing.keys() | thinned.keys()):
        known = traces[trace]
        cell = changes.setdefault(known.place, _Cell())
        weight = 1 / failing.get(trace, thinned.get(trace, known.chance))
        cell.weights += [weight, -1 / known.chance]
        if trace in failing:
            cell.failing.append(weight)
            days.setdefault(known.release, []).append(known.day)
    rows = []
    for release in sorted({place[0] for place in base}):
        by_day = [_changed(base.get((release, d)), changes.get((release, d))) for d in _DAYS]
        rows.append(_row(mode, release, by_day, sorted(days.get(release, []))))
    return rows


def _changed(shared: Tally | None, cell: _Cell | None) -> Tally:
    shared = shared or Tally(0, 0, 0.0, 0.0, 0.0, 0.0)
    if cell is None:
        return shared
    return Tally(
        shared.n,
        len(cell.failing),
        math.fsum([shared.traffic, *cell.weights]),
        math.fsum(cell.failing),
        math.fsum([shared.squares, *(math.copysign(w * w, w) for w in cell.weights)]),
        math.fsum(w * w for w in cell.failing),
    )


def _row(mode: str, release: str, by_day: list[Tally], days: list[date]) -> dict[str, object]:
    whole = Tally(
        sum(t.n for t in by_day),
        sum(t.seen for t in by_day),
        *(
            round(math.fsum(getattr(t, name) for t in by_day), 6)
            for name in ("traffic", "failures", "squares", "squares_failing")
        ),
    )
    rate = tally_rate(whole)
    return {
        "failure_mode_id": mode,
        "release": release,
        "n": whole.n,
        "seen": whole.seen,
        "traffic": whole.traffic,
        "failures": whole.failures,
        "rate": _rounded(rate.value),
        "low": None if rate.low is None else math.floor(rate.low * 1e6) / 1e6,
        "high": None if rate.high is None else math.ceil(rate.high * 1e6) / 1e6,
        "estimator": rate.estimator,
        "squares": whole.squares,
        "squares_failing": whole.squares_failing,
        "traffic_by_weekday": [round(t.traffic, 6) for t in by_day],
        "failures_by_weekday": [round(t.failures, 6) for t in by_day],
        "first_failure": days[0] if days else None,
        "last_failure": days[-1] if days else None,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
