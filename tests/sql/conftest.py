"""A warehouse over the lake that `hand_made_lake` writes out, with its summaries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipeline.catalog import build_warehouse
from pipeline.datadir import DataDir
from pipeline.lake import Lake
from pipeline.provenance import Provenance
from pipeline.registry import Registry, Settings
from pipeline.report import read_day, summarise
from pipeline.tables import RUN_SUMMARIES
from tests.hand_made_lake import EMPTY, MONDAY, TUESDAY, publish_hand_made_lake


@pytest.fixture(scope="module")
def hand_made(tmp_path_factory: pytest.TempPathFactory) -> DataDir:
    """A data directory with the hand-made lake, its summaries and its warehouse."""
    place = DataDir(tmp_path_factory.mktemp("hand") / "it's data")
    lake = Lake(place)
    publish_hand_made_lake(lake)
    for window in (MONDAY, TUESDAY, EMPTY):
        summary = summarise(read_day(lake, window), Registry(Settings(), (), (), (), (), {}))
        lake.publish(RUN_SUMMARIES, window, summary.frame, Provenance(summary.counts))
    build_warehouse(place)
    return place


@pytest.fixture
def warehouse(hand_made: DataDir) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to it."""
    with duckdb.connect(str(hand_made.warehouse), read_only=True) as connection:
        yield connection


@pytest.fixture
def empty_place(tmp_path: Path) -> DataDir:
    """A data directory in which nothing was published, with a warehouse over it."""
    place = DataDir(tmp_path / "data")
    place.root.mkdir()
    build_warehouse(place)
    return place
