"""The suite as the next publication would write it, beside the file as it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from pipeline.datadir import DataDir
from pipeline.ingest.suppression import erased_cases
from pipeline.lake import Lake, MissingPartition
from pipeline.registry import Registry, load_registry
from pipeline.review.annotations import read_annotations
from pipeline.suite.assembly import Suite, assemble_suite
from pipeline.suite.file import SuiteFileError
from pipeline.suite.prompts import Prompts, read_prompts
from pipeline.suite.store import FROM_PROD, SuiteText, read_text
from pipeline.tables import FAILURE_MODES, PROMOTED_CASES
from pipeline.windows import Window

__all__ = ["EVER", "Proposal", "propose", "propose_next", "suite_folder", "suite_registry"]

EVER = datetime.max.replace(tzinfo=UTC)
"""Of the suite, which is of all days, all annotations count."""


@dataclass(frozen=True)
class Proposal:
    """The file as it was read, the suite to replace it, and the prompts it keeps clear of."""

    before: SuiteText
    suite: Suite
    prompts: Prompts
    registry: Registry


def propose(
    place: DataDir,
    promoted: pl.DataFrame,
    annotations: pl.DataFrame,
    modes: pl.DataFrame | None,
    registry: Registry,
) -> Proposal:
    """Assemble the suite over the file that people edited; nothing is written.

    Args:
        place: the data directory.
        promoted: `promoted_cases` of all days, with a `day`.
        annotations: of all time.
        modes: `failure_modes` of the latest week.
        registry: as of the latest day.

    Raises:
        SuiteFileError: the file is broken; the message names it by its path.
    """
    folder = suite_folder(place, registry)
    prompts = read_prompts(registry, folder)
    before = read_text(folder / FROM_PROD)
    try:
        suite = assemble_suite(
            promoted, annotations, modes, before.text, registry, erased_cases(place),
            prompts=prompts.found,
        )  # fmt: skip
    except SuiteFileError as error:
        raise error.at(before.path) from None
    return Proposal(before, suite, prompts, registry)


def propose_next(place: DataDir) -> Proposal:
    """What the next publication would write, read from the lake as it does.

    Raises:
        MissingPartition: no day has been decided yet.
        SuiteFileError: the file is broken.
    """
    lake = Lake(place)
    days = lake.windows(PROMOTED_CASES)
    if not days:
        raise MissingPartition(
            f"promoted_cases has no day yet in {place.lake}; nothing was changed. Run: "
            + place.make("backfill", "YYYY-MM-DD")
        )
    promoted = pl.concat(
        lake.read(PROMOTED_CASES, day).with_columns(pl.lit(day.first, pl.Date).alias("day"))
        for day in days
    )
    weeks = lake.windows(FAILURE_MODES)
    modes = lake.read(FAILURE_MODES, weeks[-1]) if weeks else None
    labels = read_annotations(place.annotations, EVER)
    return propose(place, promoted, labels, modes, load_registry(place.registry, days[-1]))


def suite_registry(place: DataDir) -> Registry:
    """The registry as publication reads it: of the latest day decided, else of today."""
    days: list[Window] = Lake(place).windows(PROMOTED_CASES)
    as_of: Window | date = days[-1] if days else datetime.now(UTC).date()
    return load_registry(place.registry, as_of)


def suite_folder(place: DataDir, registry: Registry) -> Path:
    """Where the suite lies."""
    return place.eval_dir(registry.settings.eval_dir)
