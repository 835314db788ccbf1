"""Log records, scores and labels: found for the traces they are about, however late they came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from pipeline.datadir import DataDir
from pipeline.ingest.days.planning import Plan
from pipeline.ingest.index.landed import LandedFile
from pipeline.windows import Window

__all__ = ["LOOKED_FOR", "events_about"]

_BEFORE = timedelta(days=1)
LOOKED_FOR = timedelta(days=30)
"""People judge a trace later than it happened; what comes later still is not looked for."""
_EVENT = {
    "trace_id": pl.String, "span_id": pl.String, "session": pl.String, "time": pl.Int64,
    "body": pl.Binary, "sha256": pl.String, "format": pl.String,
}  # fmt: skip


def events_about(
    place: DataDir, files: Sequence[LandedFile], plan: Plan, window: Window
) -> pl.DataFrame:
    """The events about a plan's traces: columns trace_id, sha256 and format of their file, body.

    An event names its trace, or a span of it, or a session alone: then it is about the last
    conversation of that session that began before it.
    """
    lowest = int((window.start - _BEFORE).timestamp() * 1e6)
    highest = int((window.end + LOOKED_FOR).timestamp() * 1e6)
    frames = [pl.DataFrame(schema=_EVENT)]
    for file in files:
        if file.events and file.tells_between(lowest, highest):
            for path in file.tables(place, "events"):
                origin = {"sha256": pl.lit(file.sha256), "format": pl.lit(file.format, pl.String)}
                frames.append(pl.read_parquet(path, glob=False).with_columns(**origin))
    events = pl.concat(frames)
    traces = plan.members.select("trace_id")
    named = events.filter(pl.col("trace_id").is_not_null())
    loose = events.filter(pl.col("trace_id").is_null()).drop("trace_id")
    found = [
        named.join(traces, on="trace_id", how="semi"),
        _by_span(place, plan, loose.filter(pl.col("span_id").is_not_null())),
        _by_session(plan, loose.filter(pl.col("span_id").is_null())),
    ]
    columns = ["trace_id", "sha256", "format", "body"]
    return (
        pl.concat([f.select(columns) for f in found])
        .sort(columns)
        .unique(["trace_id", "body"], keep="first", maintain_order=True)
    )


def _by_span(place: DataDir, plan: Plan, events: pl.DataFrame) -> pl.DataFrame:
    if events.is_empty():
        return events.with_columns(pl.lit(None, pl.String).alias("trace_id"))
    wanted = events.select("span_id").unique()
    spans = [
        pl.read_parquet(path, columns=["span_ids", "trace_id"], glob=False)
        .select("trace_id", pl.col("span_ids").str.split("\n").alias("span_id"))
        .explode("span_id")
        .join(wanted, on="span_id", how="semi")
        for file in plan.files.values()
        for path in file.tables(place, "records")
    ]
    if not spans:
        return events.clear().with_columns(pl.lit(None, pl.String).alias("trace_id"))
    mine = pl.concat(spans).unique().join(plan.members, on="trace_id", how="semi")
    return events.join(mine, on="span_id")


def _by_session(plan: Plan, events: pl.DataFrame) -> pl.DataFrame:
    """Events that name a session alone, where its last conversation before them is the plan's."""
    if events.is_empty():
        return events.with_columns(pl.lit(None, pl.String).alias("trace_id"))
    sessions = events["session"].drop_nulls().unique().to_list()
    starts = (
        plan.every.filter(pl.col("session").is_in(sessions))
        .select("session", "trace_id", "start", "conversation")
        .collect()
    )
    found = events.with_row_index("event").join(starts, on="session")
    began = found.filter(pl.col("time").is_null() | (pl.col("start") <= pl.col("time")))
    last = began.sort("event", "start", "trace_id").group_by("event").last()
    mine = plan.members.select("conversation").unique()
    return last.join(mine, on="conversation", how="semi")
