"""Analysts with the warehouse open: real processes, in nobody's way and not disturbed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from pipeline.catalog import build_warehouse
from pipeline.datadir import DataDir
from pipeline.lake import Lake
from pipeline.provenance import Counts, Provenance
from pipeline.tables import GRADES
from pipeline.windows import day
from tests.hand_made_lake import publish_hand_made_lake

# Opens the warehouse, says how many grades it sees, and again for each line it is sent.
_ANALYST = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reads")
if sys.argv[2] == "writes":
    connection.execute("CREATE TABLE notes AS SELECT 'mine' AS note")
    connection.execute("CREATE OR REPLACE VIEW verdicts AS SELECT 'spoiled' AS spoiled")
print(connection.execute("SELECT count(*) FROM grades").fetchone()[0], flush=True)
for line in sys.stdin:
    print(connection.execute("SELECT count(*) FROM grades").fetchone()[0], flush=True)
"""


@contextmanager
def analyst(place: DataDir, how: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", _ANALYST, str(place.warehouse), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ask(process: subprocess.Popen[str], question: bool = True) -> int:
    assert process.stdin is not None
    assert process.stdout is not None
    if question:
        process.stdin.write("again\n")
        process.stdin.flush()
    return int(process.stdout.readline())


@pytest.fixture
def built(place: DataDir) -> DataDir:
    """A warehouse of its own over the hand-made lake, which has 11 grades."""
    publish_hand_made_lake(Lake(place))
    build_warehouse(place)
    return place


@pytest.mark.parametrize("how", ["reads", "writes"])
def test_an_open_connection_neither_blocks_nor_breaks_a_rebuild(built: DataDir, how: str) -> None:
    with analyst(built, how) as process:
        assert ask(process, question=False) == 11
        before = os.readlink(built.warehouse)
        for _ in range(5):  # more often than old versions are kept
            build_warehouse(built)
        assert os.readlink(built.warehouse) != before
        assert ask(process) == 11
        with duckdb.connect(str(built.warehouse), read_only=True) as fresh:
            assert fresh.execute("SELECT count(*) FROM grades").fetchone() == (11,)
            assert fresh.execute("SELECT count(*) FROM verdicts WHERE failed").fetchone() == (4,)


def test_what_a_killed_analyst_leaves_does_not_reach_the_next_version(built: DataDir) -> None:
    with analyst(built, "writes") as process:
        assert ask(process, question=False) == 11
        process.send_signal(signal.SIGKILL)
        process.wait()
    left = list((built.root / ".warehouse").glob("*.wal"))
    assert left, "the analyst should have left a write-ahead log"
    build_warehouse(built)
    with duckdb.connect(str(built.warehouse), read_only=True) as fresh:
        assert fresh.execute("SELECT count(*) FROM verdicts WHERE failed").fetchone() == (4,)
        assert fresh.execute(
            "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'notes'"
        ).fetchone() == (0,)


def test_an_open_reader_sees_a_day_that_is_published_meanwhile(built: DataDir) -> None:
    # The views name a pattern, not files; a partition is swapped in whole.
    with analyst(built, "reads") as process:
        assert ask(process, question=False) == 11
        Lake(built).publish(
            GRADES, day("2026-11-10"), GRADES.empty(), Provenance(Counts("traces", 0, 0))
        )
        assert ask(process) == 10


def test_two_readers_at_once(built: DataDir) -> None:
    with analyst(built, "reads") as one, analyst(built, "reads") as other:
        assert ask(one, question=False) == ask(other, question=False) == 11


def test_opens_from_any_working_directory(
    built: DataDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with duckdb.connect(str(built.warehouse.resolve()), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM grades").fetchone() == (11,)
