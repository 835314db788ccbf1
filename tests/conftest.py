"""Fixtures that every test may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from pipeline.datadir import DataDir
from pipeline.lake import Lake
from tests.shared_corpora import SHARED

settings.register_profile("caselaw", deadline=None, derandomize=True, database=None)
settings.load_profile("caselaw")


@pytest.fixture
def place(tmp_path: Path) -> DataDir:
    """An empty data directory; its registry is the committed one."""
    return DataDir(tmp_path / "data")


@pytest.fixture
def lake(place: DataDir) -> Lake:
    """The lake of the empty data directory."""
    return Lake(place)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real traces of other projects; absent on most machines, and never part of the checkout."""
    if not SHARED.is_dir():
        pytest.skip(f"no corpora at {SHARED}: set CASELAW_SHARED to their folder to run this test")
    return SHARED
