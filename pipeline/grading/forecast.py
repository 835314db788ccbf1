"""What grading a range of days will ask of the judge, and cost, before it is done."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final, Literal

import polars as pl

from pipeline.grading.cases import read_cases
from pipeline.grading.judge import Judge
from pipeline.grading.judge.payload import write_payload
from pipeline.grading.judge.prompt import write_messages
from pipeline.lake import Lake
from pipeline.registry import Registry
from pipeline.tables import GRADES, RAW_TRACES, STRATIFIED_SAMPLES
from pipeline.windows import Window

__all__ = ["DayForecast", "Price", "call_price", "forecast_days"]

_LOOKED_BACK: Final = 14  # graded days that tell how much of a day reaches the judge
_SHOWN: Final = 50  # conversations that tell how long a prompt is


State = Literal["graded", "sampled", "to be sampled", "nothing landed", "late files"]


@dataclass(frozen=True)
class DayForecast:
    """One day of a range.

    Attributes:
        state: how far the day is: graded by this very judge, sampled, neither, without traces, or
            published before all of it had landed.
        traces: conversations drawn, or the most that will be; None where all are and nobody has
            counted them yet.
        calls: conversations that the judge will be asked about, kept answers not counted.
        usd: what that costs at `Price.usd` a call; None where one of the two is unknown.
    """

    day: str
    state: State
    traces: int | None
    calls: int | None
    usd: float | None


@dataclass(frozen=True)
class Price:
    """USD of a call: the mean of `n` answered ones, else the most that one may cost (n is 0)."""

    usd: float | None
    n: int


def forecast_days(
    lake: Lake,
    days: Iterable[tuple[Window, Registry]],
    judge: Judge,
    price: Price,
    landed: Mapping[str, int] | None,
    late: Collection[Window] = (),
) -> list[DayForecast]:
    """Forecast each day with the registry in force on it; nothing is run and nothing is changed.

    Of a day not graded yet, the share of traces that reaches the judge is that of the latest
    graded days; without one, all do.

    Args:
        lake: what is published.
        days: each with its registry.
        judge: the one that would be asked.
        price: of a call.
        landed: the days that landing files tell of, each with the records of these files, of
            which no day can make more conversations; None where some were not read yet.
        late: days for which files came since; answers on what was drawn before are kept.
    """
    share = _judged_share(lake)
    found = []
    for window, registry in days:
        state, traces = _how_far(lake, window, registry, judge, landed)
        calls = None if traces is None else round(traces * share)
        calls = 0 if state == "graded" else calls
        if landed is not None and window in late:
            budget = registry.settings.sampling.budget_per_day
            most = (landed.get(window.key, 0), budget)
            more = max(min(one for one in most if isinstance(one, int)) - (traces or 0), 0)
            state, traces, calls = "late files", (traces or 0) + more, round(more * share)
        usd = None if calls is None or price.usd is None else calls * price.usd
        found.append(DayForecast(window.key, state, traces, calls, usd))
    return found


def _how_far(
    lake: Lake, window: Window, registry: Registry, judge: Judge, landed: Mapping[str, int] | None
) -> tuple[State, int | None]:
    """How far a day is, and the conversations that are drawn of it, or the most that will be."""
    if lake.exists(STRATIFIED_SAMPLES, window):
        drawn = lake.read(STRATIFIED_SAMPLES, window, ["trace_id"]).height
        graded = lake.exists(GRADES, window) and _graded_by(lake, window, judge)
        return ("graded" if graded else "sampled"), drawn
    if landed is not None and window.key not in landed:
        return "nothing landed", 0
    budget = registry.settings.sampling.budget_per_day
    read = lake.exists(RAW_TRACES, window)
    there = lake.read(RAW_TRACES, window, ["trace_id"]).height if read else None
    if there is None and landed is not None:
        there = landed[window.key]
    known = [most for most in (there, budget) if isinstance(most, int)]
    return "to be sampled", min(known, default=None)


def call_price(lake: Lake, registry: Registry, judge: Judge) -> Price:
    """What a call of the judge costs: by the ledger, else by the longest prompt it may be."""
    if registry.settings.judge.engine == "embedded" and not registry.settings.judge.jury:
        return Price(0.0, 0)
    if (lake.place.ledger / "judge.sqlite").exists():
        from pipeline.grading.judge_calls import mean_cost

        mean, n = mean_cost(lake.place.ledger, judge.identity)
        if n:
            return Price(mean, n)
    return Price(_most(lake, registry), 0)


def _most(lake: Lake, registry: Registry) -> float | None:
    from pipeline.grading.judge.prices import find_prices

    settings = registry.settings.judge
    days = [day for day in lake.windows(GRADES) if lake.exists(STRATIFIED_SAMPLES, day)]
    if settings.jury or not days:
        return None
    cases, _ = read_cases(lake, days[-1], registry, _SHOWN)
    if not cases:
        return None
    lengths = [
        sum(len(m["content"].encode()) for m in write_messages(
            write_payload(case).data, registry.rubric, "DATA-", again=False,
            datamarking=settings.datamarking,
        ))
        for case in cases
    ]  # fmt: skip
    return find_prices(settings).most(round(fmean(lengths)), settings.max_tokens)


def _judged_share(lake: Lake) -> float:
    days = lake.windows(GRADES)[-_LOOKED_BACK:]
    if not days:
        return 1.0
    graded = lake.read(GRADES, days, ["trace_id", "layer"])
    if graded.is_empty():
        return 1.0
    judged = graded.filter(pl.col("layer") == "judge")["trace_id"].n_unique()
    return judged / graded["trace_id"].n_unique()


def _graded_by(lake: Lake, window: Window, judge: Judge) -> bool:
    rows = lake.read(GRADES, window, ["grader_id", "layer"])
    ids: Sequence[str] = rows.filter(pl.col("layer") == "judge")["grader_id"].unique().to_list()
    return all(name.partition("@")[0] == judge.identity for name in ids)
