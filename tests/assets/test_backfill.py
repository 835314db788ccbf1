"""The command line, without a daemon."""

from __future__ import annotations

import io
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from click.testing import CliRunner, Result
from dagster._core.events import EngineEventData
from rich.console import Console

from assets.backfill import main, run
from assets.execution import fail_abandoned_runs, sign_of_life
from assets.home import open_instance, prepare_home
from assets.parallel import Workers
from assets.plan import PUBLISH, Task
from pipeline.datadir import DataDir
from pipeline.lake import Lake
from pipeline.tables import (
    EVAL_SUITE,
    RAW_TRACES,
)
from pipeline.windows import day
from tests.assets.conftest import Lineage, OpenLineage, tree_hash

ROOT = Path(__file__).parents[2]


@pytest.fixture
def command(place: DataDir, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("CASELAW_DATA", str(place.root))
    monkeypatch.setenv("DAGSTER_HOME", "")  # set by the command, put back afterwards
    return CliRunner()


def told(result: Result) -> str:
    return " ".join(result.output.split())


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "give one of --from"),
        (["--from", "2026-11-02", "--publish"], "give one of --from"),
        (["--missing", "--publish"], "give one of --from"),
        (["--from", "2026-11-03", "--to", "2026-11-02"], "--to is not before --from"),
        (["--from", "2024-12-31"], "days run from 2025-01-06 on"),
        (["--from", "2026-11-02", "--to", "2999-01-01"], "is not over"),
        (["--restate", "2026-11-02"], "was ever run"),
    ],
)
def test_wrong_use_is_told_and_ends_with_two(
    command: CliRunner, arguments: list[str], why: str
) -> None:
    result = command.invoke(main, arguments)
    assert result.exit_code == 2
    assert why in told(result)


def test_what_could_not_be_done_ends_with_three(place: DataDir, command: CliRunner) -> None:
    result = command.invoke(main, ["--publish"])
    assert result.exit_code == 3
    assert "eval_suite: promoted_cases has no day yet; nothing was changed" in told(result)
    assert "Traceback" not in result.output


def test_nothing_missing_is_nothing_run(place: DataDir, command: CliRunner) -> None:
    result = command.invoke(main, ["--missing"])
    assert (result.exit_code, result.output) == (0, "Nothing is missing.\n")
    assert not place.dagster.exists()


def test_an_empty_day_runs_and_is_kept_in_the_instance(place: DataDir, command: CliRunner) -> None:
    result = command.invoke(main, ["--from", "2026-11-04"])
    assert result.exit_code == 0, result.output
    assert Lake(place).exists(RAW_TRACES, day("2026-11-04"))
    with open_instance(place) as instance:
        recorded = instance.get_materialized_partitions(dg.AssetKey("run_summaries"))
        assert recorded == {"2026-11-04"}
        assert {run.job_name for run in instance.get_runs()} == {"daily", "publish"}


def test_the_home_is_made_once_and_then_left_alone(place: DataDir) -> None:
    home = prepare_home(place)
    own = home / "dagster.yaml"
    assert own.read_bytes() == (ROOT / "data" / "dagster" / "dagster.yaml").read_bytes()
    own.write_text("telemetry:\n  enabled: false\n")
    prepare_home(place)
    assert own.read_text() == "telemetry:\n  enabled: false\n"


