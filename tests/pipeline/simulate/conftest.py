"""Two weeks of traffic, written once for all tests of this folder, in both sets of phrases."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from pipeline.simulate import Simulation, simulate

from .landed import Talk, read_talks

MONDAY = dt.date(2026, 11, 2)


@dataclass(frozen=True)
class World:
    """A simulated data directory, what was said about it, and what is found in it."""

    folder: Path
    report: Simulation
    truth: pl.DataFrame
    talks: dict[str, Talk]

    def clean(self) -> list[tuple[dict[str, object], Talk]]:
        """Conversations without a planted failure."""
        rows = self.truth.filter(pl.col("failure_kinds").list.len() == 0).iter_rows(named=True)
        return [(row, self.talks[row["trace_id"]]) for row in rows]

    def failing(self, kind: str) -> list[tuple[dict[str, object], Talk]]:
        """Conversations in which a failure of this kind was planted."""
        rows = self.truth.filter(pl.col("failure_kinds").list.contains(kind)).iter_rows(named=True)
        return [(row, self.talks[row["trace_id"]]) for row in rows]


def _world(folder: Path, phrases: str, seed: int) -> World:
    report = simulate(folder, start=MONDAY, seed=seed, phrases=phrases)  # type: ignore[arg-type]
    truth = pl.read_parquet(folder / "simulated" / "ground_truth.parquet")
    return World(folder, report, truth, read_talks(folder / "landing"))


@pytest.fixture(scope="session", params=[("tuned", 7), ("held_out", 23)], ids=["tuned", "held_out"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Fourteen days of 150 conversations."""
    phrases, seed = request.param
    return _world(tmp_path_factory.mktemp(phrases), phrases, seed)
