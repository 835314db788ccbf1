"""Three weeks through the weekly job: a claimed fix is verified, in one run or week by week."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.jobs import range_tags
from pipeline.datadir import COMMITTED, DataDir
from pipeline.lake import Lake
from pipeline.provenance import Counts, Provenance
from pipeline.tables import (
    FAILURE_MODES,
    GRADES,
    MODE_RATES,
    MODE_STATES,
    REDACTED_TRACES,
    SLOW_FAILURES,
    STRATIFIED_SAMPLES,
    Table,
)
from pipeline.windows import day, week
from tests.assets.conftest import OpenLineage, tree_hash
from tests.hand_made_lake import frame

WEEKS = [week(key) for key in ("2026-09-07", "2026-09-14", "2026-09-21")]
CHAIN = ("failure_modes", "mode_rates", "mode_states", "slow_failures")
# of each week: release, traces on its Tuesday, failures among them
TRAFFIC = [("2.5.0", 40, 5), ("2.5.0", 40, 5), ("2.6.0", 60, 0)]


@pytest.fixture
def place(tmp_path: Path) -> DataDir:
    """Three weeks with one graded day each, and a registry that claims a fix of `loop`."""
    place = DataDir(tmp_path / "data")
    for number, (release, traces, failing) in enumerate(TRAFFIC):
        publish_day(Lake(place), number, release, traces, failing)
    shutil.copytree(COMMITTED / "registry", place.root / "registry")
    with (place.registry / "failure_modes.yaml").open("a") as file:
        file.write("\nfixes:\n  - {mode: loop, release: '2.6.0', effective_from: 2026-09-16}\n")
        file.write("  - {mode: typo, release: '2.6.0', effective_from: 2026-09-23}\n")
    return place


def publish_day(lake: Lake, number: int, release: str, traces: int, failing: int) -> None:
    tuesday = day(WEEKS[number].first + timedelta(days=1))
    shared = [
        {"trace_id": f"w{number}-{n:02}", "release": release, "intent": "refund", "weight": 2.0}
        for n in range(traces)
    ]
    graded = [
        row | {"check": "call_loop", "grader_id": "call_loop@1", "layer": "rule",
               "axis": "helpfulness", "verdict": "fail" if n < failing else "pass",
               "severity": "medium", "rate_probability": 1.0}
        for n, row in enumerate(shared)
    ]  # fmt: skip
    publish(lake, GRADES, tuesday, graded)
    measured = [row | {"turns": 2 + n % 3, "signals": []} for n, row in enumerate(shared)]
    publish(lake, STRATIFIED_SAMPLES, tuesday, measured)
    publish(lake, REDACTED_TRACES, tuesday, [{"trace_id": r["trace_id"]} for r in shared])


def publish(lake: Lake, table: Table, window: Any, rows: list[dict[str, Any]]) -> None:
    counts = Counts("rows", len(rows), len(rows))
    lake.publish(table, window, frame(table, rows), Provenance(counts))


def close(
    place: DataDir, open_lineage: OpenLineage, first: str, last: str
) -> dg.ExecuteInProcessResult:
    """Close the weeks from `first` to `last` in one run of the chain and its checks."""
    lineage = open_lineage(place)
    assets = dg.AssetSelection.assets(*CHAIN)
    job = dg.define_asset_job("chain", selection=assets)
    defs = dg.Definitions.merge(lineage.runner.defs, dg.Definitions(jobs=[job]))
    key, tags = (first, {}) if first == last else (None, range_tags(first, last))
    return defs.resolve_job_def("chain").execute_in_process(
        instance=lineage.runner.instance, partition_key=key, tags=tags
    )


def test_a_fix_is_claimed_and_verified(place: DataDir, open_lineage: OpenLineage) -> None:
    result = close(place, open_lineage, WEEKS[0].key, WEEKS[-1].key)
    lake = Lake(place)
    lives = [lake.read(MODE_STATES, w).row(0, named=True) for w in WEEKS]
    assert [row["failure_mode_id"] for row in lives] == ["loop"] * 3
    assert [row["state"] for row in lives] == ["new", "fixed_unverified", "verified"]
    # ten of 80 before, none of 60 after: (80/140)^10
    assert lives[2]["fix_p"] == pytest.approx((80 / 140) ** 10, abs=1e-6)
    assert (lives[2]["before_n"], lives[2]["after_n"]) == (80, 60)
    rates = lake.read(MODE_RATES, WEEKS[1])
    assert rates.select("failure_mode_id", "release", "n", "seen").rows() == [
        ("loop", "2.5.0", 40, 5)
    ]
    slow = lake.read(SLOW_FAILURES, WEEKS[2])
    assert slow.filter(scope="intent", metric="turns")["value"].to_list() == [3.0]
    # the typo in the registry stops nobody: a warning, and the one check that fails
    checks = result.get_asset_check_evaluations()
    assert {c.check_name for c in checks if not c.passed} == {"claims_name_modes", "week_is_whole"}


def test_week_by_week_and_twice_gives_the_same_bytes(
    place: DataDir, open_lineage: OpenLineage, tmp_path: Path
) -> None:
    twin = DataDir(Path(shutil.copytree(place.root, tmp_path / "twin")))
    close(place, open_lineage, WEEKS[0].key, WEEKS[-1].key)
    for window in (*WEEKS, WEEKS[1], WEEKS[2]):
        close(twin, open_lineage, window.key, window.key)
    assert tree_hash(twin.lake) == tree_hash(place.lake)
    assert FAILURE_MODES.name in {folder.name for folder in twin.lake.iterdir()}
