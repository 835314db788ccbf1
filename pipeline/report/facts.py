"""The rows of a run summary: counts and estimates, each with all that must stand beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import polars as pl

from pipeline.estimation import Estimate
from pipeline.tables import RUN_SUMMARIES

__all__ = ["COUNT", "Fact", "count", "counted", "estimated", "frame_of"]

COUNT = "count"


@dataclass(frozen=True)
class Fact:
    """One row of `run_summaries`."""

    metric: str
    slice: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    estimator: str = COUNT
    judge_id: str | None = None
    label: str | None = None
    example: str | None = None


def count(metric: str, number: int | float, slice: str = "", label: str | None = None) -> Fact:
    """A plain count: exact, so without an interval."""
    return Fact(metric, slice, float(number), label=label)


def counted(metric: str, numbers: Mapping[str, int]) -> list[Fact]:
    """One count for each key of `numbers`."""
    return [count(metric, number, name) for name, number in sorted(numbers.items())]


def estimated(
    metric: str,
    found: Estimate,
    slice: str = "",
    *,
    judge_id: str | None = None,
    label: str | None = None,
    example: str | None = None,
) -> Fact:
    """An estimate with its interval, n, estimator and judge.

    Six decimals are kept, and the bounds are rounded outwards: the interval of a census must not
    miss the very rate it knows.
    """
    value = None if found.value is None else round(found.value, 6)
    low = None if found.low is None else math.floor(found.low * 1e6) / 1e6
    high = None if found.high is None else math.ceil(found.high * 1e6) / 1e6
    return Fact(metric, slice, value, low, high, found.n, found.estimator, judge_id, label, example)


def frame_of(facts: Iterable[Fact]) -> pl.DataFrame:
    """The facts as a frame that fits `run_summaries`, sorted by its key."""
    rows = [asdict(fact) for fact in facts]
    return RUN_SUMMARIES.conform(pl.DataFrame(rows, schema=RUN_SUMMARIES.schema))
