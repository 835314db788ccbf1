"""What the schedules ask for, on a real instance."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
import pytest

from assets.definitions import build
from pipeline.datadir import DataDir


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:
        yield made


def requests(
    place: DataDir, instance: dg.DagsterInstance, name: str, tick: datetime
) -> list[dg.RunRequest]:
    """What schedule `name` asks for at `tick`, resolved as the daemon would."""
    defs = build(place)
    schedule = defs.resolve_schedule_def(name)
    with dg.build_schedule_context(
        instance=instance,
        scheduled_execution_time=tick,
        repository_def=defs.get_repository_def(),
    ) as context:
        return list(schedule.evaluate_tick(context).run_requests or [])


def test_yesterday_is_run_every_day(place: DataDir, instance: dg.DagsterInstance) -> None:
    (asked,) = requests(place, instance, "daily", datetime(2026, 11, 5, 1, tzinfo=UTC))
    assert asked.partition_key == "2026-11-04"


def test_last_week_is_closed_on_monday(place: DataDir, instance: dg.DagsterInstance) -> None:
    (asked,) = requests(place, instance, "weekly", datetime(2026, 11, 9, 4, tzinfo=UTC))
    assert asked.partition_key == "2026-11-02"


def test_last_week_is_restated_as_one_range(place: DataDir, instance: dg.DagsterInstance) -> None:
    tick = datetime(2026, 11, 9, 2, tzinfo=UTC)
    (asked,) = requests(place, instance, "restate_last_week", tick)
    assert asked.tags["dagster/asset_partition_range_start"] == "2026-11-02"
    assert asked.tags["dagster/asset_partition_range_end"] == "2026-11-08"


def test_scheduled_runs_go_one_after_the_other(
    place: DataDir, instance: dg.DagsterInstance
) -> None:
    # Monday's four, by the hour: Sunday, the week again, its close, the suite
    hours = {"daily": 1, "restate_last_week": 2, "weekly": 4, "publish": 6}
    for name, hour in hours.items():
        schedule = build(place).resolve_schedule_def(name)
        assert schedule.cron_schedule.split()[1] == str(hour)
        tick = datetime(2026, 11, 9, hour, tzinfo=UTC)
        (asked,) = requests(place, instance, name, tick)
        assert asked.tags["caselaw/in_order"] == "yes"
