"""A backfill killed at any swap of a file, or run twice at once, ends in the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from assets.backfill import INTERRUPTED
from pipeline.datadir import DataDir
from pipeline.files import leftovers
from tests.assets.conftest import Lineage, tree_hash
from tests.assets.test_laws import same_traffic

__all__ = ["same_traffic"]  # a fixture

pytestmark = pytest.mark.slow

BACKFILL = ["--from", "2026-11-06", "--to", "2026-11-08"]

# A backfill that is killed right before, or right after, the file of that number is swapped in.
_KILLED = """
import os, runpy, signal, sys
swap, swapped = os.replace, 0
at, late = int(sys.argv.pop(1)), sys.argv.pop(1) == "after"
def replace(source, target, **more):
    global swapped
    swapped += 1
    if swapped == at and not late:
        os.kill(os.getpid(), signal.SIGKILL)
    swap(source, target, **more)
    if swapped == at:
        os.kill(os.getpid(), signal.SIGKILL)
os.replace = replace
runpy.run_module("assets.backfill", run_name="__main__", alter_sys=True)
"""


def started(place: DataDir, *words: str) -> subprocess.Popen[str]:
    """Start a process on the data directory."""
    return subprocess.Popen(
        [sys.executable, *words], cwd=Path(__file__).parents[2], text=True,
        env=os.environ | {"CASELAW_DATA": str(place.root)}, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_killed_again_and_again_the_same_command_ends_in_the_same_bytes(
    closed_week: Lineage, same_traffic: DataDir
) -> None:
    # in raw_traces, amid the stages of the days, between a week's tables and their manifests
    for at, when in ((9, "before"), (40, "after"), (75, "after")):
        killed = started(same_traffic, "-c", _KILLED, str(at), when, *BACKFILL)
        assert killed.communicate()[1].count("Traceback") == 0
        assert killed.returncode == -signal.SIGKILL
    last = started(same_traffic, "-m", "assets.backfill", *BACKFILL)
    said = last.communicate()[1]
    assert last.returncode == 0, said
    assert "runs that a killed process left unfinished: 1; marked as failed" in said
    assert tree_hash(same_traffic.lake) == tree_hash(closed_week.place.lake)
    suite = Path("eval") / "cases_from_prod.yaml"
    assert (same_traffic.root / suite).read_bytes() == (closed_week.place.root / suite).read_bytes()
    assert list(leftovers(same_traffic.root)) == []


def test_two_at_once_of_the_same_days_end_in_the_same_bytes(
    closed_week: Lineage, same_traffic: DataDir
) -> None:
    both = [started(same_traffic, "-m", "assets.backfill", *BACKFILL) for _ in range(2)]
    for one in both:
        said = one.communicate()[1]
        assert one.returncode == 0, said
    assert tree_hash(same_traffic.lake) == tree_hash(closed_week.place.lake)


def test_a_signal_to_stop_says_how_to_go_on_and_leaves_whole_files(same_traffic: DataDir) -> None:
    running = started(same_traffic, "-m", "assets.backfill", *BACKFILL)
    assert running.stderr is not None
    for line in running.stderr:
        if "started" in line:
            break
    running.send_signal(signal.SIGTERM)
    said = running.communicate()[1]
    assert running.returncode == INTERRUPTED
    assert "Stopped; what was published stays. Run the same command to go on." in said
    assert list(leftovers(same_traffic.root)) == []
