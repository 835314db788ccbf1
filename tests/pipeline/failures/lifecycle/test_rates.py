"""Rates of a week by release, against those that the daily page works out on its own."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.embedding import word_embedder
from pipeline.estimation import rate
from pipeline.failures import assign_modes, consolidate_modes
from pipeline.failures.lifecycle import measure_rates
from pipeline.registry import NamedMode, Registry, Settings
from pipeline.report.outcomes import mode_observations
from tests.pipeline.failures.hand_made import MONDAY, frame, grade, on_day, weeks

NAMED = (
    NamedMode(id="half", name="Half of it", checks=("completeness",)),
    NamedMode(id="cold", name="Cold", checks=("tone",)),
)
REGISTRY = Registry(Settings(), (), (), (), NAMED, {})


def modes_of(rows: pl.DataFrame) -> pl.DataFrame:
    return consolidate_modes(rows, None, REGISTRY, word_embedder(), weeks(1)[0]).frame


def measured(rows: list[dict]) -> dict[tuple[str, str], dict]:
    grades = frame(rows)
    found = measure_rates(grades, modes_of(grades), REGISTRY)
    found.counts.check("mode_rates")
    return {(r["failure_mode_id"], r["release"]): r for r in found.frame.to_dicts()}


def test_by_hand() -> None:
    # 2.5: a fails (weight 2), b does not (weight 2); 2.6: c fails (weight 1), and no release: d
    found = measured(
        on_day(0, grade("a", release="2.5"), grade("b", release="2.5", verdict="pass"))
        + on_day(3, grade("c", release="2.6", weight=1.0))
        + on_day(4, grade("d", release=None, verdict="pass"))
    )
    old = found["half", "2.5"]
    assert (old["n"], old["seen"], old["traffic"], old["failures"], old["rate"]) == (
        2,
        1,
        4,
        2,
        0.5,
    )
    assert (old["squares"], old["squares_failing"]) == (8.0, 4.0)
    assert old["traffic_by_weekday"] == [4.0, 0, 0, 0, 0, 0, 0]
    assert old["first_failure"] == MONDAY
    new = found["half", "2.6"]
    assert (new["rate"], new["low"], new["high"]) == (1.0, 1.0, 1.0)  # all of it was looked at
    assert new["failures_by_weekday"] == [0, 0, 0, 1.0, 0, 0, 0]
    assert new["last_failure"] == MONDAY + timedelta(days=3)
    assert (found["half", ""]["n"], found["half", ""]["seen"]) == (1, 0)


def test_a_trace_that_fails_two_checks_of_a_mode_counts_once() -> None:
    found = measured(on_day(0, grade("a"), grade("a", grader_id="judge-2", error_class="other")))
    assert found["half", "2026.11.1"]["seen"] == 1


def test_a_check_that_looks_at_half_of_the_traces_lets_them_stand_for_the_rest() -> None:
    # a and b are judged by half: each stands for 4; c was not judged and stands for its own 2
    found = measured(
        on_day(
            0,
            grade("a", rate_probability=0.5),
            grade("b", rate_probability=0.5, verdict="pass"),
            grade("c", check="tone", verdict="pass"),
        )
    )
    row = found["half", "2026.11.1"]
    assert (row["traffic"], row["failures"], row["squares"]) == (10.0, 4.0, 36.0)


traces = st.lists(
    st.tuples(
        st.sampled_from(["2.5", "2.6", None]),
        st.sampled_from([1.0, 2.0, 7.5]),
        st.sampled_from([1.0, 0.5]),
        st.sampled_from(["pass", "fail", "unknown", "error"]),
        st.sampled_from(["pass", "fail", "skipped"]),
    ),
    min_size=1,
    max_size=25,
)


@given(traces)
@settings(max_examples=40, deadline=None)
def test_the_rate_is_that_of_the_days_own_observations(drawn: list[tuple]) -> None:
    rows = []
    for number, (release, weight, chance, part, tone) in enumerate(drawn):
        shared = {"release": release, "weight": weight}
        rows.append(grade(f"t{number:02}", verdict=part, rate_probability=chance, **shared))
        rows.append(
            grade(f"t{number:02}", check="tone", error_class="cold", verdict=tone, **shared)
        )
    grades = frame(on_day(1, *rows))
    found = measure_rates(grades, modes_of(grades), REGISTRY).frame
    clusters = assign_modes(grades.drop("day"), None, REGISTRY, word_embedder()).frame
    seen = mode_observations(grades, clusters).join(
        grades.select("trace_id", pl.col("release").fill_null("")).unique(), on="trace_id"
    )
    assert set(found["failure_mode_id"]) == set(seen["failure_mode_id"])
    for row in found.iter_rows(named=True):
        own = seen.filter(
            (pl.col("failure_mode_id") == row["failure_mode_id"])
            & (pl.col("release") == row["release"])
        )
        expected = rate(own["failed"].to_list(), own["probability"].to_list())
        assert (row["n"], row["seen"]) == (expected.n, own["failed"].sum())
        assert row["rate"] == pytest.approx(expected.value, abs=1e-6)
        assert row["low"] == pytest.approx(expected.low, abs=1e-4)
        assert row["high"] == pytest.approx(expected.high, abs=1e-4)


def test_a_week_with_no_failures_measures_the_modes_of_before_at_zero() -> None:
    first = frame(on_day(0, grade("a")))
    one, two = weeks(2)
    before = consolidate_modes(first, None, REGISTRY, word_embedder(), one).frame
    clean = frame(on_day(8, grade("b", verdict="pass"), grade("c", verdict="pass")))
    modes = consolidate_modes(clean, before, REGISTRY, word_embedder(), two).frame
    (row,) = measure_rates(clean, modes, REGISTRY).frame.to_dicts()
    assert (row["rate"], row["n"], row["seen"], row["first_failure"]) == (0.0, 2, 0, None)
    nothing = frame([]).with_columns(pl.lit(None, pl.Date).alias("day"))
    assert measure_rates(nothing, modes, REGISTRY).frame.is_empty()


def test_the_order_of_rows_changes_nothing() -> None:
    rows = frame(on_day(0, *(grade(f"t{n}", weight=1 + n / 7) for n in range(9))))
    modes = modes_of(rows)
    one, two = (measure_rates(r, modes, REGISTRY).frame for r in (rows, rows.reverse()))
    assert one.equals(two)
