"""The event loop that all calls of a process run on.

One loop, in a thread of its own, for as long as the process lives: connections to the provider are
kept from day to day, and litellm's clients, each bound to the loop it was made on, stay usable.
It also works where the caller has a loop of its own running.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from functools import lru_cache
from typing import Any, TypeVar

__all__ = ["run_on_loop"]

T = TypeVar("T")
_LOOK = 0.5  # seconds
_PATIENCE = 10.0  # seconds for calls that are cancelled to be booked


def run_on_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end and return what it gives; an interrupt cancels it.

    What was interrupted has ended when this raises, so that it can be cleaned up after.
    """
    ended = threading.Event()

    async def to_its_end() -> T:
        try:
            return await work
        finally:
            ended.set()

    future = asyncio.run_coroutine_threadsafe(to_its_end(), _loop())
    try:
        while True:
            # waiting without end would not let Ctrl-C through everywhere
            with contextlib.suppress(TimeoutError):
                return future.result(_LOOK)
            if future.done():
                return future.result()
    except BaseException:
        future.cancel()
        ended.wait(_PATIENCE)
        raise


@lru_cache(maxsize=1)
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="caselaw-judge", daemon=True).start()
    return loop
