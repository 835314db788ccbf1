"""What people said of a week's traces: votes, one label a trace and axis, and their agreement."""

from __future__ import annotations

import polars as pl

from pipeline.review import axis_labels

__all__ = ["human_agreement", "labels_of", "votes_of"]


def votes_of(annotations: pl.DataFrame, blind_only: bool) -> pl.DataFrame:
    """Count the votes on each trace and axis.

    A person has one vote, their latest. With `blind_only`, a person who saw the judge's verdict has
    none: they tend to confirm it.

    Returns:
        Columns trace_id, axis, fails, passes, and label_probability: the chance that the trace was
        labelled at all. Where several queues showed it that is the largest of their chances, null
        where none is known.
    """
    counted = annotations.filter(pl.col("blind")) if blind_only else annotations
    return (
        axis_labels(counted)
        .group_by("trace_id", "axis")
        .agg(
            (pl.col("axis_verdict") == "fail").sum().cast(pl.Int64).alias("fails"),
            (pl.col("axis_verdict") == "pass").sum().cast(pl.Int64).alias("passes"),
            pl.col("inclusion_probability").max().alias("label_probability"),
        )
        .sort("trace_id", "axis")
    )


def labels_of(votes: pl.DataFrame) -> pl.DataFrame:
    """The majority's word: `label` is fail or pass, or tie where as many say one as the other."""
    more = pl.col("fails") - pl.col("passes")
    return votes.with_columns(
        pl.when(more > 0)
        .then(pl.lit("fail"))
        .when(more < 0)
        .then(pl.lit("pass"))
        .otherwise(pl.lit("tie"))
        .alias("label")
    )


def human_agreement(votes: pl.DataFrame) -> tuple[float | None, int]:
    """How often two people say the same of one axis: the mean over traces of their pairs' share.

    Returns:
        The share, None without a pair, and the number of traces that two people or more labelled.
    """
    pairs = votes.filter(pl.col("fails") + pl.col("passes") >= 2).sort("trace_id")
    fails, passes = pl.col("fails"), pl.col("passes")
    all_pairs = (fails + passes) * (fails + passes - 1)
    same = (fails * (fails - 1) + passes * (passes - 1)) / all_pairs
    shares = pairs.select(same.alias("same"))["same"].to_list()
    return (sum(shares) / len(shares) if shares else None), len(shares)
