"""Which runs a backfill or a restatement takes, in order: weeks ascend, each is closed in turn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from pipeline.lake import Lake
from pipeline.retention import is_past
from pipeline.tables import FAILURE_MODES, RAW_TRACES
from pipeline.windows import Window, days_between, week_of

__all__ = ["PUBLISH", "Task", "backfill", "catch_up", "restatement"]


@dataclass(frozen=True)
class Task:
    """One job over a range of partitions; `publish` has none."""

    job: str
    windows: tuple[Window, ...] = ()

    @property
    def span(self) -> tuple[str, str] | None:
        """First and last partition key."""
        return (self.windows[0].key, self.windows[-1].key) if self.windows else None

    def __str__(self) -> str:
        if not self.windows:
            return self.job
        first, last = self.windows[0].key, self.windows[-1].key
        return f"{self.job} {first}" + (f" to {last}" if last != first else "")


PUBLISH = Task("publish")


def backfill(first: date, last: date, lake: Lake) -> list[Task]:
    """The days from `first` to `last` week by week, each week that they complete, and `publish`.

    A week is complete when its Sunday is run, or when its last missing day is; one that was
    closed before is closed again. So days may be run in any order, one by one.

    Raises:
        ValueError: the range ends before it starts.
    """
    return _planned(list(days_between(first, last)), set(), lake)


def catch_up(days: Iterable[Window], weeks: Iterable[Window], lake: Lake) -> list[Task]:
    """The days, each week that they complete, the weeks given, and `publish` in any case."""
    return _planned(sorted(days), set(weeks), lake) or [PUBLISH]


def _planned(days: list[Window], weeks: set[Window], lake: Lake) -> list[Task]:
    there = {*days, *lake.windows(RAW_TRACES)}
    closed = set(lake.windows(FAILURE_MODES))
    complete = weeks | {
        week
        for week in map(week_of, days)
        if week.days[-1] in days or week in closed or there.issuperset(week.days)
    }
    return list(_week_by_week(days, complete))


def restatement(first: date, lake: Lake) -> list[Task]:
    """Every day from `first` on that the lake holds, every week it has closed, and `publish`.

    Days that were never run stay so, and those whose raw data retention has dropped stay as they
    are: a stretch of days ends where one is missing.
    """
    there = (day for day in lake.windows(RAW_TRACES) if day.first >= first)
    days = [day for day in there if not is_past(lake.place, day)]
    start = week_of(first)
    return list(_week_by_week(days, {w for w in lake.windows(FAILURE_MODES) if w >= start}))


def _week_by_week(days: Iterable[Window], closed: set[Window]) -> Iterator[Task]:
    by_week = {week: list(found) for week, found in groupby(days, week_of)}
    for week in sorted(by_week.keys() | closed):
        for stretch in _stretches(by_week.get(week, [])):
            yield Task("daily", stretch)
        if week in closed:
            yield Task("weekly", (week,))
    if by_week or closed:
        yield PUBLISH


def _stretches(days: list[Window]) -> Iterator[tuple[Window, ...]]:
    """Split days in order into stretches without a gap."""
    stretch: list[Window] = []
    for day in days:
        if stretch and day.first - stretch[-1].first > timedelta(days=1):
            yield tuple(stretch)
            stretch = []
        stretch.append(day)
    if stretch:
        yield tuple(stretch)