def test_the_committed_instance_keeps_to_itself(
    place: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    with open_instance(place) as instance:
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert type(instance.compute_log_manager).__name__ == "NoOpComputeLogManager"
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_max_runtime_seconds == 21600
        assert instance.run_retries_enabled
        assert instance.get_concurrency_config().pool_config.default_pool_limit == 1


def test_a_run_whose_process_was_killed_ends_as_failed(
    place: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    with open_instance(place) as instance, sign_of_life(place.dagster) as alive:
        made = {}
        for sign in (alive, "a-process-that-is-gone"):
            made[sign] = instance.create_run_for_job(
                dg.job(name="daily")(lambda: None),
                status=dg.DagsterRunStatus.STARTED,
                tags={"caselaw/process": sign},
            ).run_id
        assert fail_abandoned_runs(instance, place.dagster) == 1
        assert {
            sign: instance.get_run_by_id(run_id).status.value for sign, run_id in made.items()
        } == {alive: "STARTED", "a-process-that-is-gone": "FAILURE"}


@pytest.mark.parametrize("state", ["gone", "alive", "reused"])
def test_a_scheduled_run_that_a_power_cut_left_running_ends_as_failed(
    place: DataDir, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """Dagster notes the process of a run; its own launcher never asks whether it lives."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    if state == "gone":
        process.communicate()
    with open_instance(place) as instance:
        run = instance.create_run_for_job(dg.job(name="daily")(lambda: None))
        noted = EngineEventData.in_process(process.pid)
        instance.report_engine_event("Started process for run", run, noted)
        event = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, run.job_name)
        instance.report_dagster_event(
            event, run.run_id, timestamp=time.time() - (3600 if state == "reused" else 0)
        )
        assert fail_abandoned_runs(instance, place.dagster) == (state != "alive")
        found = instance.get_run_by_id(run.run_id)
        assert found is not None
        assert found.status.value == ("STARTED" if state == "alive" else "FAILURE")
    if state != "gone":
        process.communicate()


def test_an_open_connection_neither_blocks_nor_breaks_a_backfill(
    closed_week: Lineage, tmp_path: Path, open_lineage: OpenLineage
) -> None:
    place = DataDir(tmp_path / "data")
    shutil.copytree(closed_week.place.root, place.root, symlinks=True)
    lineage = open_lineage(place)
    assert lineage.run(PUBLISH)[0].errors == []  # the copy's views lead to the copy's files
    with duckdb.connect(place.warehouse) as analyst:  # for writing, as clients open it
        count = "select count(*) from grades"
        before = analyst.execute(count).fetchone()
        outcomes = lineage.run(Task("daily", (day("2026-11-06"), day("2026-11-07"))), PUBLISH)
        assert [outcome.errors for outcome in outcomes] == [[], []]
        assert analyst.execute(count).fetchone() == before
    with duckdb.connect(place.warehouse, read_only=True) as later:
        assert later.execute(count).fetchone() == before


class Killed:
    """A runner in whose place the system kills the process."""

    def run(self, task: Task, listen: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_the_system_killed_is_told_with_what_to_do(
    place: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assets.parallel._runner", Killed())
    days = Task("daily", (day("2026-11-04"), day("2026-11-05")))
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
        monkeypatch.setattr("assets.backfill.workers", lambda *_: nullcontext(Workers(pool)))
        said = Console(file=io.StringIO(), width=200)
        assert run(place, [days], 2, said) == 3
    told = said.file.getvalue()
    assert "error: daily 2026-11-04 to 2026-11-05: one of the processes was killed" in told
    assert "run with a smaller PARALLEL" in told
    assert "Traceback" not in told


# A backfill in a process of its own that is killed right before one file is swapped in.
KILLING = """
import os, signal, sys
from pipeline import files
from assets.backfill import main
at, swap = sys.argv.pop(1), os.replace
def replace(temporary, path):
    if at in str(path):
        os.kill(os.getpid(), signal.SIGKILL)
    swap(temporary, path)
files.os.replace = replace
main()
"""


@pytest.mark.slow
def test_a_suite_whose_publication_was_killed_is_finished_by_the_same_command(
    closed_week: Lineage, tmp_path: Path
) -> None:
    """When the suite's file is written, but not its index; test_kills has the days and weeks."""
    place = DataDir(tmp_path / "data")
    shutil.copytree(closed_week.place.root, place.root, symlinks=True)
    shutil.rmtree(place.lake / EVAL_SUITE.name)
    shutil.rmtree(place.eval_dir(None))
    env = os.environ | {"CASELAW_DATA": str(place.root)}
    killed = subprocess.run(
        [sys.executable, "-c", KILLING, "eval_suite/part-0", "--publish"],
        env=env, cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL
    Lake(place).require_readable()
    assert not list(place.lake.rglob("eval_suite/part-0"))

    command = [sys.executable, "-m", "assets.backfill", "--publish"]
    again = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, check=False)
    assert again.returncode == 0, again.stderr
    assert b"runs that a killed process left unfinished: 1" in again.stderr
    assert tree_hash(place.lake) == tree_hash(closed_week.place.lake)
    assert tree_hash(place.eval_dir(None)) == tree_hash(closed_week.place.eval_dir(None))
