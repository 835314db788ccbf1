"""Fixtures that every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from pipeline.datadir import DataDir
from pipeline.lake import Lake

settings.register_profile("caselaw", deadline=None, derandomize=True, database=None)
settings.load_profile("caselaw")

_ROOT = Path(__file__).resolve().parent.parent


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
    folder = Path(os.environ.get("CASELAW_SHARED") or _ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no corpora at {folder}: set CASELAW_SHARED to their folder to run this test")
    return folder
