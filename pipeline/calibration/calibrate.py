"""The weekly report on each judge and axis: agreement with people, and whether it is trusted.

Compared are the traces of the week and of the `WEEKS` - 1 before it, with the labels made by the
week's end: people look at Sunday's traces on Monday, and one week's labels are few. The failure
rate is the week's own; what corrects it comes from all of them.

What the figures mean stands in `pipeline.calibration.figures`, when a judge is trusted in
`pipeline.calibration.trust`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.calibration.canaries import Attack
from pipeline.calibration.figures import figures_of_attacks, figures_of_judge, is_decided
from pipeline.calibration.labels import labels_of, votes_of
from pipeline.provenance import Counts
from pipeline.registry import Registry
from pipeline.tables import JUDGE_CALIBRATION_REPORTS

__all__ = ["WEEKS", "Calibration", "calibrate"]

WEEKS = 4
"""Weeks whose labelled traces one report compares, its own the last."""


@dataclass(frozen=True)
class Calibration:
    """One row a judge and axis (table `judge_calibration_reports`).

    `counts` is in judge verdicts of the week: out were compared; the others had no label, a tie
    among people, or were no pass or fail (`abstained`).
    """

    frame: pl.DataFrame
    counts: Counts


def calibrate(
    grades: pl.DataFrame,
    annotations: pl.DataFrame,
    registry: Registry,
    attacks: Mapping[str, Sequence[Attack]] | None = None,
    earlier: pl.DataFrame | None = None,
) -> Calibration:
    """Compare the verdicts of a week's judges with people's.

    Args:
        grades: rows of `grades` of the week's days; a column `day` besides is allowed.
        annotations: schema `pipeline.review.ANNOTATIONS`, made before the window's end.
        registry: `rubric` and `settings.calibration` are read.
        attacks: what the canaries found, by the identity of a judge.
        earlier: the same as `grades` of the weeks before, as far as they are compared.

    Returns:
        A row for every judge of the week and every axis, of the rubric or judged; one without a
        label has n = 0, no figures, and is not trusted. A week without a judge has no row.
    """
    thresholds = registry.settings.calibration
    seen = [_seen(grades, True), *([] if earlier is None else [_seen(earlier, False)])]
    every = pl.concat(seen)
    votes = votes_of(annotations, thresholds.blind_only).join(
        every.select("trace_id").unique(), on="trace_id", how="semi"
    )
    judged = (
        every.filter(pl.col("layer") == "judge")
        .drop("layer")
        .join(
            labels_of(votes).select("trace_id", "axis", "label", "label_probability"),
            left_on=["trace_id", "check"],
            right_on=["trace_id", "axis"],
            how="left",
        )
        .sort("grader_id", "check", "trace_id")
    )
    axes = sorted({axis.id for axis in registry.rubric} | set(judged["check"]))
    rows = [
        {
            "judge_id": judge,
            "axis": axis,
            **figures_of_judge(
                judged.filter((pl.col("grader_id") == judge) & (pl.col("check") == axis)),
                votes.filter(pl.col("axis") == axis),
                thresholds,
            ),
            **figures_of_attacks((attacks or {}).get(judge.partition("@")[0], ()), axis),
        }
        for judge in sorted(set(judged.filter("of_week")["grader_id"]))
        for axis in axes
    ]
    frame = pl.DataFrame(rows, schema=JUDGE_CALIBRATION_REPORTS.schema)
    return Calibration(JUDGE_CALIBRATION_REPORTS.conform(frame), _counts(judged.filter("of_week")))


def _seen(grades: pl.DataFrame, of_week: bool) -> pl.DataFrame:
    """What is compared of rows of `grades`, and whether they are the week's own."""
    columns = ("grader_id", "check", "trace_id", "layer", "verdict", "weight", "rate_probability")
    return grades.select(*columns, pl.lit(of_week).alias("of_week"))


def _counts(judged: pl.DataFrame) -> Counts:
    label, decided = judged["label"], judged.select(is_decided().alias("d"))["d"]
    tie, unlabelled = int((label == "tie").sum()), label.null_count()
    compared = int((label.is_in(["fail", "pass"]) & decided).sum())
    return Counts(
        unit="judge verdicts",
        records_in=judged.height,
        records_out=compared,
        filtered={
            "abstained": judged.height - tie - unlabelled - compared,
            "no_label": unlabelled,
            "tie": tie,
        },
    )
