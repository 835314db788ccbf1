"""Days are UTC days; weeks start on Monday."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.windows import FIRST_DAY, day, days_between, previous_week, week, week_of


def test_the_first_partition_is_a_monday() -> None:
    assert FIRST_DAY.weekday() == 0


def test_a_week_knows_its_days_and_its_end() -> None:
    monday = week("2026-11-02")
    assert [d.key for d in monday.days] == [f"2026-11-0{n}" for n in range(2, 9)]
    assert monday.end == datetime(2026, 11, 9, tzinfo=UTC)
    assert str(monday) == "week=2026-11-02"


def test_the_night_of_a_clock_change_is_24_hours_in_utc() -> None:
    night = day("2026-10-25")
    assert (night.end - night.start).total_seconds() == 24 * 3600


def test_a_week_is_named_by_its_monday() -> None:
    with pytest.raises(ValueError, match="'2026-11-03' is none"):
        week("2026-11-03")


def test_a_range_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="ends on 2026-11-01 before it starts"):
        days_between(date(2026, 11, 2), date(2026, 11, 1))


@given(st.dates(date(2025, 1, 13), date(2040, 1, 1)))
def test_every_day_lies_in_one_week_and_the_week_before_ends_where_it_starts(some: date) -> None:
    inside = week_of(some)
    assert day(some) in inside.days
    assert previous_week(day(some)).end == inside.start
