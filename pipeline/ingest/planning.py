"""Which conversations a day has, and where their records lie: decided from summaries alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from pipeline.datadir import DataDir
from pipeline.ingest.index import LandedFile
from pipeline.windows import Window

__all__ = ["Plan", "plan_day"]

_REACH = timedelta(days=1)
_FURTHEST = timedelta(days=7)
_DAY = 86_400_000_000
_TRACE = {
    "trace_id": pl.String, "start": pl.Int64, "end": pl.Int64, "records": pl.Int64,
    "bytes": pl.Int64, "rooted": pl.Boolean, "timed": pl.Boolean, "service": pl.String,
    "session": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """The conversations that start on a day.

    `members` has one row a trace, conversations by start and id, their traces by start: columns
    conversation (its first trace id), trace_id, start, end (microseconds since 1970), records,
    bytes, service, session, timed. `files` are those that hold a record of them.
    """

    members: pl.DataFrame
    files: tuple[LandedFile, ...]


def plan_day(place: DataDir, files: Sequence[LandedFile], window: Window, gap: timedelta) -> Plan:
    """Find the conversations that start on the UTC day of `window`.

    Traces of one service and session that follow one another within `gap` are one conversation;
    one without a session, or whose time is only a day given by hand, stays alone. The days before
    and after are looked at too, and more of them where a conversation may reach beyond.
    """
    lower, upper = window.first - _REACH, window.first + _REACH
    while True:
        chosen = [file for file in files if _touches(file, lower, upper)]
        late = [file for file in files if _touches(file, upper + _REACH, window.first + _FURTHEST)]
        chosen += (late := [file for file in late if file not in chosen])
        near = _traces(place, chosen, 0, len(chosen) - len(late))
        # Spans of a trace may come days after it began, in files of those days alone.
        tails = _traces(place, chosen, len(chosen) - len(late), len(chosen))
        begun = near.filter(_starts_within(window)).select("trace_id").unique()
        tails = tails.filter(~pl.col("rooted")).join(begun, on="trace_id", how="semi")
        traces = pl.concat([near, tails])
        mine = _of_day(_join(_merge(traces), gap), window)
        reach = _needed(mine, window.first, lower, upper, gap)
        if reach == (lower, upper):
            break
        lower, upper = reach
    held = traces.join(mine.select("trace_id"), on="trace_id", how="semi")
    used = set(held["file"].unique().to_list())
    return Plan(mine, tuple(file for n, file in enumerate(chosen) if n in used))


def _touches(file: LandedFile, lower: date, upper: date) -> bool:
    return any(lower.isoformat() <= day <= upper.isoformat() for day in file.days)


def _traces(place: DataDir, files: Sequence[LandedFile], first: int, stop: int) -> pl.DataFrame:
    """The summaries of all traces of `files[first:stop]`, a row for each file's part of one."""
    frames = [pl.DataFrame(schema=_TRACE | {"file": pl.Int64})]
    for number in range(first, stop):
        for path in files[number].tables(place, "traces"):
            frame = pl.read_parquet(path, glob=False)
            frames.append(frame.with_columns(pl.lit(number, pl.Int64).alias("file")))
    return pl.concat(frames)


def _merge(traces: pl.DataFrame) -> pl.DataFrame:
    """One row a trace."""
    return traces.group_by("trace_id").agg(
        pl.col("start").min(),
        pl.col("end").max(),
        pl.col("records").sum(),
        pl.col("bytes").sum(),
        pl.col("rooted").any(),
        pl.col("timed").all(),
        # Both are "rank<TAB>value": of several spans the one of lowest rank names it.
        *(pl.col(c).min().str.extract(r"(?s)\t(.*)$") for c in ("service", "session")),
    )


def _join(traces: pl.DataFrame, gap: timedelta) -> pl.DataFrame:
    """Add `conversation`: the id of the first trace of the chain that a trace stands in."""
    alone = traces.filter(pl.col("session").is_null() | ~pl.col("timed"))
    chain = ["service", "session"]
    micros = gap // timedelta(microseconds=1)
    chained = (
        traces.filter(pl.col("session").is_not_null() & pl.col("timed"))
        .sort(*chain, "start", "trace_id")
        .with_columns(pl.col("end").cum_max().shift(1).over(chain).alias("before"))
        .with_columns((pl.col("start") - pl.col("before") > micros).fill_null(True).alias("new"))
        .with_columns(pl.col("new").cum_sum().over(chain).alias("run"))
        .with_columns(pl.col("trace_id").first().over(*chain, "run").alias("conversation"))
        .drop("before", "new", "run")
    )
    return pl.concat([alone.with_columns(pl.col("trace_id").alias("conversation")), chained])


def _of_day(traces: pl.DataFrame, window: Window) -> pl.DataFrame:
    """The conversations that start on the day, ordered."""
    first = pl.col("start").min().over("conversation")
    return (
        traces.with_columns(first.alias("first"))
        .filter(_starts_within(window, "first"))
        .sort("first", "conversation", "start", "trace_id")
        .drop("first")
    )


def _starts_within(window: Window, column: str = "start") -> pl.Expr:
    begin = int(window.start.timestamp()) * 1_000_000
    return pl.col(column).is_between(begin, begin + _DAY, closed="left")


def _needed(
    mine: pl.DataFrame, day: date, lower: date, upper: date, gap: timedelta
) -> tuple[date, date]:
    """Widen the days to read while a conversation of `day` may reach beyond them.

    Later: it ends too near to the last day read. Earlier: it has no root yet, so its first span
    may lie further back. At most a week is looked through either way.
    """
    if mine.is_empty():
        return lower, upper
    last: int = mine["end"].max()  # type: ignore[assignment]
    end = date(1970, 1, 1) + timedelta(days=(last + gap // timedelta(microseconds=1)) // _DAY)
    if end > upper:
        upper = max(upper, min(end, day + _FURTHEST))
    if not mine["rooted"].all() and day - lower < _FURTHEST:
        lower -= _REACH
    return lower, upper
