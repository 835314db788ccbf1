"""A time limit for one whole answer: a server that sends a byte now and then resets every other."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import httpx

__all__ = ["Watch"]

_CONNECTED = {"connection.connect_tcp.complete", "connection.start_tls.complete"}


class Watch:
    """Hangs up the connection of a client that sends one request after another.

    Timeouts of sockets are for the next byte, and reading a body in chunks cannot look at the
    clock while the headers drip in.
    """

    def __init__(self) -> None:
        self._socket: Any = None

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """The request extension `trace` of httpx: learns of the connection."""
        if event in _CONNECTED:
            self._socket = info["return_value"].get_extra_info("socket")

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Whatever goes on inside is over after so many seconds.

        Raises:
            httpx.ReadTimeout: they are over.
        """
        done, late = threading.Event(), threading.Event()
        arguments = (done, late, max(seconds, 0))
        thread = threading.Thread(target=self._guard, args=arguments, daemon=True)
        thread.start()
        try:
            yield
        except (httpx.RequestError, OSError):
            if not late.is_set():
                raise
        finally:
            done.set()
            thread.join()  # it must not hang up on the next request
        if late.is_set():  # also where all seemed well: a body may end where the connection does
            raise httpx.ReadTimeout("the answer as a whole took too long")

    def _guard(self, done: threading.Event, late: threading.Event, seconds: float) -> None:
        if done.wait(seconds):
            return
        late.set()
        while True:
            if self._socket is not None:
                with suppress(OSError):
                    # Of the base class: that of TLS would take the encryption off under the reader.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
            if done.wait(0.1):  # it may only now be connecting
                return
