"""The weekly calibration of judges, on verdicts and labels small enough to count by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipeline.calibration import calibrate
from pipeline.registry import load_registry
from pipeline.review import ANNOTATIONS
from pipeline.tables import GRADES, JUDGE_CALIBRATION_REPORTS
from pipeline.windows import week

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
JUDGE = "embedded-1"


@pytest.fixture
def registry():
    found = load_registry(
        Path(__file__).resolve().parents[3] / "data" / "registry", week("2026-11-02")
    )
    thresholds = found.settings.calibration.model_copy(update={"labels": 8, "agreement": 0.85})
    settings = found.settings.model_copy(update={"calibration": thresholds})
    return replace(found, rubric=(), settings=settings)


def grades(verdicts: str, axis: str = "tone", judge: str = JUDGE, weight: float = 1.0):
    """One judged trace a letter: F fail, P pass, U unknown."""
    words = {"F": "fail", "P": "pass", "U": "unknown"}
    rows = [
        dict.fromkeys(GRADES.columns)
        | {
            "trace_id": f"t{n}",
            "check": axis,
            "grader_id": judge,
            "layer": "judge",
            "axis": axis,
            "verdict": words[letter],
            "rate_probability": 1.0,
            "weight": weight,
        }
        for n, letter in enumerate(verdicts)
    ]
    return pl.DataFrame(rows, schema=GRADES.schema)


def labels(said: str, person: str = "ann", axis: str = "tone", **columns):
    """One annotation a letter: F fail, P pass, - none."""
    words = {"F": "fail", "P": "pass"}
    rows = [
        dict.fromkeys(ANNOTATIONS)
        | {
            "annotation_id": f"{person}-{n}",
            "trace_id": f"t{n}",
            "verdict": "partial",
            "axes": [{"axis": axis, "verdict": words[letter]}],
            "annotator_id": person,
            "annotated_at": MONDAY + timedelta(minutes=n),
            "blind": True,
            "inclusion_probability": 0.5,
        }
        | columns
        for n, letter in enumerate(said)
        if letter != "-"
    ]
    return pl.DataFrame(rows, schema=ANNOTATIONS)


def renamed(frame, prefix="e"):
    """The same of other traces."""
    return frame.with_columns(pl.format("{}" + prefix, "trace_id").alias("trace_id"))


def test_labels_of_the_weeks_before_count_and_the_rate_is_the_weeks_own(registry):
    """Week: FPPP, unlabelled. Before: FFFFPPPP, labelled as the judge said. So n = 8, TPR and TNR
    are 1, and the corrected rate is the week's 1/4, not the 5/12 of all.
    """
    said = "FFFFPPPP"
    row = the_row(
        calibrate(grades("FPPP"), renamed(labels(said)), registry, earlier=renamed(grades(said)))
    )
    assert (row["n"], row["tpr"], row["tnr"], row["trusted"]) == (8, 1.0, 1.0, True)
    assert row["failure_rate"] == pytest.approx(0.25)


def test_a_judge_of_the_weeks_before_alone_has_no_row(registry):
    earlier = renamed(grades("FFPP", judge="embedded-0"))
    found = calibrate(grades("FP"), labels("FP"), registry, earlier=earlier)
    assert found.frame["judge_id"].to_list() == [JUDGE]
    assert found.counts.records_in == 2


def the_row(calibration):
    calibration.counts.check("calibration")
    assert calibration.frame.schema == JUDGE_CALIBRATION_REPORTS.schema
    (row,) = calibration.frame.to_dicts()
    return row


def test_counts_by_hand(registry):
    # judge and people: FF FF FP PF PP PP PP PP PP PP, so tp 2, fp 1, fn 1, tn 6
    row = the_row(calibrate(grades("FFFPPPPPPP"), labels("FFPFPPPPPP"), registry))
    assert (row["n"], row["n_positive"], row["n_abstained"]) == (10, 3, 0)
    assert row["agreement"] == 0.8
    # by chance 0.3·0.3 + 0.7·0.7 = 0.58; (0.8 - 0.58) / 0.42
    assert row["kappa"] == pytest.approx(0.52381, abs=1e-5)
    assert row["mcc"] == pytest.approx((2 * 6 - 1) / 21)
    assert (row["tpr"], row["tnr"]) == (pytest.approx(2 / 3), pytest.approx(6 / 7))
    for name in ("agreement", "kappa", "mcc", "tpr", "tnr", "failure_rate"):
        assert row[f"{name}_low"] <= row[name] <= row[f"{name}_high"]
    assert not row["trusted"]
    assert row["reason"] == "Agreement 0.800 on 10 traces is below 0.850."


def test_enough_agreement_on_enough_labels_is_trusted(registry):
    row = the_row(calibrate(grades("FFPPPPPPPP"), labels("FFPPPPPPPP"), registry))
    assert row["trusted"]
    assert row["kappa"] == row["mcc"] == 1.0
    assert row["reason"].startswith("Agreement 1.000 on 10 traces reaches 0.850")


@pytest.mark.parametrize(
    ("judged", "said", "why"),
    [
        ("FFPPPPP", "FFPPPPP", "Only 7 labelled traces, 8 are needed."),
        ("P" * 10, "P" * 10, "People failed none of 10 traces"),
        ("P" * 20, "P" * 19 + "F", "no better than chance"),
    ],
)
def test_agreement_alone_is_not_enough(registry, judged, said, why):
    row = the_row(calibrate(grades(judged), labels(said), registry))
    assert not row["trusted"]
    assert why in row["reason"]


def test_an_axis_without_labels_has_a_row_without_figures(registry):
    row = the_row(calibrate(grades("FPP"), labels(""), registry))
    assert (row["n"], row["trusted"]) == (0, False)
    assert row["reason"].startswith("No labelled trace")
    assert all(
        row[name + end] is None
        for name in ("agreement", "kappa", "mcc", "tpr", "tnr", "failure_rate")
        for end in ("", "_low", "_high")
    )


def test_the_rubrics_axes_have_rows_even_where_the_judge_was_silent(registry):
    rubric = load_registry(
        Path(__file__).resolve().parents[3] / "data" / "registry", week("2026-11-02")
    ).rubric
    found = calibrate(grades("FP"), labels(""), replace(registry, rubric=rubric))
    assert set(found.frame["axis"]) == {"tone"} | {axis.id for axis in rubric}


def test_an_unknown_is_an_abstention_not_an_error(registry):
    found = calibrate(grades("UUFPPPPPPPP"), labels("FPFPPPPPPPP"), registry)
    row = the_row(found)
    assert (row["n"], row["n_abstained"], row["agreement"]) == (9, 2, 1.0)
    assert found.counts.filtered == {"abstained": 2, "no_label": 0, "tie": 0}


def test_the_majority_counts_and_a_tie_is_left_out(registry):
    people = [labels("FFP", "ann"), labels("FPP", "ben"), labels("F-F", "cem")]
    found = calibrate(grades("FFP"), pl.concat(people), registry)
    row = the_row(found)
    # t0: FFF, t1: F against P, t2: PPF
    assert (row["n"], row["n_positive"]) == (2, 1)
    assert found.counts.filtered["tie"] == 1
    # pairs that agree: t0 3 of 3, t1 0 of 1, t2 1 of 3
    assert row["human_agreement"] == pytest.approx((1 + 0 + 1 / 3) / 3, abs=1e-6)
    assert row["n_human_pairs"] == 3


def test_a_person_has_one_vote_their_latest(registry):
    revised = labels("P", annotated_at=MONDAY + timedelta(days=1), annotation_id="ann-later")
    row = the_row(calibrate(grades("P"), pl.concat([labels("F"), revised]), registry))
    assert (row["n"], row["agreement"], row["n_human_pairs"]) == (1, 1.0, 0)


def test_who_saw_the_judges_verdict_has_no_vote(registry):
    seen = labels("FFPPPPPPPP", blind=False)
    assert the_row(calibrate(grades("FFPPPPPPPP"), seen, registry))["n"] == 0
    thresholds = registry.settings.calibration.model_copy(update={"blind_only": False})
    lenient = registry.settings.model_copy(update={"calibration": thresholds})
    counted = calibrate(grades("FFPPPPPPPP"), seen, replace(registry, settings=lenient))
    assert the_row(counted)["n"] == 10


def test_the_failure_rate_is_corrected_and_weighted(registry):
    # Labels: people's fails are judged F F P, drawn with chances 1, 1/2, 1/2, so weights 1, 2, 2:
    # TPR (1 + 2) / 5. Passes all judged P: TNR 1. All verdicts weigh alike: 2 of 10 fail.
    # Corrected: (0.2 + 1 - 1) / (0.6 + 1 - 1) = 1/3
    said = pl.concat(
        [
            labels("F---------", inclusion_probability=1.0),
            labels("-FF-------", inclusion_probability=0.5),
            labels("---PPPPPPP", inclusion_probability=0.5),
        ]
    )
    row = the_row(calibrate(grades("FFPPPPPPPP", weight=1.0), said, registry))
    assert row["tpr"] == pytest.approx(2 / 3)
    assert row["failure_rate"] == pytest.approx(1 / 3)
    assert "Rogan-Gladen" in row["estimator"]


def test_labels_of_unknown_chance_count_for_agreement_but_not_for_the_rate(registry):
    said = labels("FFPPPPPPPP", inclusion_probability=None)
    row = the_row(calibrate(grades("FFPPPPPPPP"), said, registry))
    assert row["agreement"] == 1.0
    assert row["failure_rate"] is None


def test_judges_are_reported_apart(registry):
    both = pl.concat([grades("FP"), grades("PF", judge="embedded-2")])
    found = calibrate(both, labels("FP"), registry)
    assert found.frame.select("judge_id", "agreement").rows() == [
        ("embedded-1", 1.0),
        ("embedded-2", 0.0),
    ]


def test_the_order_of_rows_does_not_matter(registry):
    judged = grades("FFFPPUPPPP").with_columns(pl.lit(MONDAY.date()).alias("day"))
    said = pl.concat([labels("FFPFPPPPPP"), labels("FPPFPPPPPP", "ben")])
    one = calibrate(judged, said, registry)
    other = calibrate(judged.reverse(), said.reverse(), registry)
    assert one.frame.equals(other.frame)
    assert one.counts == other.counts


def test_a_week_without_a_judge_is_empty(registry):
    found = calibrate(GRADES.empty(), labels("FP"), registry)
    assert found.frame.height == 0
    assert found.counts.records_in == 0
