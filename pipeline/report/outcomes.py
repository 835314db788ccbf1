"""What became of each graded trace: on every axis, and in every failure mode.

What is estimated is the share of all conversations in which a failure was *found*. A trace that a
rule of weight failed is not put before the judge, and a judge may say that it cannot tell; both
count as traces without a finding on that axis. So every axis is a share of the same traffic, and
none can exceed `any`. How often nobody could tell stands beside it.
"""

from __future__ import annotations

import polars as pl

__all__ = ["ANY", "axis_outcomes", "mode_observations"]

ANY = "any"
"""The axis that fails when any axis does."""


def axis_outcomes(grades: pl.DataFrame) -> pl.DataFrame:
    """One row per (axis, trace_id): `failed`, `unknown` and the `probability` of seeing it.

    Left out is a trace that no grader failed and whose last grader broke off with an error: that
    says nothing of the trace. Axis `any` leaves out traces on which no grader decided anything.
    The view `axis_outcomes` says the same.

    Args:
        grades: the day's `grades`.
    """
    rows = _marked(grades)
    by_axis = rows.filter(pl.col("axis").is_not_null())
    axes = by_axis.select("axis").unique()
    seen = by_axis.group_by("axis", "trace_id").agg(
        *_outcome(), unknown=_unknown(), broken=_broken()
    )
    single = (
        _graded(grades)
        .join(axes, how="cross")
        .join(seen, on=["axis", "trace_id"], how="left")
        .filter(~pl.col("broken").fill_null(False))
    )
    everywhere = rows.group_by("trace_id").agg(
        *_outcome(), unknown=pl.lit(False), broken=~pl.col("decided").any()
    )
    together = (
        _graded(grades)
        .join(everywhere, on="trace_id", how="left")
        .filter(~pl.col("broken"))
        .with_columns(axis=pl.lit(ANY))
    )
    return _settled(pl.concat([single, together], how="diagonal"), "axis", "unknown")


def mode_observations(grades: pl.DataFrame, clusters: pl.DataFrame) -> pl.DataFrame:
    """One row per (failure_mode_id, trace_id): whether the trace was found in the mode.

    The view `mode_observations` says the same for all days.

    Args:
        grades: the day's `grades`.
        clusters: the day's `failure_mode_clusters`.
    """
    members = clusters.select("failure_mode_id", "trace_id", "check").unique()
    seen = (
        _marked(grades)
        .join(members.select("failure_mode_id", "check").unique(), on="check")
        .join(
            members.with_columns(member=pl.lit(True)),
            on=["failure_mode_id", "trace_id", "check"],
            how="left",
        )
        .with_columns(failed=pl.col("failed") & pl.col("member").fill_null(False))
        .group_by("failure_mode_id", "trace_id")
        .agg(*_outcome())
    )
    modes = members.select("failure_mode_id").unique()
    return _settled(
        _graded(grades)
        .join(modes, how="cross")
        .join(seen, on=["failure_mode_id", "trace_id"], how="left"),
        "failure_mode_id",
    )


def _graded(grades: pl.DataFrame) -> pl.DataFrame:
    return grades.select("trace_id", inclusion=_inclusion()).unique(["trace_id"])


def _inclusion() -> pl.Expr:
    return pl.min_horizontal(1 / pl.col("weight"), pl.lit(1.0))


def _marked(grades: pl.DataFrame) -> pl.DataFrame:
    """Verdicts with `failed` and the `probability` that the trace was drawn and the check ran."""
    return grades.select(
        "trace_id",
        "check",
        "axis",
        "verdict",
        failed=pl.col("verdict") == "fail",
        decided=pl.col("verdict").is_in(["pass", "fail"]),
        by_judge=pl.col("layer") == "judge",
        probability=_inclusion() * pl.col("rate_probability").fill_null(1.0),
    )


def _outcome() -> tuple[pl.Expr, pl.Expr]:
    """A failure takes the likeliest way to be seen, a pass the least likely: it needs all."""
    seen = pl.col("probability").filter(pl.col("decided"))
    failing = pl.col("probability").filter(pl.col("failed"))
    return pl.col("failed").any(), pl.coalesce(failing.max(), seen.min()).alias("probability")


def _last_word(*verdicts: str) -> pl.Expr:
    """Whether who had the last word, the judge where it was asked, else the rules, said this."""
    last = pl.col("by_judge") | ~pl.col("by_judge").any()
    return (pl.col("verdict").is_in(verdicts) & last).any()


def _unknown() -> pl.Expr:
    """No failure, and whoever had the last word could not tell."""
    return ~pl.col("failed").any() & _last_word("unknown") & ~_last_word("pass", "fail")


def _broken() -> pl.Expr:
    """No failure, and whoever had the last word broke off with an error."""
    return ~pl.col("failed").any() & _last_word("error") & ~_last_word("pass", "fail", "unknown")


def _settled(rows: pl.DataFrame, group: str, *flags: str) -> pl.DataFrame:
    """Traces without a verdict on the group are without a finding; in a fixed order."""
    return rows.select(
        group,
        "trace_id",
        pl.col("failed", *flags).fill_null(False),
        pl.coalesce("probability", "inclusion").alias("probability"),
    ).sort(group, "trace_id")
