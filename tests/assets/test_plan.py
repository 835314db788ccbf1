"""Which runs a backfill and a restatement take."""

from __future__ import annotations

from datetime import date

import pytest

from assets.plan import PUBLISH, backfill, catch_up, restatement
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


def test_two_weeks_are_run_week_by_week(lake: Lake) -> None:
    assert planned(backfill(date(2026, 11, 2), date(2026, 11, 15), lake)) == [
        "daily 2026-11-02 to 2026-11-08",
        "weekly 2026-11-02",
        "daily 2026-11-09 to 2026-11-15",
        "weekly 2026-11-09",
        "publish",
    ]


def test_a_week_that_has_just_begun_is_closed_by_its_sunday(lake: Lake) -> None:
    # Wednesday to Tuesday: the first week ends inside, the second does not
    assert planned(backfill(date(2026, 11, 4), date(2026, 11, 10), lake)) == [
        "daily 2026-11-04 to 2026-11-08",
        "weekly 2026-11-02",
        "daily 2026-11-09 to 2026-11-10",
        "publish",
    ]


def test_a_week_run_backwards_is_closed_again_once_it_is_whole(lake: Lake) -> None:
    sunday = date(2026, 11, 8)
    assert "weekly 2026-11-02" in planned(backfill(sunday, sunday, lake))
    publish_empty(lake, RAW_TRACES, *week("2026-11-02").days[2:])
    tuesday, monday = date(2026, 11, 3), date(2026, 11, 2)
    assert planned(backfill(tuesday, tuesday, lake)) == ["daily 2026-11-03", "publish"]
    publish_empty(lake, RAW_TRACES, day(tuesday))
    assert planned(backfill(monday, monday, lake)) == [
        "daily 2026-11-02",
        "weekly 2026-11-02",
        "publish",
    ]


def test_a_day_of_a_closed_week_closes_it_again(lake: Lake) -> None:
    publish_empty(lake, FAILURE_MODES, week("2026-11-02"))
    wednesday = date(2026, 11, 4)
    assert "weekly 2026-11-02" in planned(backfill(wednesday, wednesday, lake))


def test_catching_up_takes_days_with_gaps_and_weeks_that_only_lack_their_end(lake: Lake) -> None:
    publish_empty(lake, FAILURE_MODES, week("2026-11-02"))
    assert planned(
        catch_up([day("2026-11-10"), day("2026-11-04")], [week("2026-10-26")], lake)
    ) == [
        "weekly 2026-10-26",
        "daily 2026-11-04",
        "weekly 2026-11-02",  # it was closed without the Wednesday
        "daily 2026-11-10",
        "publish",
    ]
    assert catch_up([], [], lake) == [PUBLISH]


def test_one_day_is_one_run(lake: Lake) -> None:
    assert planned(backfill(date(2026, 11, 4), date(2026, 11, 4), lake)) == [
        "daily 2026-11-04",
        "publish",
    ]


def test_a_range_that_ends_before_it_starts_is_refused(lake: Lake) -> None:
    with pytest.raises(ValueError, match="before it starts"):
        backfill(date(2026, 11, 4), date(2026, 11, 3), lake)


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
