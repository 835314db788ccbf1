"""Servers and clients for the connectors' tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from pipeline.connectors import Api, Limits
from tests.pipeline.connectors.platform_server import Server, serving


@pytest.fixture
def server() -> Iterator[Server]:
    """A server without routes yet."""
    with serving() as found:
        yield found


@dataclass
class Waits:
    """Instead of sleeping: how long it would have been."""

    seconds: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def waits() -> Waits:
    """What an `api` waited."""
    return Waits()


@pytest.fixture
def api(server: Server, waits: Waits) -> Iterator[Callable[..., Api]]:
    """Makes clients of the server that do not really wait."""
    made: list[Api] = []

    def make(**limits: Any) -> Api:
        headers = {"Authorization": "Bearer s3cret"}
        limited = Limits(**{"interval": 0, "timeout": 5, **limits})
        made.append(Api(server.url, headers, "THE_KEY", limited, sleep=waits))
        return made[-1]

    yield make
    for one in made:
        one.close()
