"""Which rows of a table belong to those who are erased, and what of a row does."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from pipeline.ids import digest
from pipeline.ingest.suppression import Kind, Suppression
from pipeline.tables import (
    EVAL_SUITE,
    FAILURE_MODES,
    MODE_RATES,
    MODE_STATES,
    PROMOTED_CASES,
    QUARANTINED_RECORDS,
    RAW_TRACES,
    RUN_SUMMARIES,
    SLOW_FAILURES,
    UNKNOWN_INTENTS,
    Table,
)

__all__ = ["Edit", "Traits", "edit", "rows_of"]

_IDS: Final[Mapping[str, Kind]] = {
    "trace_id": "trace", "member_trace_ids": "trace", "session_id": "session", "user_key": "user",
}  # fmt: skip


@dataclass(frozen=True)
class Traits:
    """What is taken out of the tables.

    Attributes:
        listed: everyone on the list, with every trace of theirs.
        cases: ids of cases that go.
        modes: ids of failure modes that nobody else's failures stand behind.
        files: digests of landing files before and after they were rewritten.
    """

    listed: Suppression
    cases: Collection[str] = ()
    modes: Collection[str] = ()
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Edit:
    """A frame afterwards, and how many rows were dropped and how many others changed.

    `counted` is what was dropped in the unit that the footer counts in.
    """

    frame: pl.DataFrame
    dropped: int
    changed: int
    counted: int


def rows_of(frame: pl.DataFrame, listed: Suppression) -> pl.Series:
    """For each row whether it is theirs, by whatever ids it has."""
    found = pl.lit(False)
    for column, kind in _IDS.items():
        if column not in frame.columns:
            continue
        values = frame[column].explode() if column == "member_trace_ids" else frame[column]
        covered = _covered(values.unique(), kind, listed)
        if column == "member_trace_ids":
            mine = pl.col(column).list.eval(pl.element().is_in(covered)).list.any()
        else:
            mine = pl.col(column).is_in(covered)
        found = found | mine.fill_null(False)
    return frame.with_columns(found.alias("theirs"))["theirs"]


def edit(table: Table, frame: pl.DataFrame, traits: Traits) -> Edit:
    """A frame of a table, or the columns of it that tell, without them."""
    theirs = _dropped(table, frame, traits)
    kept = frame.filter(~theirs)
    counted = int(theirs.sum())
    if table is RAW_TRACES:
        counted = int(frame.filter(theirs)["span_count"].sum())
    changed, kept = _changed(table, kept, traits)
    return Edit(kept, int(theirs.sum()), changed, counted)


def _dropped(table: Table, frame: pl.DataFrame, traits: Traits) -> pl.Series:
    if table is EVAL_SUITE:
        return frame["case_id"].is_in(list(traits.cases))
    if table in (FAILURE_MODES, MODE_RATES, MODE_STATES):
        return frame["failure_mode_id"].is_in(list(traits.modes))
    if table is SLOW_FAILURES:
        return (frame["scope"] == "mode") & frame["subject"].is_in(list(traits.modes))
    theirs = rows_of(frame, traits.listed)
    if table is QUARANTINED_RECORDS:
        told = [bool(traits.listed.found_in_text(text or b"")) for text in frame["payload"]]
        return theirs | pl.Series(told, dtype=pl.Boolean)
    return theirs


def _changed(table: Table, frame: pl.DataFrame, traits: Traits) -> tuple[int, pl.DataFrame]:
    """The rows that stay, without what points at somebody, and how many of them changed."""
    if table in (FAILURE_MODES, UNKNOWN_INTENTS):
        covered = _covered(frame["exemplars"].explode().unique(), "trace", traits.listed)
        others = pl.col("exemplars").list.filter(~pl.element().is_in(covered))
        after = frame.with_columns(others)
        return int((after["exemplars"].list.len() != frame["exemplars"].list.len()).sum()), after
    if table is RUN_SUMMARIES:
        covered = _covered(frame["example"].unique(), "trace", traits.listed)
        mine = pl.col("example").is_in(covered).fill_null(False)
        after = frame.with_columns(pl.when(~mine).then("example"))
        return int(frame.select(mine.sum()).item()), after
    if table is PROMOTED_CASES:
        return _without_twins(frame, traits.listed)
    if table is RAW_TRACES and traits.files and "source_files" in frame.columns:
        renamed = pl.element().replace(dict(traits.files))
        return 0, frame.with_columns(pl.col("source_files").list.eval(renamed).list.sort())
    if table is QUARANTINED_RECORDS:
        names = [n for n in frame["file"].unique().drop_nulls() if traits.listed.found_in_name(n)]
        return 0, frame.with_columns(
            pl.col("file").replace({name: digest(name, size=6) for name in names}),
            pl.col("file_sha256").replace(dict(traits.files)),
        )
    return 0, frame


def _without_twins(frame: pl.DataFrame, listed: Suppression) -> tuple[int, pl.DataFrame]:
    """Decisions that name a trace of theirs as the twin of their own no longer name it."""
    twins = frame["case"].str.json_path_match("$.provenance.twin_of")
    covered = _covered(twins.unique(), "trace", listed)
    mine = frame.select(twins.is_in(covered).fill_null(False).alias("mine"))["mine"]
    changed = int(mine.sum())
    if not changed:
        return 0, frame
    ids = "|".join(covered)  # hexadecimal, all of them
    named = pl.col("case").str.replace_all(ids, "(erased)")
    told = pl.col("reasons").list.eval(pl.element().str.replace_all(ids, "(erased)"))
    return changed, frame.with_columns(
        pl.when(mine).then(named).otherwise("case").alias("case"),
        pl.when(mine).then(told).otherwise("reasons").alias("reasons"),
    )


def _covered(values: Iterable[str | None], kind: Kind, listed: Suppression) -> list[str]:
    return [value for value in values if value is not None and listed.covers(kind, value)]
