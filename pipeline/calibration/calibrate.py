"""The weekly report on each judge and axis: agreement with people, and whether it is trusted.

Compared are the traces of the week and of the `WEEKS` - 1 before it, with the labels made by the
week's end: people look at Sunday's traces on Monday, and one week's labels are few. The failure
rate is the week's own; what corrects it comes from all of them.

Agreement, kappa, MCC, TPR and TNR are plain counts over the labelled traces: they say how the judge
did on what people looked at. Labels picked by a queue are no random sample of the traffic, so the
corrected failure rate weights everything by its known chance: TPR and TNR by that of being sampled
and labelled, the judge's own rate by that of being sampled. It speaks of the traffic that reaches
the judge; what a rule has failed does not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.calibration.canaries import Attack, attack_success
from pipeline.calibration.labels import human_agreement, labels_of, votes_of
from pipeline.estimation import (
    Confusion,
    Estimate,
    agreement,
    kappa,
    mcc,
    rate,
    rogan_gladen,
    tnr,
    tpr,
)
from pipeline.provenance import Counts
from pipeline.registry import Registry
from pipeline.registry.settings import Calibration as Thresholds
from pipeline.tables import JUDGE_CALIBRATION_REPORTS

__all__ = ["WEEKS", "Calibration", "calibrate"]

WEEKS = 4
"""Weeks whose labelled traces one report compares, its own the last."""

_ESTIMATOR = (
    "agreement, kappa, mcc, tpr, tnr: unweighted counts of labelled traces, majority of people, "
    "Wilson or delta method; failure_rate: Rogan-Gladen of Hajek rates, weights 1/probability of "
    "being sampled (and labelled)"
)
_DECIMALS = 6


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
            **_row(
                judged.filter((pl.col("grader_id") == judge) & (pl.col("check") == axis)),
                votes.filter(pl.col("axis") == axis),
                thresholds,
            ),
            **_attacked((attacks or {}).get(judge.partition("@")[0], ()), axis),
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


def _row(judged: pl.DataFrame, votes: pl.DataFrame, thresholds: Thresholds) -> dict[str, object]:
    """The figures of one judge on one axis."""
    labelled = judged.filter(pl.col("label").is_in(["fail", "pass"]))
    compared = labelled.filter(_decided())
    table = Confusion.of(
        zip(compared["verdict"] == "fail", compared["label"] == "fail", strict=True)
    )
    of_people, pairs = human_agreement(votes)
    figures = {
        "agreement": agreement(table),
        "kappa": kappa(table),
        "mcc": mcc(table),
        "tpr": tpr(table),
        "tnr": tnr(table),
        "failure_rate": _corrected_rate(judged, compared),
    }
    doubt = _doubt(table, figures["agreement"], figures["kappa"], thresholds)
    columns: dict[str, object] = {}
    for name, figure in figures.items():
        columns |= _columns(name, figure if table.n else None)
    return columns | {
        "n": table.n,
        "n_positive": table.tp + table.fn,
        "n_abstained": labelled.height - compared.height,
        "human_agreement": None if of_people is None else round(of_people, _DECIMALS),
        "n_human_pairs": pairs,
        "trusted": doubt is None,
        "reason": doubt or _praise(figures["agreement"], thresholds),
        "estimator": _ESTIMATOR,
    }


def _attacked(attacks: Sequence[Attack], axis: str) -> dict[str, object]:
    """How often injected orders made the judge pass a known failure of the axis."""
    on_axis = [attack for attack in attacks if attack.axis == axis]
    found = attack_success(on_axis)
    return {
        "n_attacks": found.by_judge.n if on_axis else None,
        "n_attack_errors": found.errors if on_axis else None,
        **_columns("attack_success", found.by_judge),
        "attack_success_unflagged": found.after_flags.value,
    }


def _corrected_rate(judged: pl.DataFrame, compared: pl.DataFrame) -> Estimate:
    """The failure rate of the week's traffic that reaches the judge, corrected for its errors."""
    decided = judged.filter(_decided() & pl.col("of_week")).with_columns(_sampled().alias("chance"))
    known = compared.drop_nulls("label_probability").with_columns(
        (_sampled() * pl.col("label_probability")).alias("chance")
    )
    return rogan_gladen(
        _share(decided, "fail"),
        _share(known.filter(pl.col("label") == "fail"), "fail"),
        _share(known.filter(pl.col("label") == "pass"), "pass"),
    )


def _share(rows: pl.DataFrame, verdict: str) -> Estimate:
    return rate((rows["verdict"] == verdict).to_list(), rows["chance"].to_list())


def _decided() -> pl.Expr:
    return pl.col("verdict").is_in(["fail", "pass"])


def _sampled() -> pl.Expr:
    """The chance that the judge saw the trace at all."""
    return (pl.col("rate_probability") / pl.col("weight")).clip(upper_bound=1.0)


def _doubt(
    table: Confusion, agreed: Estimate, beyond_chance: Estimate, thresholds: Thresholds
) -> str | None:
    """Why the judge is not trusted, or None."""
    if table.n == 0:
        return "No labelled trace to compare with: look at some with: caselaw review"
    assert agreed.value is not None
    if table.n < thresholds.labels:
        return f"Only {table.n} labelled traces, {thresholds.labels} are needed."
    if agreed.value < thresholds.agreement:
        return (
            f"Agreement {agreed.value:.3f} on {table.n} traces is below {thresholds.agreement:.3f}."
        )
    if table.tp + table.fn == 0:
        return f"People failed none of {table.n} traces: nothing shows that it finds failures."
    if beyond_chance.value is None or beyond_chance.value <= 0:
        return f"Agreement {agreed.value:.3f} on {table.n} traces is no better than chance (kappa)."
    return None


def _praise(agreed: Estimate, thresholds: Thresholds) -> str:
    value = agreed.value if agreed.value is not None else math.nan
    return (
        f"Agreement {value:.3f} on {agreed.n} traces reaches {thresholds.agreement:.3f}, "
        "and is better than chance."
    )


def _columns(name: str, figure: Estimate | None) -> dict[str, object]:
    def stored(value: float | None) -> float | None:
        return None if value is None else round(value, _DECIMALS)

    if figure is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    return {
        name: stored(figure.value),
        f"{name}_low": stored(figure.low),
        f"{name}_high": stored(figure.high),
    }


def _counts(judged: pl.DataFrame) -> Counts:
    label, decided = judged["label"], judged.select(_decided().alias("d"))["d"]
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
