"""What judging a day really cost, from the ledger: shown on the page, kept out of the lake."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipeline.lake import Lake
from pipeline.tables import GRADES
from pipeline.windows import Window

__all__ = ["Paid", "read_paid"]


@dataclass(frozen=True)
class Paid:
    """The ledger on the judged traces of one day.

    Attributes:
        calls: calls that were made.
        cached: answers that came from the cache.
        unfinished: calls begun and never finished; they count at what was reserved.
        paid_usd: what the calls cost.
        uncached_usd: what asking anew for every one of the traces would cost.
    """

    calls: int
    cached: int
    unfinished: int
    paid_usd: float
    uncached_usd: float


def read_paid(lake: Lake, window: Window) -> Paid | None:
    """Read what the judge of `window` cost; None where no call was ever made.

    The ledger's export, which the warehouse reads too, is brought up to date on the way.
    """
    if not (lake.place.ledger / "judge.sqlite").exists():
        return None
    from pipeline.grading.judge_calls import export_ledger

    calls = pl.read_parquet(export_ledger(lake.place.ledger), glob=False)
    judged = (
        lake.read(GRADES, window)
        .filter(pl.col("layer") == "judge")
        .select("trace_id", _billed_to().alias("judge_id"))
        .unique()
    )
    spent = pl.coalesce("cost_usd", "reserved_usd").alias("usd")
    answers = calls.filter(~pl.col("cache_hit")).group_by("judge_id", "content").agg(spent.sum())
    mine = calls.join(judged, on=["trace_id", "judge_id"])
    asked = mine.select("judge_id", "trace_id", "content").unique()
    return Paid(
        calls=mine.filter(~pl.col("cache_hit")).height,
        cached=mine.filter(pl.col("cache_hit")).height,
        unfinished=mine.filter(pl.col("outcome") == "reserved").height,
        paid_usd=float(mine.select(spent.sum()).item()),
        uncached_usd=float(asked.join(answers, on=["judge_id", "content"])["usd"].sum()),
    )


def _billed_to() -> pl.Expr:
    """The judge that the ledger names: a grader id without the snapshot that answered."""
    return pl.col("grader_id").str.split("@").list.first()
