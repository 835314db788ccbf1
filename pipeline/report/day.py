"""What a run summary is made of: one day's tables and what the week before knew."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipeline.lake import Lake
from pipeline.provenance import Counts
from pipeline.tables import (
    FAILURE_MODE_CLUSTERS,
    FAILURE_MODES,
    GRADES,
    JUDGE_CALIBRATION_REPORTS,
    MODE_STATES,
    PROMOTED_CASES,
    QUARANTINED_RECORDS,
    RAW_TRACES,
    REDACTED_TRACES,
    SLOW_FAILURES,
    STRATIFIED_SAMPLES,
    UNKNOWN_INTENTS,
    Table,
)
from pipeline.windows import Window, previous_week

__all__ = ["DayTables", "read_day"]


@dataclass(frozen=True)
class DayTables:
    """The tables of one day, the counts of two steps, and tables of the week before.

    `read` counts what was assembled into raw traces, `drawn` the traces that were seen and drawn.
    Those of the week before are None where that week was never made.
    """

    window: Window
    read: Counts
    drawn: Counts
    quarantined: pl.DataFrame
    samples: pl.DataFrame
    redacted: pl.DataFrame
    grades: pl.DataFrame
    clusters: pl.DataFrame
    decisions: pl.DataFrame
    modes_before: pl.DataFrame | None = None
    calibration_before: pl.DataFrame | None = None
    states_before: pl.DataFrame | None = None
    slow_before: pl.DataFrame | None = None
    intents_before: pl.DataFrame | None = None


def read_day(lake: Lake, window: Window) -> DayTables:
    """Read from the lake what the summary of `window` needs.

    Raises:
        MissingPartition: a table of that day was never published; the message says what to run.
    """
    before = previous_week(window)

    def weekly(table: Table) -> pl.DataFrame | None:
        return lake.read(table, before) if lake.exists(table, before) else None

    return DayTables(
        window=window,
        read=_counts(lake, RAW_TRACES, window),
        drawn=_counts(lake, STRATIFIED_SAMPLES, window),
        quarantined=lake.read(QUARANTINED_RECORDS, window),
        samples=lake.read(STRATIFIED_SAMPLES, window),
        redacted=lake.read(REDACTED_TRACES, window),
        grades=lake.read(GRADES, window),
        clusters=lake.read(FAILURE_MODE_CLUSTERS, window),
        decisions=lake.read(PROMOTED_CASES, window),
        modes_before=weekly(FAILURE_MODES),
        calibration_before=weekly(JUDGE_CALIBRATION_REPORTS),
        states_before=weekly(MODE_STATES),
        slow_before=weekly(SLOW_FAILURES),
        intents_before=weekly(UNKNOWN_INTENTS),
    )


def _counts(lake: Lake, table: Table, window: Window) -> Counts:
    if not lake.exists(table, window):
        lake.read(table, window)  # raises, naming the command that makes it
    return Counts(**lake.footer(table, window)["counts"])
