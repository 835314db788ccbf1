"""A week of simulated traffic, run once for every test that reads it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from assets.definitions import build
from assets.execution import Outcome, Runner
from assets.plan import Task, backfill
from pipeline.datadir import DataDir
from pipeline.lake import Lake
from pipeline.review import Annotation, write_annotation
from pipeline.simulate import simulate

FRIDAY = date(2026, 11, 6)
SUNDAY = date(2026, 11, 8)


@dataclass(frozen=True)
class Lineage:
    """The lineage over one data directory, with a Dagster instance."""

    place: DataDir
    runner: Runner
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def lake(self) -> Lake:
        return Lake(self.place)

    def run(self, *tasks: Task) -> list[Outcome]:
        """Run tasks and keep how they went."""
        latest = [self.runner.run(task, lambda what, text: None) for task in tasks]
        self.outcomes.extend(latest)
        return latest

    def events(self, asset: str) -> dict[str | None, dg.AssetMaterialization]:
        """The latest materialisation of each partition."""
        records = self.runner.instance.fetch_materializations(dg.AssetKey(asset), limit=100).records
        return {r.partition_key: r.asset_materialization for r in reversed(records)}


def tree_hash(folder: Path) -> str:
    """One digest of every file below `folder`: path and bytes, nothing left out."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    listed = [
        f"{path.relative_to(folder)} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in files
    ]
    assert listed, f"nothing below {folder}"
    return hashlib.sha256("\n".join(listed).encode()).hexdigest()


OpenLineage = Callable[[DataDir], Lineage]


@pytest.fixture(scope="session")
def open_lineage() -> Iterator[OpenLineage]:
    """Opens the lineage over a data directory, with a Dagster instance in memory."""
    with ExitStack() as held:

        def opened(place: DataDir) -> Lineage:
            instance = held.enter_context(dg.DagsterInstance.ephemeral())
            return Lineage(place, Runner(build(place), instance, "test"))

        yield opened


@pytest.fixture(scope="session")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A week of landed traffic, with reviewers' verdicts and the keys that redaction made."""
    folder = tmp_path_factory.mktemp("traffic")
    simulate(folder, start=date(2026, 11, 2), days=7, per_day=6)
    _ask_for_cases(folder)
    return folder


def _ask_for_cases(folder: Path) -> None:
    """Let a person ask for every failure as a case: so few conversations show no pattern."""
    truth = pl.read_parquet(folder / "simulated" / "ground_truth.parquet")
    for row in truth.filter(pl.col("failure_kinds").list.len() > 0).iter_rows(named=True):
        said = Annotation(
            trace_id=row["trace_id"],
            verdict="bad",
            annotator_id="r-1",
            annotated_at=datetime.combine(row["day"], time(23), UTC),
            queue_reason="untrusted_judge",
        )
        write_annotation(folder / "annotations", said)


@pytest.fixture(scope="session")
def closed_week(
    traffic: Path,
    tmp_path_factory: pytest.TempPathFactory,
    open_lineage: OpenLineage,
) -> Lineage:
    """Friday to Sunday run forwards as one range, closed and published. Tests only read it."""
    place = DataDir(tmp_path_factory.mktemp("closed_week"))
    shutil.copytree(traffic, place.root, dirs_exist_ok=True)
    lineage = open_lineage(place)
    outcomes = lineage.run(*backfill(FRIDAY, SUNDAY, Lake(place)))
    assert [outcome.errors for outcome in outcomes] == [[], [], []]
    return lineage
