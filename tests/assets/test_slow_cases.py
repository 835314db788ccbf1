"""Six weeks of creeping retries through Dagster, and the day after them that gets cases of it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from assets.jobs import range_tags
from pipeline.datadir import COMMITTED, DataDir
from pipeline.failures.slow import slow_mode_id
from pipeline.lake import Lake
from pipeline.provenance import Counts, Provenance
from pipeline.tables import (
    FAILURE_MODE_CLUSTERS,
    GRADES,
    JUDGE_CALIBRATION_REPORTS,
    PROMOTED_CASES,
    REDACTED_TRACES,
    SLOW_FAILURES,
    STRATIFIED_SAMPLES,
    Table,
)
from pipeline.windows import Window, day, week
from tests.assets.conftest import OpenLineage, tree_hash
from tests.pipeline.promotion.hand_made import Chat, grades, redacted, samples

WEEKS = [week(f"2026-{key}") for key in
         ("09-14", "09-21", "09-28", "10-05", "10-12", "10-19", "10-26")]  # fmt: skip
AGAIN = (0, 1, 4, 7, 10, 13)  # of the twenty conversations of a Tuesday, look it up twice
CHAIN = ("failure_modes", "slow_failures")


def chats_of(number: int) -> list[Chat]:
    """Twenty parcels, of which some are looked up twice, and twenty other questions."""
    return [
        Chat(f"w{number}-{n:02}", fails={}, asked=f"Where is it, {'abcdefghij'[n % 10] * 3}?",
             intent="track_parcel" if n < 20 else "order_status",
             calls=("ok", "ok") if n < AGAIN[min(number, 5)] or n in (25, 26) else ("ok",))
        for n in range(40)
    ]  # fmt: skip


def tuesday(number: int) -> Window:
    return day(WEEKS[number].first + timedelta(days=1))


def publish(lake: Lake, table: Table, window: Window, rows: pl.DataFrame) -> None:
    lake.publish(table, window, rows, Provenance(Counts("rows", rows.height, rows.height)))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataDir:
    """Seven graded Tuesdays, with a registry of their own."""
    monkeypatch.setenv("CASELAW_SURROGATE_KEY", bytes(range(32)).hex())
    place = DataDir(tmp_path / "data")
    lake = Lake(place)
    for number, monday in enumerate(WEEKS):
        chats, when = chats_of(number), tuesday(number)
        publish(lake, GRADES, when, grades(chats))
        publish(lake, STRATIFIED_SAMPLES, when, samples(chats))
        publish(lake, REDACTED_TRACES, when, redacted(chats, when.first))
        publish(lake, FAILURE_MODE_CLUSTERS, when, FAILURE_MODE_CLUSTERS.empty())
        publish(lake, JUDGE_CALIBRATION_REPORTS, monday, JUDGE_CALIBRATION_REPORTS.empty())
    shutil.copytree(COMMITTED / "registry", place.root / "registry")
    return place


def run(
    place: DataDir, open_lineage: OpenLineage, names: Sequence[str], first: Window, last: Window
) -> dg.ExecuteInProcessResult:
    """Run assets over a range of their partitions."""
    lineage = open_lineage(place)
    job = dg.define_asset_job("some", selection=list(names))
    defs = dg.Definitions.merge(lineage.runner.defs, dg.Definitions(jobs=[job]))
    return defs.resolve_job_def("some").execute_in_process(
        instance=lineage.runner.instance,
        tags=range_tags(first.key, last.key) | {"dagster/max_retries": "0"},
        raise_on_error=False,
    )


def decide(place: DataDir, open_lineage: OpenLineage) -> None:
    """The day after the week that found it, then one of that week itself."""
    for when in (tuesday(6), tuesday(5)):
        assert run(place, open_lineage, ["promoted_cases"], when, when).success


def test_what_crept_up_by_the_week_before_is_promoted(
    place: DataDir, open_lineage: OpenLineage
) -> None:
    lake = Lake(place)
    assert run(place, open_lineage, CHAIN, WEEKS[0], WEEKS[5]).success
    decide(place, open_lineage)
    slow = lake.read(SLOW_FAILURES, WEEKS[5]).filter("creeping", scope="intent")
    found = slow.select("subject", "metric", "since", "passing_share").rows()
    assert found == [("track_parcel", "retries", WEEKS[5].first, 1.0)]
    # the week that found it is over first
    assert lake.read(PROMOTED_CASES, tuesday(5)).is_empty()
    (row,) = lake.read(PROMOTED_CASES, tuesday(6)).to_dicts()
    assert (row["decision"], row["check"]) == ("promoted", "slow_failure_retries")
    assert row["failure_mode_id"] == slow_mode_id("track_parcel", "retries")
    # the first third of six weeks: one call of forty was made again
    assert "from 0.025 to 0.65 a conversation" in row["reasons"][0]
    inputs = lake.footer(PROMOTED_CASES, tuesday(6))["inputs"]
    assert f"slow_failures/{WEEKS[5]}/part-0.parquet" in inputs

    before = tree_hash(place.lake)
    decide(place, open_lineage)
    assert tree_hash(place.lake) == before


def test_a_week_that_was_not_closed_is_asked_for_and_the_first_of_all_is_not(
    place: DataDir, open_lineage: OpenLineage
) -> None:
    lake = Lake(place)
    assert run(place, open_lineage, ["promoted_cases"], tuesday(0), tuesday(0)).success
    assert lake.read(PROMOTED_CASES, tuesday(0)).is_empty()
    assert run(place, open_lineage, ["failure_modes"], WEEKS[0], WEEKS[0]).success
    result = run(place, open_lineage, ["promoted_cases"], tuesday(1), tuesday(1))
    assert not result.success
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    said = failed.step_failure_data.user_failure_data.description
    assert "needs slow_failures of week=2026-09-14, which is missing although 1 of its days" in said
    assert not lake.exists(PROMOTED_CASES, tuesday(1))
