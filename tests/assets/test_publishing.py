"""What assets do when something is missing or goes wrong."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import dagster as dg
import pytest

from assets.definitions import build
from assets.errors import clear_errors, explain
from assets.plan import Task
from pipeline.datadir import COMMITTED, DataDir
from pipeline.errors import SHOW_ERRORS
from pipeline.grading import PendingCalls
from pipeline.lake import CorruptPartition, Lake
from pipeline.provenance import Counts, Provenance
from pipeline.tables import ALL, FAILURE_MODE_CLUSTERS, GRADES, RAW_TRACES
from pipeline.windows import Window, day, week
from resources import RefusingIOManager
from tests.assets.conftest import OpenLineage

NOTHING = Provenance(Counts("traces", 0, 0))
PAYLOAD = "my card is 4111 1111 1111 1111"


def run_asset(place: DataDir, asset: str, partition: str) -> dg.ExecuteInProcessResult:
    defs = build(place)
    job = defs.resolve_implicit_job_def_def_for_assets([dg.AssetKey(asset)])
    assert job is not None
    return job.execute_in_process(
        partition_key=partition, asset_selection=[dg.AssetKey(asset)], raise_on_error=False
    )


def failure(result: dg.ExecuteInProcessResult) -> str:
    (event,) = [event for event in result.all_events if event.is_step_failure]
    told = event.step_failure_data.user_failure_data
    assert told is not None
    return told.description or ""


def grade_nothing(lake: Lake, *days: Window) -> None:
    for window in days:
        lake.publish(GRADES, window, GRADES.empty(), NOTHING)


def test_a_week_that_was_graded_but_never_closed_stops_the_next(place: DataDir) -> None:
    grade_nothing(Lake(place), day("2026-11-04"), day("2026-11-06"), day("2026-11-09"))
    result = run_asset(place, "failure_mode_clusters", "2026-11-09")
    assert not result.success
    assert failure(result) == (
        "failure_mode_clusters day=2026-11-09: needs failure_modes of week=2026-11-02, which is "
        "missing although 2 of its days were graded (2026-11-04 to 2026-11-06); nothing of this "
        "partition was changed. Close that week first: "
        f"make backfill CASELAW_DATA={place.root} FROM=2026-11-04 TO=2026-11-08"
    )
    assert not Lake(place).exists(FAILURE_MODE_CLUSTERS, day("2026-11-09"))


def test_a_week_never_closed_whose_raw_data_was_dropped_is_closed_by_what_is_missing(
    place: DataDir,
) -> None:
    """Its days are run no more; a backfill of them would be refused."""
    grade_nothing(Lake(place), day("2026-11-04"), day("2026-11-09"))
    place.raw.mkdir(parents=True)
    (place.raw / "kept_from.json").write_text('{"day": "2026-11-08"}')
    shutil.copytree(COMMITTED / "registry", place.root / "registry")
    with (place.root / "registry" / "settings.yaml").open("a", encoding="utf-8") as settings:
        settings.write("\n  - effective_from: 2025-01-06\n    privacy: {retention_days: 7}\n")
    result = run_asset(place, "failure_mode_clusters", "2026-11-09")
    assert failure(result).endswith(f"week first: make backfill CASELAW_DATA={place.root}")


def test_the_chain_may_start_anywhere(place: DataDir) -> None:
    grade_nothing(Lake(place), day("2026-11-11"))
    assert run_asset(place, "failure_mode_clusters", "2026-11-11").success
    assert Lake(place).exists(FAILURE_MODE_CLUSTERS, day("2026-11-11"))


def test_a_week_closes_only_after_the_week_before_it(place: DataDir) -> None:
    grade_nothing(Lake(place), day("2026-11-04"), day("2026-11-11"))
    result = run_asset(place, "failure_modes", "2026-11-09")
    assert "needs failure_modes of week=2026-11-02" in failure(result)
    assert run_asset(place, "failure_modes", "2026-11-02").success
    assert run_asset(place, "failure_modes", "2026-11-09").success
    assert Lake(place).footer(ALL["failure_modes"], week("2026-11-09"))["inputs"].keys() >= {
        "failure_modes/week=2026-11-02/part-0.parquet"
    }


def test_a_week_without_any_graded_day_is_refused(place: DataDir) -> None:
    result = run_asset(place, "failure_modes", "2026-11-02")
    assert "grades has none of the 7 days" in failure(result)
    assert place.make("backfill", "2026-11-02", "2026-11-08") in failure(result)


def test_a_day_on_which_nothing_landed_is_typed_and_empty_everywhere(
    place: DataDir, open_lineage: OpenLineage
) -> None:
    (outcome,) = open_lineage(place).run(Task("daily", (day("2026-11-04"),)))
    assert outcome.errors == []
    assert outcome.failed_checks == []
    for table in ALL.values():
        if table.unit == "day" and table.name != "run_summaries":
            frame = Lake(place).read(table, day("2026-11-04"))
            assert (frame.height, frame.schema) == (0, table.schema), table.name


def test_a_librarys_message_never_reaches_dagster() -> None:
    with (
        pytest.raises(dg.Failure) as caught,
        clear_errors(lambda: "grades day=2026-11-04"),
    ):
        raise ValueError(PAYLOAD)
    error = caught.value
    assert error.description is not None
    assert error.description.startswith("grades day=2026-11-04: ValueError in tests/assets/")
    assert PAYLOAD not in error.description
    # Dagster stores causes and contexts too
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_want_of_memory_is_told_with_what_helps() -> None:
    with pytest.raises(MemoryError) as caught:
        bytearray(1 << 62)
    told = explain("grades day=2026-11-04", caught.value)
    assert told.startswith("grades day=2026-11-04: there was not enough memory for it in tests/")
    assert "Run it with fewer processes (PARALLEL=1)" in told
    assert told.endswith("or with more memory")


def test_a_refused_permission_is_told_with_the_mode_that_it_takes(tmp_path: Path) -> None:
    closed = tmp_path / "lake"
    closed.mkdir(mode=0o500)
    aside = closed / f".part-0.parquet.{os.getpid()}.0badcafe.tmp"
    told = explain("grades", PermissionError(13, "Permission denied", str(aside)))
    assert f"{closed} has mode 0500 and needs 0700: chmod u+rwX {closed}" in told


def test_pending_calls_end_with_the_command_that_makes_them() -> None:
    pending = PendingCalls(3, 4, "the budget of 5 USD a run is used up")
    told = explain("grades day=2026-11-04", pending, lambda: "make backfill FROM=2026-11-04")
    assert told == (
        "grades day=2026-11-04: judge: calls pending: 3 (the budget of 5 USD a run is used up); "
        "answers kept in the ledger: 4; nothing was published. Run it again to resume: only the "
        "pending calls are made: make backfill FROM=2026-11-04"
    )


def test_a_broken_lake_names_the_file_and_the_command(place: DataDir) -> None:
    lake = Lake(place)
    grade_nothing(lake, day("2026-11-04"))
    (file,) = lake.files(GRADES, day("2026-11-04"))
    file.write_bytes(b"PAR1 torn")
    told = failure(run_asset(place, "failure_mode_clusters", "2026-11-04"))
    assert "lake/grades/day=2026-11-04/part-0.parquet" in told
    assert "FROM=2026-11-04 TO=2026-11-04" in told


def test_a_torn_partition_is_made_anew_by_the_command_that_the_error_names(place: DataDir) -> None:
    """Of raw traces too, which look at what they had published before."""
    window = day("2026-11-04")
    assert run_asset(place, "raw_traces", window.key).success
    (file,) = Lake(place).files(RAW_TRACES, window)
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    with pytest.raises(CorruptPartition, match="FROM=2026-11-04"):
        Lake(place).footer(RAW_TRACES, window)
    assert run_asset(place, "raw_traces", window.key).success
    assert file.read_bytes() == whole


def test_a_bit_that_flipped_on_disk_stops_the_next_step(place: DataDir) -> None:
    lake = Lake(place)
    grade_nothing(lake, day("2026-11-04"))
    (file,) = lake.files(GRADES, day("2026-11-04"))
    body, times = bytearray(file.read_bytes()), file.stat()
    at = body.index(b"records_in")  # in the footer: the file can be read as before
    body[at] ^= 1
    file.write_bytes(body)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert lake.read(GRADES, day("2026-11-04")).is_empty()
    told = failure(run_asset(place, "failure_mode_clusters", "2026-11-04"))
    assert "lake/grades/day=2026-11-04/part-0.parquet is not as it was written" in told
    assert "FROM=2026-11-04 TO=2026-11-04" in told


def test_a_file_whose_manifest_a_kill_left_behind_is_read(place: DataDir) -> None:
    lake = Lake(place)
    grade_nothing(lake, day("2026-11-04"))
    (file,) = lake.files(GRADES, day("2026-11-04"))
    manifest = file.parent / "_manifest.json"
    manifest.write_text('{"part-0.parquet": {"sha256": "of the file before", "rows": 0}}')
    os.utime(manifest, ns=(0, 0))
    assert run_asset(place, "failure_mode_clusters", "2026-11-04").success


def test_a_developer_may_ask_for_errors_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SHOW_ERRORS, "1")
    with pytest.raises(ValueError, match="4111"), clear_errors(lambda: "grades"):
        raise ValueError(PAYLOAD)


def test_an_asset_that_returns_a_value_is_refused() -> None:
    @dg.asset
    def careless() -> str:
        return PAYLOAD

    with pytest.raises(dg.DagsterInvariantViolationError) as caught:
        dg.materialize([careless], resources={"io_manager": RefusingIOManager()})
    assert "careless returned a value of type str; nothing was stored" in str(caught.value)
    assert PAYLOAD not in str(caught.value)


def test_an_asset_that_asks_for_a_value_is_refused() -> None:
    there = dg.AssetSpec("there")

    @dg.asset
    def careless(there: str) -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata={"length": len(there)})

    with pytest.raises(dg.DagsterInvariantViolationError, match="Name the asset in `deps`"):
        dg.materialize([there, careless], resources={"io_manager": RefusingIOManager()})
