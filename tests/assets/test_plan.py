"""Which runs a backfill and a restatement take."""

from __future__ import annotations

from datetime import date

import pytest

from assets.plan import backfill, restatement
from pipeline.lake import Lake
from pipeline.provenance import Counts, Provenance
from pipeline.tables import FAILURE_MODES, RAW_TRACES, Table
from pipeline.windows import Window, day, week

NOTHING = Provenance(Counts("traces", 0, 0))


def planned(tasks: list[object]) -> list[str]:
    return [str(task) for task in tasks]


def publish_empty(lake: Lake, table: Table, *windows: Window) -> None:
    for window in windows:
        lake.publish(table, window, table.empty(), NOTHING)


def test_two_weeks_are_run_week_by_week() -> None:
    assert planned(backfill(date(2026, 11, 2), date(2026, 11, 15))) == [
        "daily 2026-11-02 to 2026-11-08",
        "weekly 2026-11-02",
        "daily 2026-11-09 to 2026-11-15",
        "weekly 2026-11-09",
        "publish",
    ]


def test_a_week_is_closed_by_its_sunday_alone() -> None:
    # Wednesday to Tuesday: the first week ends inside, the second does not
    assert planned(backfill(date(2026, 11, 4), date(2026, 11, 10))) == [
        "daily 2026-11-04 to 2026-11-08",
        "weekly 2026-11-02",
        "daily 2026-11-09 to 2026-11-10",
        "publish",
    ]


def test_one_day_is_one_run() -> None:
    assert planned(backfill(date(2026, 11, 4), date(2026, 11, 4))) == [
        "daily 2026-11-04",
        "publish",
    ]


def test_a_range_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="before it starts"):
        backfill(date(2026, 11, 4), date(2026, 11, 3))


def test_a_restatement_takes_what_is_there_and_nothing_else(lake: Lake) -> None:
    # Monday, Tuesday and Friday were run, then the Monday after; the first week was closed
    days = ("2026-11-02", "2026-11-03", "2026-11-06", "2026-11-09")
    publish_empty(lake, RAW_TRACES, *map(day, days))
    publish_empty(lake, FAILURE_MODES, week("2026-11-02"))
    assert planned(restatement(date(2026, 11, 3), lake)) == [
        "daily 2026-11-03",
        "daily 2026-11-06",
        "weekly 2026-11-02",
        "daily 2026-11-09",
        "publish",
    ]


def test_nothing_to_restate_is_no_plan(lake: Lake) -> None:
    assert restatement(date(2026, 11, 3), lake) == []
