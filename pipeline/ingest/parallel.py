"""Work spread over processes of our own: tasks in, answers out, as lines of JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from queue import Empty, Queue
from typing import Any

__all__ = ["WorkerFailed", "run_tasks"]


# Workers fill and empty the same hundreds of MB again and again: giving them back to the system in
# between costs a page fault for every 4 KB, a tenth of all time. (glibc's; others ignore it.)
_KEEPING_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
    "MALLOC_TRIM_THRESHOLD_": str(2**32),
    "MALLOC_TOP_PAD_": str(2**26),
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}


class WorkerFailed(RuntimeError):
    """A worker process raised, or died; the message holds no text of a trace."""


def run_tasks(module: str, tasks: Sequence[dict[str, Any]], workers: int = 2) -> Iterator[Any]:
    """Run tasks in processes `python -m <module>`, and yield their answers in the tasks' order.

    A worker reads one task a line and answers each with one line; it ends when its input does,
    so it outlives neither this process nor the caller's loop. (No pool of `multiprocessing`: that
    would import the caller's main module, Dagster and all, in every worker, or fork threads.)

    Raises:
        WorkerFailed: with the worker's own error.
    """
    waiting: Queue[tuple[int, dict[str, Any]]] = Queue()
    for number, task in enumerate(tasks):
        waiting.put((number, task))
    answers: Queue[tuple[int, Any]] = Queue()
    command = [sys.executable, "-m", module]
    environment = os.environ | {"POLARS_MAX_THREADS": "1"} | _KEEPING_MEMORY
    processes = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        for _ in range(min(workers, len(tasks)))
    ]
    threads = [
        threading.Thread(target=_serve, args=(process, waiting, answers), daemon=True)
        for process in processes
    ]
    try:
        for thread in threads:
            thread.start()
        early: dict[int, Any] = {}
        for number in range(len(tasks)):
            while number not in early:
                at, answer = answers.get()
                if isinstance(answer, WorkerFailed):
                    raise answer
                early[at] = answer
            yield early.pop(number)
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _serve(
    process: subprocess.Popen[str],
    waiting: Queue[tuple[int, dict[str, Any]]],
    answers: Queue[tuple[int, Any]],
) -> None:
    """Hand tasks to one worker until none is left."""
    assert process.stdin is not None
    assert process.stdout is not None
    while True:
        try:
            number, task = waiting.get_nowait()
        except Empty:
            return
        try:
            process.stdin.write(json.dumps(task) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        if not line:
            answers.put((number, WorkerFailed(_death(process))))
            return
        answer = json.loads(line)
        if "error" in answer:
            answers.put((number, WorkerFailed(answer["error"])))
            return
        answers.put((number, answer["answer"]))


def _death(process: subprocess.Popen[str]) -> str:
    """How a process ended, and what to do."""
    try:
        code = process.wait(5)
    except subprocess.TimeoutExpired:
        code = 0
    how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
    return (
        f"a worker process ended {how} in the middle of its work, often because memory ran out; "
        "nothing of it was published, and running the same again begins it anew"
    )
