"""Which conversations there are, on which day each begins, and where their records lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import polars as pl

from pipeline.datadir import DataDir
from pipeline.files import make_directory, replace_file
from pipeline.ids import digest
from pipeline.ingest.index.landed import LandedFile, sound
from pipeline.windows import Window

__all__ = ["Plan", "plan_day"]

_DAY = 86_400_000_000  # microseconds
_KEPT = 4  # plans of earlier states of landing that other processes may still read
_TRACE = {
    "trace_id": pl.String, "start": pl.Int64, "end": pl.Int64, "records": pl.Int64,
    "bytes": pl.Int64, "timed": pl.Boolean, "service": pl.String,
    "session": pl.String, "ready": pl.Boolean,
}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """The conversations that start on a day.

    `members` has one row a trace, conversations by start and id, their traces by start: columns
    conversation (its first trace id), first (its start), trace_id, start, end (microseconds since
    1970), records, bytes, service, session, timed, files (numbers of those that hold a record of
    it), and ready: it is a conversation of its own whose row was made when its file was read.
    `files` has the landing files that hold a record of any of them, by number, and `every` such a
    row for every trace in landing.
    """

    members: pl.DataFrame
    files: Mapping[int, LandedFile]
    every: pl.LazyFrame


def plan_day(place: DataDir, files: Sequence[LandedFile], window: Window, gap: timedelta) -> Plan:
    """Find the conversations that start on the UTC day of `window`.

    Traces of one service and session that follow one another within `gap` are one conversation,
    until it is a day old; one without a session, or whose time is only a day given by hand, stays
    alone. All of landing is looked at, whichever day is asked for: were every day to look around
    itself alone, two of them could claim a trace that lies between them, or neither.
    """
    path = _planned(place, files, gap)
    every = pl.scan_parquet(path, glob=False)
    begin = int(window.start.timestamp()) * 1_000_000
    mine = every.filter(pl.col("first").is_between(begin, begin + _DAY, closed="left")).collect()
    used = set(mine["files"].explode().to_list())
    members = mine.sort("first", "conversation", "start", "trace_id")
    return Plan(members, {n: file for n, file in enumerate(files) if n in used}, every)


def _planned(place: DataDir, files: Sequence[LandedFile], gap: timedelta) -> Path:
    """The plan of all days, made once for each state of landing."""
    folder = place.raw / "landing_index" / "plans"
    path = folder / f"{digest([file.entry for file in files], gap.total_seconds())}.parquet"
    if not path.exists():
        for room in (place.raw, folder.parent, folder):
            make_directory(room, private=True)
        made = _join(_merge(_traces(place, files)), gap)
        with replace_file(path, 0o600) as temporary:
            made.write_parquet(temporary, compression="lz4", statistics=False)
        old = sorted(folder.glob("*.parquet"), key=lambda p: (p.stat().st_mtime_ns, p.name))
        for gone in old[:-_KEPT]:
            gone.unlink(missing_ok=True)
    return path


def _traces(place: DataDir, files: Sequence[LandedFile]) -> pl.DataFrame:
    """The summaries of all traces, one row for each file's part of one."""
    frames = [pl.DataFrame(schema=_TRACE | {"file": pl.UInt32})]
    for number, file in enumerate(files):
        for path in file.tables(place, "traces"):
            with sound(path):
                frame = pl.read_parquet(path, glob=False)
            frames.append(frame.with_columns(pl.lit(number, pl.UInt32).alias("file")))
    return pl.concat(frames)


def _merge(traces: pl.DataFrame) -> pl.DataFrame:
    """One row a trace."""
    return traces.group_by("trace_id").agg(
        pl.col("start").min(),
        pl.col("end").max(),
        pl.col("records").sum(),
        pl.col("bytes").sum(),
        pl.col("timed").all(),
        # Both are "rank<TAB>value": of several spans the one of lowest rank names it.
        *(pl.col(c).min().str.extract(r"(?s)\t(.*)$") for c in ("service", "session")),
        pl.col("file").unique().sort().alias("files"),
        ((pl.len() == 1) & pl.col("ready").first()).alias("ready"),
    )


def _join(traces: pl.DataFrame, gap: timedelta) -> pl.DataFrame:
    """Add `conversation`, the id of the first trace of the chain that a trace stands in."""
    chain = ["service", "session"]
    several = pl.col("session").is_not_null() & pl.col("timed") & pl.struct(chain).is_duplicated()
    alone = traces.filter(~several).with_columns(
        pl.col("start").alias("first"), pl.col("trace_id").alias("conversation")
    )
    micros = gap // timedelta(microseconds=1)
    chained = (
        traces.filter(several)
        .sort(*chain, "start", "trace_id")
        .with_columns(pl.col("end").cum_max().shift(1).over(chain).alias("before"))
        .with_columns((pl.col("start") - pl.col("before") > micros).fill_null(True).alias("new"))
        .with_columns(pl.col("new").cum_sum().over(chain).alias("run"))
        # A session that never pauses (a job, a monitor) is cut by whole days from its beginning.
        .with_columns(pl.col("start").first().over(*chain, "run").alias("first"))
        .with_columns(((pl.col("start") - pl.col("first")) // _DAY).alias("age"))
        .with_columns(
            pl.col("trace_id").first().over(*chain, "run", "age").alias("conversation"),
            pl.col("start").first().over(*chain, "run", "age").alias("first"),
        )
        .with_columns(pl.col("ready") & (pl.len().over("conversation") == 1))
        .drop("before", "new", "run", "age")
    )
    columns = sorted(alone.columns)
    return pl.concat([alone.select(columns), chained.select(columns)])
