"""`caselaw pull` as a person runs it: keys, windows, exit codes, a kill in the middle."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from tests.pipeline.connectors.langfuse_server import Langfuse, observation, score
from tests.pipeline.connectors.platform_server import Answer

KEYS = {"LANGFUSE_PUBLIC_KEY": "pk-1", "LANGFUSE_SECRET_KEY": "sk-1"}
DAYS = ("--from", "2026-11-01", "--to", "2026-11-02")


@pytest.fixture
def project(server) -> Langfuse:
    """1,500 observations on two days, and a score, on Langfuse Cloud."""
    found = Langfuse([], [observation(n, 1.5 * n) for n in range(1500)], [score(1, 5)])
    found.current(server)
    return found


@pytest.fixture
def start(server, tmp_path: Path):
    """Starts `caselaw pull langfuse` against the server."""

    def run(*arguments: str, keys: dict[str, str] = KEYS) -> subprocess.Popen[str]:
        environment = {name: value for name, value in os.environ.items() if "LANGFUSE" not in name}
        return subprocess.Popen(
            [sys.executable, "-B", "-c", "from pipeline.cli import main; main()",
             "--data", str(tmp_path / "data"), "pull", "langfuse", "--host", server.url,
             *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment | keys,
        )  # fmt: skip

    return run


def landed(tmp_path: Path) -> list[str]:
    files = (tmp_path / "data" / "landing" / "pulled").rglob("observations-*.jsonl")
    return [orjson.loads(line)["id"] for file in files for line in file.read_bytes().splitlines()]


def test_a_pull_and_the_next_one_from_where_it_ended(project, server, start, tmp_path: Path):
    out, err = (process := start(*DAYS)).communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "observations: got 1,500 of an unknown total, truncated: no" in out
    assert sorted(landed(tmp_path)) == [row["id"] for row in project.observations]
    assert "sk-1" not in out

    server.asked.clear()
    out, err = (process := start("--to", "2026-11-03")).communicate(timeout=60)
    assert process.returncode == 0, err
    starts = [asked.one("fromStartTime") for asked in server.asked if "Start" in str(asked.params)]
    # The first window ended at midnight; 15 minutes of it are pulled again.
    assert min(starts) == "2026-11-02T23:45:00.000Z"


@pytest.mark.parametrize(("number", "lost"), [(signal.SIGKILL, 10), (signal.SIGTERM, 0)])
def test_a_pull_that_is_killed_goes_on_without_loss(
    project, server, start, tmp_path: Path, number, lost
):
    """A kill costs the pages since the last file, at most ten; a signal to stop costs none."""
    reached = []
    server.before = lambda asked: (
        time.sleep(0.1) if reached.append(asked) or len(reached) > 8 else 0
    )
    process = start(*DAYS, "--api", "current")
    while len(reached) < 12:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    before = len(server.paths("/api/public/v2/observations"))
    if number == signal.SIGTERM:
        assert process.returncode == 3
        assert "What was pulled is landed. To go on: caselaw --data" in err
        assert len(landed(tmp_path)) > 0
    server.before = lambda _asked: None

    out, err = (process := start(*DAYS, "--api", "current")).communicate(timeout=60)
    assert process.returncode == 0, err
    assert set(landed(tmp_path)) == {row["id"] for row in project.observations}
    # 1,500 records are 16 pages (960 on the first day, 540 on the second) and two questions
    # which API there is; the page under way when it stopped was asked for twice.
    asked = len(server.paths("/api/public/v2/observations"))
    assert before < asked <= 16 + 2 + 1 + lost
    assert "observations: got 1,500 of an unknown total, truncated: no" in out


def test_the_command_that_goes_on_is_said_and_works(project, server, start, tmp_path: Path):
    server.faults = [Answer("", 404), Answer("", 400)]
    out, err = (process := start(*DAYS, "--environment", "production")).communicate(timeout=60)
    assert process.returncode == 3
    command = re.search(r"To go on: (caselaw .*)", err)
    assert command
    assert "--from 2026-11-01T00:00:00+00:00 --to 2026-11-03T00:00:00+00:00" in command[1]
    assert "--environment production" in command[1]
    assert "sk-1" not in out + err
    words = command[1].split()[command[1].split().index("langfuse") + 1 :]
    out, err = (process := start(*words)).communicate(timeout=60)
    assert process.returncode == 0, err
    assert len(landed(tmp_path)) == 1500


@pytest.mark.parametrize(
    ("arguments", "keys", "said"),
    [
        ((), KEYS, "the first pull needs --from"),
        (DAYS, {}, "set LANGFUSE_PUBLIC_KEY: keys come from the environment"),
        (("--from", "yesterday"), KEYS, "neither YYYY-MM-DD nor an ISO time"),
        (("--from", "2026-11-02", "--to", "2026-11-01"), KEYS, "nothing lies between"),
        ((*DAYS, "--host", "http://example.com"), KEYS, "over plain http"),
    ],
)
def test_wrong_usage_is_said_and_asks_nobody(server, start, arguments, keys, said):
    _, err = (process := start(*arguments, keys=keys)).communicate(timeout=60)
    assert process.returncode == 2
    assert said in err
    assert server.asked == []


def test_two_of_the_same_pull_do_not_run_at_once(project, server, start):
    held = []

    def slow(asked):
        held.append(asked)
        time.sleep(4 if len(held) == 1 else 0)

    server.before = slow
    first = start(*DAYS)
    while not held:
        assert first.poll() is None
        time.sleep(0.02)
    _, err = (second := start(*DAYS)).communicate(timeout=60)
    assert second.returncode == 3
    assert "the same pull is running in another process" in err
    first.kill()
    first.communicate()
