"""Steps and erasures keep out of each other's way; steps never wait for one another.

A step that reads and publishes holds `working`, any number of them at once. An erasure holds
`erasing` alone: it waits until the running steps have ended, and steps that come meanwhile wait for
it. Otherwise a day that was read before the erasure would publish the person afterwards. The system
lets go of a lease when its process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pipeline.datadir import DataDir
from pipeline.files import make_directory

__all__ = ["StillWorking", "erasing", "working"]

_LOOK_EVERY = 0.1  # seconds


class StillWorking(RuntimeError):
    """Steps did not end in the time that an erasure would wait."""


@contextmanager
def working(place: DataDir) -> Iterator[None]:
    """Held by a step while it reads and publishes a partition, or reads what landed."""
    with _opened(place, "gate") as gate, _opened(place, "work") as work:
        fcntl.flock(gate, fcntl.LOCK_SH)  # closed while an erasure waits: it gets its turn
        fcntl.flock(work, fcntl.LOCK_SH)
        fcntl.flock(gate, fcntl.LOCK_UN)
        yield


@contextmanager
def erasing(place: DataDir, patience: float, waiting: Callable[[], None]) -> Iterator[None]:
    """Held by an erasure, alone.

    Args:
        place: the data directory.
        patience: seconds to wait for running steps, or for another erasure.
        waiting: called once if there is something to wait for.

    Raises:
        StillWorking: they have not ended by then.
    """
    deadline = time.monotonic() + patience
    with _opened(place, "gate") as gate, _opened(place, "work") as work:
        told = False
        for lock in (gate, work):
            while not _taken(lock):
                if not told:
                    waiting()
                    told = True
                if time.monotonic() > deadline:
                    raise StillWorking(
                        f"a step or another erasure is running and did not end within "
                        f"{patience:.0f} s; nothing was changed. Run the same again once it has, "
                        "or give it longer with --wait"
                    )
                time.sleep(_LOOK_EVERY)
        yield


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _opened(place: DataDir, name: str) -> Iterator[int]:
    make_directory(place.privacy, private=True)
    handle = os.open(place.privacy / f".{name}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)
