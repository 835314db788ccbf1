"""Steps run side by side; an erasure runs alone, and comes to its turn."""

from __future__ import annotations

import threading
import time

import pytest

from pipeline.datadir import DataDir
from pipeline.lease import StillWorking, erasing, working


def test_steps_never_wait_for_one_another(place: DataDir) -> None:
    with working(place), working(place):
        pass


def test_an_erasure_waits_for_a_running_step_and_says_so(place: DataDir) -> None:
    told: list[str] = []
    order: list[str] = []

    def step() -> None:
        with working(place):
            running.set()
            time.sleep(0.3)
            order.append("step")

    running = threading.Event()
    thread = threading.Thread(target=step)
    thread.start()
    running.wait()
    with erasing(place, 10, lambda: told.append("waiting")):
        order.append("erasure")
    thread.join()
    assert (order, told) == (["step", "erasure"], ["waiting"])


def test_steps_that_come_meanwhile_let_a_waiting_erasure_go_first(place: DataDir) -> None:
    """Otherwise days in two processes would keep it waiting for ever."""
    order: list[str] = []

    def erase() -> None:
        with erasing(place, 10, waiting.set):
            order.append("erasure")

    def step() -> None:
        with working(place):
            order.append("step")

    waiting = threading.Event()
    with working(place):
        threads = [threading.Thread(target=erase)]
        threads[0].start()
        waiting.wait()
        threads.append(threading.Thread(target=step))
        threads[1].start()
        time.sleep(0.3)
        order.append("first step")
    for thread in threads:
        thread.join()
    assert order == ["first step", "erasure", "step"]


def test_patience_ends(place: DataDir) -> None:
    with (
        working(place),
        pytest.raises(StillWorking, match=r"within 0 s; nothing was changed.*--wait"),
        erasing(place, 0, lambda: None),
    ):
        pass


def test_whoever_fails_lets_go(place: DataDir) -> None:
    with pytest.raises(ZeroDivisionError), working(place):
        _ = 1 / 0
    with erasing(place, 0, lambda: None):
        pass
