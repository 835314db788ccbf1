"""The partition law: how, how often and in which order a week is run changes no byte."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from assets.plan import PUBLISH, Task
from pipeline.datadir import DataDir
from pipeline.tables import ALL
from pipeline.windows import day, week
from tests.assets.conftest import Lineage, OpenLineage, tree_hash

DAYS = [day(f"2026-11-{n:02}") for n in range(6, 9)]
WEEK = Task("weekly", (week("2026-11-02"),))


def copy_of_what_landed(closed_week: Lineage, root: Path) -> DataDir:
    """A data directory with the same traffic, verdicts and keys, and nothing made from them."""
    for room in ("landing", "annotations", "keys"):
        shutil.copytree(closed_week.place.root / room, root / room)
    return DataDir(root)


@pytest.fixture
def same_traffic(closed_week: Lineage, tmp_path: Path) -> DataDir:
    return copy_of_what_landed(closed_week, tmp_path / "data")


def test_backwards_day_by_day_gives_the_same_bytes(
    closed_week: Lineage,
    same_traffic: DataDir,
    open_lineage: OpenLineage,
) -> None:
    lineage = open_lineage(same_traffic)
    outcomes = lineage.run(*(Task("daily", (d,)) for d in reversed(DAYS)), WEEK, PUBLISH)
    assert [outcome.errors for outcome in outcomes] == [[]] * 5
    assert tree_hash(same_traffic.lake) == tree_hash(closed_week.place.lake)

    # everything once more, as one range: not a byte changes
    outcomes = lineage.run(Task("daily", tuple(DAYS)), WEEK, PUBLISH)
    assert [outcome.errors for outcome in outcomes] == [[]] * 3
    assert tree_hash(same_traffic.lake) == tree_hash(closed_week.place.lake)


@pytest.mark.slow
def test_two_processes_from_the_command_line_give_the_same_bytes(
    closed_week: Lineage, same_traffic: DataDir
) -> None:
    command = [sys.executable, "-m", "assets.backfill", "--from", "2026-11-06"]
    command += ["--to", "2026-11-08", "--parallel", "2"]
    done = subprocess.run(
        command,
        env=os.environ | {"CASELAW_DATA": str(same_traffic.root)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert tree_hash(same_traffic.lake) == tree_hash(closed_week.place.lake)


def test_an_asset_has_one_name_in_dagster_and_on_disk(closed_week: Lineage) -> None:
    layer = closed_week.runner.defs.resolve_asset_graph()
    made = {key.to_user_string() for key in layer.executable_asset_keys}
    place = closed_week.place
    folders = {path.name for zone in (place.lake, place.raw) for path in zone.iterdir()}
    assert made - {"warehouse"} == ALL.keys() - {"quarantined_records"}
    assert ALL.keys() <= folders
    assert all(table.name == name for name, table in ALL.items())


def test_each_partition_of_a_range_has_its_own_row_count(closed_week: Lineage) -> None:
    for name in ("raw_traces", "grades", "promoted_cases"):
        recorded = {
            partition: event.metadata["dagster/partition_row_count"].value
            for partition, event in closed_week.events(name).items()
        }
        rows = {d.key: closed_week.lake.read(ALL[name], d).height for d in DAYS}
        assert recorded == rows
    assert len(set(rows.values())) > 1  # else the test could not tell days apart


def test_every_check_passes_and_a_short_week_is_said_to_be_short(closed_week: Lineage) -> None:
    assert [check for outcome in closed_week.outcomes for check in outcome.failed_checks] == []
    (warning,) = [w for outcome in closed_week.outcomes for w in outcome.warnings]
    assert warning.startswith("failure_modes: week_is_whole")
    assert "days 3" in warning  # Friday to Sunday


def test_checks_run_by_themselves_look_at_every_published_partition(closed_week: Lineage) -> None:
    keys = [
        dg.AssetCheckKey(dg.AssetKey("grades"), "every_trace_is_graded"),
        dg.AssetCheckKey(dg.AssetKey("redacted_traces"), "no_personal_data_at_rest"),
    ]
    job = dg.define_asset_job("checks", selection=dg.AssetSelection.checks(*keys))
    defs = dg.Definitions.merge(closed_week.runner.defs, dg.Definitions(jobs=[job]))
    result = defs.resolve_job_def("checks").execute_in_process()
    found = result.get_asset_check_evaluations()
    assert {check.asset_check_key for check in found} == set(keys)
    assert all(check.passed for check in found)
    assert [check.metadata["partitions"].value for check in found] == [len(DAYS)] * 2


def test_nothing_that_anybody_said_stands_in_dagsters_log(closed_week: Lineage) -> None:
    raw = closed_week.lake.read(ALL["raw_traces"], DAYS)
    said = {m["content"] for messages in raw["messages"] for m in messages if m["content"]}
    long = {json.dumps(text)[1:-1] for text in said if len(text) > 25}
    assert len(long) > 50
    instance = closed_week.runner.instance
    kept = "".join(
        entry.to_json()
        for outcome in closed_week.outcomes
        for entry in instance.all_logs(outcome.run_id)
    )
    assert "published grades day=2026-11-07" in kept  # the log was read
    assert [len(text) for text in long if text in kept] == []
