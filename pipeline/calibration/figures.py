"""The figures of one judge on one axis: how it compares with people, and with whoever attacks it.

Agreement, kappa, MCC, TPR and TNR are plain counts over the labelled traces: they say how the judge
did on what people looked at. Labels picked by a queue are no random sample of the traffic, so the
corrected failure rate weights everything by its known chance: TPR and TNR by that of being sampled
and labelled, the judge's own rate by that of being sampled. It speaks of the traffic that reaches
the judge; what a rule has failed does not.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pipeline.calibration.canaries import Attack, attack_success
from pipeline.calibration.labels import human_agreement
from pipeline.calibration.trust import doubt_of, praise_of
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
from pipeline.registry.settings import Calibration as Thresholds

__all__ = ["figures_of_attacks", "figures_of_judge", "is_decided"]

_ESTIMATOR = (
    "agreement, kappa, mcc, tpr, tnr: unweighted counts of labelled traces, majority of people, "
    "Wilson or delta method; failure_rate: Rogan-Gladen of Hajek rates, weights 1/probability of "
    "being sampled (and labelled)"
)
_DECIMALS = 6


def figures_of_judge(
    judged: pl.DataFrame, votes: pl.DataFrame, thresholds: Thresholds
) -> dict[str, object]:
    """The columns of `judge_calibration_reports` on how a judge compares with people.

    Args:
        judged: its verdicts on the axis, with weight, rate_probability, label, label_probability
            and of_week.
        votes: people's votes on the axis.
        thresholds: from where on it is trusted.
    """
    labelled = judged.filter(pl.col("label").is_in(["fail", "pass"]))
    compared = labelled.filter(is_decided())
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
    doubt = doubt_of(table, figures["agreement"], figures["kappa"], thresholds)
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
        "reason": doubt or praise_of(figures["agreement"], thresholds),
        "estimator": _ESTIMATOR,
    }


def figures_of_attacks(attacks: Sequence[Attack], axis: str) -> dict[str, object]:
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
    decided = judged.filter(is_decided() & pl.col("of_week")).with_columns(
        _sampled().alias("chance")
    )
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


def is_decided() -> pl.Expr:
    """Whether a verdict says pass or fail."""
    return pl.col("verdict").is_in(["fail", "pass"])


def _sampled() -> pl.Expr:
    """The chance that the judge saw the trace at all."""
    return (pl.col("rate_probability") / pl.col("weight")).clip(upper_bound=1.0)


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
