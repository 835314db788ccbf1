"""What a person meets when files are torn, closed, moved or find no room: one line, and 1 or 3."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.catalog import build_warehouse
from pipeline.datadir import COMMITTED, DataDir
from pipeline.grading.ledger import Ledger
from pipeline.lake import Lake
from pipeline.ledger_file import LedgerBroken, telling_of_ledger
from pipeline.provenance import Counts, Provenance
from pipeline.redaction.replacement.keys import load_key
from pipeline.tables import ALL, FAILURE_MODES, GRADES, RAW_TRACES, RUN_SUMMARIES
from pipeline.windows import day, week

DAY, WEEK = day("2026-11-06"), week("2026-11-02")
NOTHING = Provenance(Counts("rows", 0, 0))


@pytest.fixture
def place(place: DataDir) -> DataDir:
    """A day and a week of empty tables, a warehouse, a registry and a content key of its own."""
    lake = Lake(place)
    for table in ALL.values():
        window = {"day": DAY, "week": WEEK, None: None}[table.unit]
        lake.publish(table, window, table.empty(), NOTHING, part=table.parts[0])
    build_warehouse(place)
    shutil.copytree(COMMITTED / "registry", place.root / "registry")
    return place


def caselaw(
    place: DataDir, *words: str, limit: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command as a process of its own, in which `limit` is called first."""
    done = subprocess.run(
        [sys.executable, "-c", "from pipeline.cli import main; main()", *words],
        capture_output=True, text=True, check=False, preexec_fn=limit,
        env=os.environ | {"CASELAW_DATA": str(place.root)},
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    return done


def without_root_rights() -> None:
    """Make root bound by permissions as everybody is: drop what overrides them."""
    if os.getuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            assert libc.prctl(24, capability, 0, 0, 0) == 0  # PR_CAPBSET_DROP


def small_files_alone() -> None:
    """No file above 1 KiB can be written: what a full disk does, in a process of its own."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**10, 2**10))


def tear(place: DataDir, table: str, window: object) -> Path:
    """Leave four bytes of a published file."""
    zone = place.raw if ALL[table].zone == "raw" else place.lake
    path = zone / table / (str(window) if window else "") / "part-0.parquet"
    path.write_bytes(b"PAR1")
    return path


# --- verify -----------------------------------------------------------------------------------


def test_verify_tells_every_kind_of_damage_with_the_command_that_mends_it(place: DataDir) -> None:
    assert caselaw(place, "verify").returncode == 0
    tear(place, FAILURE_MODES.name, WEEK)
    grades = place.lake / GRADES.name / str(DAY)
    (grades / "_manifest.json").write_text('{"part-0')
    (place.lake / RUN_SUMMARIES.name / str(DAY) / "_manifest.json").unlink()
    (place.raw / RAW_TRACES.name / str(DAY) / "part-0.parquet").unlink()
    done = caselaw(place, "verify")
    assert done.returncode == 1
    again = place.make("backfill", DAY.key, DAY.key)
    whole_week = place.make("backfill", "2026-11-02", "2026-11-08")
    said = [line.partition("; make it anew with: ")[::2] for line in done.stdout.splitlines()]
    assert said[:-1] == [
        ("raw/raw_traces/day=2026-11-06/part-0.parquet: expected "
         f"{said[0][0].split()[2]} is missing", again),
        ("lake/grades/day=2026-11-06/part-0.parquet: the manifest beside it cannot be read", again),
        ("lake/run_summaries/day=2026-11-06/part-0.parquet: no manifest names it, as after a kill",
         again),
        (said[3][0], whole_week),
    ]  # fmt: skip
    assert said[3][0].startswith("lake/failure_modes/week=2026-11-02/part-0.parquet: expected ")


def test_a_flipped_byte_inside_a_page_is_found(place: DataDir) -> None:
    path = place.lake / GRADES.name / str(DAY) / "part-0.parquet"
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)
    done = caselaw(place, "verify")
    assert done.returncode == 1
    assert "lake/grades/day=2026-11-06/part-0.parquet: expected" in done.stdout


# --- what analysts run ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [["query", "failure_modes_by_day"], ["sql", "SELECT trace_id FROM grades"]]
)
def test_a_torn_file_is_named_to_an_analyst_with_what_mends_it(
    place: DataDir, words: list[str]
) -> None:
    tear(place, GRADES.name, DAY)
    done = caselaw(place, *words)
    assert done.returncode == 3
    assert "lake/grades/day=2026-11-06/part-0.parquet cannot be read" in done.stderr
    assert done.stderr.endswith(f"{place.make('backfill', DAY.key, DAY.key)}\n")


@pytest.mark.parametrize(
    "words", [["query", "failure_modes_by_day"], ["sql", "SELECT trace_id FROM grades"]]
)
def test_a_data_directory_that_was_moved_asks_for_its_warehouse_anew(
    place: DataDir, tmp_path: Path, words: list[str]
) -> None:
    moved = DataDir(place.root.rename(tmp_path / "elsewhere"))
    done = caselaw(moved, *words)
    assert done.returncode == 3
    assert "was built where the data directory lay before" in done.stderr
    assert done.stderr.endswith(f"{moved.make('publish')}\n")
    build_warehouse(moved)
    assert caselaw(moved, *words).returncode == 0


# --- permissions and room ---------------------------------------------------------------------


def test_a_directory_that_may_not_be_written_is_named_with_its_mode(place: DataDir) -> None:
    registry = place.root / "registry"
    before = (registry / "failure_modes.yaml").read_bytes()
    registry.chmod(0o555)
    try:
        done = caselaw(place, "modes", "fix", "loop", "2.6.0", limit=without_root_rights)
    finally:
        registry.chmod(0o755)
    assert done.returncode == 3
    assert done.stderr == (
        f"caselaw: {registry}/failure_modes.yaml: Permission denied. {registry} has mode 0555 and "
        f"needs 0755: chmod u+rwX {registry}, then run the same again\n"
    )
    assert (registry / "failure_modes.yaml").read_bytes() == before
    assert not list(registry.glob(".*.tmp"))


def test_a_file_that_may_not_be_read_is_not_called_damaged(place: DataDir) -> None:
    path = place.lake / FAILURE_MODES.name / str(WEEK) / "part-0.parquet"
    path.chmod(0)
    done = caselaw(place, "modes", "ls", limit=without_root_rights)
    assert done.returncode == 3
    assert f"{path}: Permission denied. {path} has mode 0000 and needs 0600" in done.stderr


def test_a_file_of_another_account_is_said_to_be(place: DataDir) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a file away")
    path = place.lake / FAILURE_MODES.name / str(WEEK) / "part-0.parquet"
    path.chmod(0o600)
    os.chown(path, 12345, 12345)
    done = caselaw(place, "modes", "ls", limit=without_root_rights)
    assert f"belongs to account 12345, not to this one ({os.geteuid()})" in done.stderr


@pytest.mark.parametrize(
    "words",
    [["modes", "fix", "loop", "2.6.0"], ["land", "traces.json"]],
    ids=lambda words: words[0],
)
def test_a_disk_without_room_is_one_line_and_leaves_nothing(
    place: DataDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    line = '{"messages": [{"role": "user", "content": "Hi"}], "created_at": "2026-11-06T09:00Z"}\n'
    Path("traces.json").write_text(line * 100)
    before = sorted(path for path in place.root.rglob("*") if path.is_file())
    done = caselaw(place, *words, limit=small_files_alone)
    assert done.returncode == 3
    assert "File too large. What was there is as it was" in done.stderr
    after = sorted(path for path in place.root.rglob("*") if path.is_file())
    assert [path for path in after if path not in before] == []


def test_the_files_that_kills_left_in_the_registry_go_with_the_next_change(place: DataDir) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = place.root / "registry" / f".failure_modes.yaml.{gone.pid}.0badcafe.tmp"
    left.write_text("half")
    assert caselaw(place, "modes", "fix", "loop", "2.6.0").returncode == 0
    assert not left.exists()


# --- the judge's ledger -----------------------------------------------------------------------


@pytest.mark.parametrize("words", [["retention"], ["retention", "--dry-run"]])
def test_a_ledger_that_is_no_database_stops_retention_with_a_reason(
    place: DataDir, words: list[str]
) -> None:
    place.ledger.mkdir(exist_ok=True)
    (place.ledger / "judge.sqlite").write_bytes(b"no database at all" * 100)
    done = caselaw(place, *words)
    assert done.returncode == 3
    assert "judge.sqlite cannot be used (file is not a database)" in done.stderr
    assert (place.raw / RAW_TRACES.name / str(DAY) / "part-0.parquet").exists()


def test_a_ledger_that_another_process_holds_is_said_to_be_held(place: DataDir) -> None:
    Ledger(place.ledger).close()
    path = place.ledger / "judge.sqlite"
    with closing(sqlite3.connect(path)) as holder, closing(sqlite3.connect(path, timeout=0)) as us:
        holder.execute("BEGIN IMMEDIATE")
        with (
            pytest.raises(LedgerBroken, match=r"is locked\); nothing was dropped\. Another"),
            telling_of_ledger(path, "nothing was dropped"),
        ):
            us.execute("DELETE FROM answers")


# --- erasure ----------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [RAW_TRACES.name, GRADES.name])
def test_nobody_is_half_erased_because_a_file_is_torn(place: DataDir, table: str) -> None:
    load_key(place.keys / "content.key", {}, create=True)
    path = tear(place, table, DAY)
    done = caselaw(place, "forget", "--user", "mia@example.org")
    assert done.returncode == 3
    assert f"{path.relative_to(place.root)} cannot be read" in done.stderr
    assert not place.receipts.exists()


# --- signals ----------------------------------------------------------------------------------


def test_ctrl_c_is_no_finding(place: DataDir) -> None:
    """It comes while the command waits for what it is to read from standard input."""
    running = subprocess.Popen(
        [sys.executable, "-c", "import signal; signal.signal(2, signal.default_int_handler)\n"
         "from pipeline.cli import main; print('ready', flush=True); main(['sql', '-'])"],
        env=os.environ | {"CASELAW_DATA": str(place.root)}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert running.stdout is not None
    running.stdout.readline()
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    said = running.communicate()[1]
    assert running.returncode == 130, said
    assert "caselaw: stopped" in said
