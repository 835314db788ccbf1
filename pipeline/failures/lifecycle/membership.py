"""Which traces of a week are in which failure mode, as the week left its modes."""

from __future__ import annotations

import polars as pl

from pipeline.failures.signatures import collect_failures
from pipeline.registry import Registry

__all__ = ["chance_of_a_verdict", "failures_of_modes"]


def chance_of_a_verdict() -> pl.Expr:
    """Of a row of `grades`: the probability that its trace was drawn and its check ran on it."""
    inclusion = pl.min_horizontal(1 / pl.col("weight").fill_null(1.0), pl.lit(1.0))
    return (inclusion * pl.col("rate_probability").fill_null(1.0)).alias("chance")


def failures_of_modes(
    grades: pl.DataFrame, modes: pl.DataFrame, registry: Registry
) -> pl.DataFrame:
    """Every failure of some days under the mode that has its signature.

    Args:
        grades: rows of `grades`.
        modes: `failure_modes` of their week.
        registry: as of the week's end.

    Returns:
        `failure_mode_id`, `check`, `trace_id` and `chance`, the likeliest way in which the failure
        could be seen; one row each, sorted.
    """
    owner = {
        key: mode
        for mode, keys in modes.select("failure_mode_id", "signatures").iter_rows()
        for key in keys or ()
    }
    mode = pl.col("signature").replace_strict(owner, default=None, return_dtype=pl.String)
    seen = (
        grades.filter(pl.col("verdict") == "fail")
        .with_columns(chance_of_a_verdict())
        .group_by("trace_id", "check")
        .agg(pl.col("chance").max())
    )
    return (
        collect_failures(grades, registry)
        .rows.with_columns(mode.alias("failure_mode_id"))
        .drop_nulls("failure_mode_id")
        .join(seen, on=["trace_id", "check"])
        .select("failure_mode_id", "check", "trace_id", "chance")
        .sort(pl.all())
    )
