"""What lies around the lake is broken, full or held: a backfill says so and loses nothing."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from assets.backfill import main
from assets.home import HistoryBroken, open_instance, prepare_home, telling_of_history
from pipeline.datadir import DataDir
from tests.assets.test_backfill import command, told

__all__ = ["command"]  # a fixture

ROOT = Path(__file__).parents[2]
DAY = "2026-11-04"


@pytest.mark.parametrize(
    ("text", "line"), [("storage: [\n", ", line 2"), ("telemetri: {}\n", "")], ids=["yaml", "field"]
)
def test_a_dagster_yaml_that_somebody_broke_is_told_as_wrong_configuration(
    place: DataDir, command: CliRunner, text: str, line: str
) -> None:
    (prepare_home(place) / "dagster.yaml").write_text(text)
    result = command.invoke(main, ["--publish"])
    assert result.exit_code == 2
    assert f"{place.dagster}/dagster.yaml{line}: Dagster does not take it" in told(result)


def test_a_damaged_history_is_told_and_can_be_moved_away(
    place: DataDir, command: CliRunner
) -> None:
    with open_instance(place):
        pass
    (place.dagster / "history" / "runs.db").write_bytes(b"no database" * 100)
    result = command.invoke(main, ["--from", DAY])
    assert result.exit_code == 3
    assert "file is not a database" in told(result)
    assert f"move {place.dagster}/history away" in told(result)
    (place.dagster / "history").rename(place.root / "aside")
    assert command.invoke(main, ["--from", DAY]).exit_code == 0


def small_files_alone() -> None:
    """No file above 64 KiB can be written: what a full disk does, in a process of its own."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, 2**16))


def test_a_history_that_finds_no_room_is_told_without_a_traceback(place: DataDir) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "assets.backfill", "--from", DAY],
        cwd=ROOT, env=os.environ | {"CASELAW_DATA": str(place.root)}, check=False,
        capture_output=True, text=True, preexec_fn=small_files_alone,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "Dagster's history of runs" in done.stderr
    assert "Traceback" not in done.stderr


def test_who_holds_the_history_is_waited_for_by_hand(place: DataDir) -> None:
    path = prepare_home(place) / "runs.db"
    with closing(sqlite3.connect(path)) as holder, closing(sqlite3.connect(path, timeout=0)) as us:
        holder.execute("BEGIN EXCLUSIVE")
        with (
            pytest.raises(HistoryBroken, match=r"database is locked.*wait until that has ended"),
            telling_of_history(place),
        ):
            us.execute("CREATE TABLE t (x)")


@pytest.mark.parametrize("name", ["settings.yaml", "intents.yaml"])
def test_a_broken_registry_is_told_by_its_line(
    place: DataDir, command: CliRunner, name: str
) -> None:
    (place.root / "registry").mkdir(parents=True)
    for file in (ROOT / "data" / "registry").glob("*.yaml"):
        (place.root / "registry" / file.name).write_bytes(file.read_bytes())
    (place.root / "registry" / name).write_text("x: [\n")
    result = command.invoke(main, ["--from", DAY])
    assert result.exit_code == 2
    assert f"registry/{name}, line 2" in told(result)


def test_a_mark_of_retention_that_cannot_be_read_stops_before_anything_runs(
    place: DataDir, command: CliRunner
) -> None:
    place.raw.mkdir(parents=True)
    (place.raw / "kept_from.json").write_text("?")
    result = command.invoke(main, ["--from", DAY])
    assert result.exit_code == 3
    assert "kept_from.json cannot be read" in told(result)
