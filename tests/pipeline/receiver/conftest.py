"""The real receiver in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest


@dataclass
class Running:
    """A receiver that runs, its address and its folder in landing."""

    process: subprocess.Popen[str]
    url: str
    folder: Path

    def stop(self, number: int = signal.SIGTERM) -> str:
        """Send a signal and wait; returns what it said since it started."""
        self.process.send_signal(number)
        said, _ = self.process.communicate(timeout=20)
        return said

    def lines(self) -> list[bytes]:
        """Every line on disk, in the files' order."""
        files = sorted(self.folder.glob("*.jsonl"))
        return [line for file in files for line in file.read_bytes().splitlines(keepends=True)]

    def spans(self) -> list[dict]:
        """Every span on disk."""
        return [
            span
            for line in self.lines()
            for resource in orjson.loads(line).get("resourceSpans", [])
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts receivers on free ports of loopback; those still running at the end are killed."""
    with starting(tmp_path / "data") as run:
        yield run


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One receiver for all tests whose requests leave nothing."""
    with starting(tmp_path_factory.mktemp("idle")) as run:
        yield run()


@contextmanager
def starting(data: Path) -> Iterator[Start]:
    started: list[Running] = []

    def run(*arguments: str, file_size: int | None = None, **environment: str) -> Running:
        code = "from pipeline.cli import main; main()"
        if file_size is not None:  # writing beyond it fails, as on a full disk
            limit = f"resource.RLIMIT_FSIZE, ({file_size}, {file_size})"
            code = f"import resource; resource.setrlimit({limit}); {code}"
        command = [sys.executable, "-B", "-c", code, "--data", str(data), "receive"]
        process = subprocess.Popen(
            [*command, "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **environment},
        )
        assert process.stdout is not None
        said = process.stdout.readline()
        url = re.search(r"http://\S+?:\d+", said)
        assert url, said + process.stdout.read()
        started.append(Running(process, url[0], data / "landing" / "received"))
        return started[-1]

    yield run
    for running in started:
        if running.process.poll() is None:
            running.process.kill()
            running.process.communicate()
