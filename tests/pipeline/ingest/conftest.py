"""One way to ingest a day in these tests."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from pipeline.datadir import DataDir
from pipeline.ingest import Assembly, assemble_day
from pipeline.registry import load_registry
from pipeline.tables import RAW_TRACES
from pipeline.windows import day

_registry_of = cache(load_registry)  # reading it takes longer than a small day does


@pytest.fixture
def ingest(place: DataDir) -> Callable[..., Assembly]:
    """Assemble one day of the test's data directory, 2026-11-02 unless told."""

    def run(key: str = "2026-11-02") -> Assembly:
        window = day(key)
        assembly = assemble_day(place, window, _registry_of(place.registry, window), b"k" * 32)
        assembly.counts.check("test")
        RAW_TRACES.conform(assembly.traces)
        return assembly

    return run
