"""The random share of the queue: a Poisson sample of each day's redacted traces, by keyed hash.

Labels picked by expected value are no random sample: a judge calibrated on them would be measured
on what is odd. So each trace of a day with N redacted ones is drawn with the same known chance

    p = min(1, random_per_day / N)

independently of any verdict, when its hash in [0, 1) is below p. No state is kept: the draw is the
same for every reviewer, on every machine and in every order, and a late trace displaces nobody
(where it changes N it moves p a little). Within a day traces are shown in the order of that hash,
so that what reviewers get through is a random part of the day even when they do not finish it.

As long as a trace is in the draw nobody is shown what was said of it, looked at already or not: or
it could not be told who was blind. After `random_days` it is a trace like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from pipeline.ids import unit_interval
from pipeline.registry.settings import Review

__all__ = ["Drawn", "draw_traces"]


@dataclass(frozen=True)
class Drawn:
    """A trace that was drawn at random, and the chance with which it was."""

    trace_id: str
    day: date
    probability: float
    place: float


def draw_traces(traces: pl.DataFrame, review: Review) -> dict[str, Drawn]:
    """Draw from each of the last `random_days` days.

    Args:
        traces: `trace_id` and `day` of all redacted traces.
        review: `random_per_day`, `random_days` and `seed` are read.

    Returns:
        What is drawn, by trace id: the newest day first, within it by `place`, the hash.
    """
    days = traces["day"].unique().sort()
    if days.is_empty():
        return {}
    since = days[-1] - timedelta(days=review.random_days - 1)
    found = list(_drawn(traces.filter(pl.col("day") >= since), review))
    found.sort(key=lambda one: (-one.day.toordinal(), one.place, one.trace_id))
    return {one.trace_id: one for one in found}


def _drawn(traces: pl.DataFrame, review: Review) -> Iterator[Drawn]:
    for (day,), rows in traces.group_by("day"):
        assert isinstance(day, date)
        probability = min(1.0, review.random_per_day / rows.height)
        for trace_id in rows["trace_id"]:
            place = unit_interval("review", review.seed, trace_id)
            if place < probability:
                yield Drawn(trace_id, day, probability, place)
