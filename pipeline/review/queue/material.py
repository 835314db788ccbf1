"""What the queue is made of, read from a lake in whatever state it is in.

Days may be missing, a backfill may be running, a trace may have been erased since: what is there is
read, what is not is not waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl

from pipeline.datadir import DataDir
from pipeline.failures import merged_ids, resolve_modes
from pipeline.failures.slow.modes import slow_mode_name
from pipeline.lake import Lake, MissingPartition
from pipeline.promotion.candidate import SLOW_FAILURE
from pipeline.registry import Registry, load_registry
from pipeline.review.annotations import Annotations, collect_annotations
from pipeline.tables import (
    EVAL_SUITE,
    FAILURE_MODES,
    GRADES,
    PROMOTED_CASES,
    REDACTED_TRACES,
    STRATIFIED_SAMPLES,
    Table,
)
from pipeline.windows import Window

__all__ = ["Material", "read_days", "read_material"]

_EVER = datetime.max.replace(tzinfo=UTC)
_OF_CASES = (
    *("case_id", "trace_id", "check", "layer", "failure_mode_id", "decision", "reasons"),
    *("risk_bearing", "severity", "blocked_by", "fingerprint", "intent", "stakes", "weight"),
)


@dataclass(frozen=True)
class Material:
    """Everything that the queue is a function of; every frame of days has a column `day`.

    Attributes:
        candidates: the columns of `promoted_cases` that matter here, of all days.
        traces: trace_id, day, service, intent, stakes, anomaly_score of every redacted trace.
        grades: trace_id, check, layer, axis, verdict, score of the traces with cases in review.
        published: ids of the suite's cases.
        modes: names of failure modes by id.
        merged: ids of modes merged away, and what they live on as.
        annotations: what people did, from first to last, dates in the future included.
        registry: as of the clock.
        place: the data directory it was read from.
    """

    candidates: pl.DataFrame
    traces: pl.DataFrame
    grades: pl.DataFrame
    published: frozenset[str]
    modes: Mapping[str, str]
    merged: Mapping[str, str]
    annotations: Annotations
    registry: Registry
    place: DataDir

    @property
    def days(self) -> tuple[date, ...]:
        """The days that have redacted traces, in order."""
        return tuple(sorted(set(self.traces["day"])))


def read_material(place: DataDir, now: datetime) -> Material:
    """Read the lake, the annotations and the registry as of `now`.

    Raises:
        RegistryError: the registry is broken.
        CorruptPartition: naming the file and the command that makes it anew.
    """
    lake = Lake(place)
    registry = load_registry(place.registry, now.date())
    candidates = read_days(lake, PROMOTED_CASES, _OF_CASES)
    waiting = candidates.filter(pl.col("decision") == "review").select("trace_id", "day")
    weeks = lake.windows(FAILURE_MODES)
    modes = _read(lake, FAILURE_MODES, weeks[-1]) if weeks else None
    records = resolve_modes(modes, registry.failure_modes)
    names = {mode_id: record.name for mode_id, record in records.items()}
    names |= _slow_names(candidates)
    return Material(
        candidates=candidates,
        traces=_traces(lake),
        grades=read_days(
            lake,
            GRADES,
            ("trace_id", "check", "layer", "axis", "verdict", "score"),
            [Window("day", str(day)) for day in sorted(set(waiting["day"]))],
            pl.col("trace_id").is_in(waiting["trace_id"].unique().to_list()),
        ),
        published=_published(lake),
        modes=names | {mode.id: mode.name for mode in registry.failure_modes},
        merged=merged_ids(modes, registry.failure_modes),
        annotations=collect_annotations(place.annotations, _EVER),
        registry=registry,
        place=place,
    )


def _slow_names(candidates: pl.DataFrame) -> dict[str, str]:
    """The names of the modes of slow failures, which no weekly table has."""
    slow = candidates.filter(pl.col("check").str.starts_with(SLOW_FAILURE))
    rows = slow.select("failure_mode_id", "check", "intent").unique().sort(pl.all())
    return {
        mode: f"{slow_mode_name(check.removeprefix(f'{SLOW_FAILURE}_'))} ({intent})"
        for mode, check, intent in rows.iter_rows()
    }


def read_days(
    lake: Lake,
    table: Table,
    columns: Sequence[str],
    days: Iterable[Window] | None = None,
    where: pl.Expr | None = None,
) -> pl.DataFrame:
    """Read those of `days` that are published, else all, under one another with their `day`.

    Args:
        lake: where they are.
        table: cut by day.
        columns: of the table.
        days: in order; all if None.
        where: rows that are wanted; all if None.

    Raises:
        CorruptPartition: naming the file and the command that makes it anew.
    """
    wanted = list(lake.windows(table) if days is None else days)
    kept = pl.lit(True) if where is None else where
    try:
        return _scan(lake, table, columns, wanted).filter(kept).collect()
    except (pl.exceptions.PolarsError, OSError):
        # a day was taken away or swapped under the scan, or is broken: one by one tells which
        found = [(day, _read(lake, table, day, columns)) for day in wanted]
        frames = [f.with_columns(_day(day)) for day, f in found if f is not None]
        return pl.concat([_no_row(table, columns), *frames]).filter(kept)


def _scan(lake: Lake, table: Table, columns: Sequence[str], days: Sequence[Window]) -> pl.LazyFrame:
    """All days in one scan: a year of them one by one takes ten times as long."""
    files = {str(file): day.first for day in days for file in lake.files(table, day)}
    if not files:
        return _no_row(table, columns).lazy()
    rows = pl.scan_parquet(
        list(files), include_file_paths="path", hive_partitioning=False, glob=False
    )
    day = pl.col("path").replace_strict(files, return_dtype=pl.Date)
    return rows.select(*columns, day.alias("day"))


def _no_row(table: Table, columns: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame(schema={n: table.schema[n] for n in columns} | {"day": pl.Date()})


def _day(window: Window) -> pl.Expr:
    return pl.lit(window.first, pl.Date).alias("day")


def _read(
    lake: Lake, table: Table, window: Window | None, columns: Sequence[str] | None = None
) -> pl.DataFrame | None:
    """A partition, or None where there is none (any more)."""
    try:
        return lake.read(table, window, columns)
    except MissingPartition:
        return None


def _traces(lake: Lake) -> pl.DataFrame:
    redacted = read_days(lake, REDACTED_TRACES, ("trace_id", "service"))
    sampled = read_days(lake, STRATIFIED_SAMPLES, ("trace_id", "intent", "stakes", "anomaly_score"))
    # a trace that moved to another day may stand in both until that day is run again
    newest = redacted.sort("day").unique("trace_id", keep="last", maintain_order=True)
    return newest.join(
        sampled.unique(["trace_id", "day"], maintain_order=True), on=["trace_id", "day"], how="left"
    ).sort("day", "trace_id")


def _published(lake: Lake) -> frozenset[str]:
    suite = _read(lake, EVAL_SUITE, None, ("case_id",))
    return frozenset() if suite is None else frozenset(suite["case_id"])
