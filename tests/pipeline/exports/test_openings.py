"""The holdout is opened for a reason, and every opening is a line that stays."""

from __future__ import annotations

import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson

from pipeline.datadir import DataDir
from pipeline.suite.openings import read_openings, record_opening


def test_openings_at_the_same_time_are_all_kept(tmp_path: Path):
    place = DataDir(tmp_path)
    assert read_openings(place).found == ()
    with ThreadPoolExecutor(8) as pool:
        for number in range(40):
            pool.submit(record_opening, place, who="r-1", why="x\ny", cases=number, target="pytest")
    lines = (place.ledger / "holdout_openings.jsonl").read_bytes().splitlines()
    read = [orjson.loads(line) for line in lines]
    assert sorted(line["cases"] for line in read) == list(range(40))
    assert set(read[0]) == {"at", "who", "why", "cases", "target"}
    assert len(read_openings(place).found) == 40


def test_what_a_kill_tore_does_not_swallow_the_next_opening(tmp_path: Path):
    place = DataDir(tmp_path)
    record_opening(place, who="r-1", why="release", cases=3, target="pytest")
    log = place.ledger / "holdout_openings.jsonl"
    log.write_bytes(log.read_bytes() + b'{"at": "2026-11-')
    record_opening(place, who="r-1", why="the arguments of a shell: \udcff", cases=4, target="x")
    found = read_openings(place)
    assert ([one.cases for one in found.found], found.unreadable) == ([3, 4], 1)


_ON_A_FULL_DISK = """
import signal, sys
from pathlib import Path
from pipeline.datadir import DataDir
from pipeline.suite.openings import record_opening
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    record_opening(DataDir(Path(sys.argv[1])), who="r-1", why="x" * 500, cases=1, target="pytest")
except OSError:
    sys.exit(7)
"""


def test_an_opening_that_is_written_by_half_opens_nothing(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", _ON_A_FULL_DISK, str(tmp_path)],
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200)),
    )
    assert done.returncode == 7
    assert read_openings(DataDir(tmp_path)).found == ()
