"""The days of one week in several processes, a Dagster run each: order is free within a week."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from assets.execution import Outcome, Runner, sign_of_life
from assets.plan import Task
from pipeline.datadir import DataDir

__all__ = ["WorkerGone", "Workers", "workers"]

_held = ExitStack()
_runner: Runner | None = None


class WorkerGone(RuntimeError):
    """A process of the pool was killed, by hand or by the system for want of memory."""


@dataclass(frozen=True)
class Workers:
    """Processes that have loaded the lineage once and take one day after the other."""

    pool: ProcessPoolExecutor

    def run(self, task: Task) -> Iterator[tuple[Task, Outcome]]:
        """Run each day of `task` by itself, yielding the days as they end.

        After a failure the days under way end and no further one starts.

        Raises:
            WorkerGone: a process was killed; the days that it had not ended are to be run again.
        """
        alone = [Task(task.job, (window,)) for window in task.windows]
        futures = {self.pool.submit(_run, each): each for each in alone}
        failed = False
        for future in as_completed(futures):
            if future.cancelled():
                continue
            try:
                outcome = future.result()
            except BrokenProcessPool:
                raise WorkerGone(
                    f"{task}: one of the processes was killed; if the system did it for want of "
                    "memory, run with a smaller PARALLEL. What was published stays. Run the same "
                    "command again"
                ) from None
            if outcome.errors and not failed:
                failed = True
                for other in futures:
                    other.cancel()
            yield futures[future], outcome


@contextmanager
def workers(place: DataDir, count: int) -> Iterator[Workers]:
    """Start `count` processes (fresh ones: threads of models do not survive a fork)."""
    fresh = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(count, fresh, initializer=_load, initargs=(str(place.root),))
    try:
        yield Workers(pool)
    finally:
        pool.shutdown(cancel_futures=True)


def _load(root: str) -> None:
    from pathlib import Path

    from assets.definitions import build
    from assets.home import open_instance

    global _runner
    place = DataDir(Path(root))
    sign = _held.enter_context(sign_of_life(place.dagster))
    _runner = Runner(build(place, threads=1), _held.enter_context(open_instance(place)), sign)


def _run(task: Task) -> Outcome:
    assert _runner is not None
    return _runner.run(task, lambda what, text: None)
