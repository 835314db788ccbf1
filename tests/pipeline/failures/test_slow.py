"""What creeps up over the weeks is found, what wanders is not, and the false ones are bounded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from pipeline.failures.slow import (
    METRICS,
    find_slow_failures,
    mark_passed,
    measure_traces,
    what_creeps,
)
from pipeline.failures.slow.levels import Level, Rise, measure_rise
from pipeline.failures.slow.measures import count_retries
from pipeline.registry import Rule
from pipeline.registry.settings import Lifecycle
from pipeline.tables import REDACTED_TRACES, SLOW_FAILURES, STRATIFIED_SAMPLES
from pipeline.windows import week

FIRST = date(2026, 9, 7)
NOBODY = pl.DataFrame(schema={"trace_id": pl.String, "failure_mode_id": pl.String})

Draw = Callable[[int, np.random.Generator], list[dict[str, Any]]]


def call(name: str, arguments: str = "{}", status: str = "ok") -> dict[str, Any]:
    return {"name": name, "arguments": arguments, "status": status}


def test_a_retry_is_a_call_made_again_or_after_its_failure() -> None:
    assert count_retries(None) == 0
    assert count_retries([call("find", "1"), call("find", "2"), call("pay")]) == 0
    assert count_retries([call("find", "1"), call("pay"), call("find", "1")]) == 1
    assert count_retries([call("pay", "1", "timeout"), call("pay", "2"), call("pay", "3")]) == 1


def trace(number: int, **fields: Any) -> dict[str, Any]:
    base = {"trace_id": f"t{number}", "intent": "refund", "release": "2.5.0", "weight": 1.0,
            "passed": True}  # fmt: skip
    return base | dict.fromkeys(METRICS, 1.0) | fields


def weeks_of(draw: Draw, count: int, seed: int = 1) -> pl.DataFrame:
    """`slow_failures` of the last of `count` weeks in which `draw` made the traces."""
    draws = np.random.default_rng(seed)
    before = pl.DataFrame(schema=dict(SLOW_FAILURES.schema) | {"week": pl.Date})
    for number in range(count):
        monday = FIRST + timedelta(days=7 * number)
        traces = pl.DataFrame(draw(number, draws), infer_schema_length=None)
        failing = traces.filter(pl.col("intent") == "refund").select(
            "trace_id", failure_mode_id=pl.lit("loop")
        )
        found = find_slow_failures(traces, failing, before, Lifecycle(), week(monday))
        before = pl.concat([before, found.frame.with_columns(week=pl.lit(monday, pl.Date))])
    return before.filter(pl.col("week") == before["week"].max())


def creeping_refunds(number: int, draws: np.random.Generator) -> list[dict[str, Any]]:
    """Refunds take a quarter of a turn more every week; the rest of the traffic is steady."""
    refunds = [trace(n, turns=draws.normal(4 + 0.25 * number, 1)) for n in range(60)]
    others = [trace(n, intent="order_status", turns=draws.normal(3, 1)) for n in range(60, 120)]
    return refunds + others


def test_turns_that_creep_up_are_found_under_their_intent_alone() -> None:
    found = weeks_of(creeping_refunds, 8)
    by = {(row["scope"], row["subject"], row["metric"]): row for row in found.to_dicts()}
    creeping = {key for key, row in by.items() if row["creeping"]}
    assert ("intent", "refund", "turns") in creeping
    assert ("intent", "order_status", "turns") not in creeping
    assert {key[2] for key in creeping} == {"turns"}
    row = by["intent", "refund", "turns"]
    assert (row["weeks"], row["first_week"], row["n"]) == (8, FIRST, 60)
    assert row["rise"] == pytest.approx(1.75 / 4, abs=0.15)
    assert row["q_value"] <= 0.05
    assert what_creeps(found)["intent", "refund"] == ("turns",)
    assert what_creeps(None) == {}
    # the failure mode whose traces are these refunds creeps as well
    assert by["mode", "loop", "turns"]["creeping"]


def test_the_level_before_is_that_of_the_first_third_of_the_weeks() -> None:
    # six weeks, so two: (10·1 + 30·2) / 40; of those that passed (10·1 + 10·2) / 20
    weeks = [Level(1.0, 10, 1.0, 10), Level(2.0, 30, 2.0, 10), Level(9.0, 1, 9.0, 1)]
    weeks += [Level(3.0, 1, 3.0, 1), Level(4.0, 20, 2.0, 10), Level(6.0, 20, 3.0, 10)]
    # all rose from 1.75 to 5, those that passed from 1.5 to 2.5: 1 of 3.25
    assert measure_rise(weeks) == Rise(1.5, pytest.approx(1 / 3.25))
    nobody_passed = [replace(one, passing=None, passing_n=0) for one in weeks]
    assert measure_rise(nobody_passed) == Rise(None, None)
    assert measure_rise(weeks[::-1]).share is None  # nothing rose


def test_a_rise_in_failing_conversations_alone_is_told_apart() -> None:
    def looping(number: int, draws: np.random.Generator) -> list[dict[str, Any]]:
        """A quarter of the refunds fail, and take half a turn more every week."""
        return [
            trace(n, turns=draws.normal(4 + (n % 4 == 0) * 2 * number, 0.5), passed=n % 4 != 0)
            for n in range(60)
        ]

    found = weeks_of(looping, 8).filter(scope="intent", metric="turns").row(0, named=True)
    assert found["creeping"]
    assert found["baseline"] == pytest.approx(4, abs=0.2)
    assert found["passing_share"] == pytest.approx(0, abs=0.1)
    alone = weeks_of(creeping_refunds, 8).filter(scope="intent", subject="refund", metric="turns")
    assert alone["passing_share"].to_list() == [1.0]
    of_mode = weeks_of(creeping_refunds, 8).filter(scope="mode", metric="turns")
    assert of_mode["baseline"].to_list() == alone["baseline"].to_list()


def test_it_says_since_when_it_is_known() -> None:
    first, later = (
        weeks_of(creeping_refunds, n).filter(scope="intent", subject="refund", metric="turns")
        for n in (6, 8)
    )
    sixth = FIRST + timedelta(weeks=5)
    assert (first["since"].item(), later["since"].item()) == (sixth, sixth)
    steady = weeks_of(creeping_refunds, 8).filter(~pl.col("creeping"))
    assert steady["since"].null_count() == steady.height


def test_a_failure_that_is_but_a_symptom_does_not_count_as_one() -> None:
    rules = [
        Rule.model_validate({"id": "complained", "kind": "complaint", "title": "Content"}),
        Rule.model_validate({"id": "right_tool", "kind": "expected_tool", "title": "A tool"}),
    ]
    failing = pl.DataFrame({"trace_id": ["a", "b", "b"],
                            "check": ["complained", "complained", "right_tool"]})  # fmt: skip
    marked = mark_passed(pl.DataFrame({"trace_id": ["a", "b", "c"]}), failing, rules)
    assert marked["passed"].to_list() == [True, False, True]


def test_a_step_is_no_creeping() -> None:
    def dearer(number: int, draws: np.random.Generator) -> list[dict[str, Any]]:
        level = 1.0 if number < 3 else 5.0
        return [trace(n, cost_usd=draws.normal(level, 0.5)) for n in range(60)]

    found = weeks_of(dearer, 9).filter(pl.col("metric") == "cost_usd")
    assert found["rise"].min() > 1
    assert not found["creeping"].any()


def test_four_weeks_are_too_few_to_tell() -> None:
    found = weeks_of(creeping_refunds, 4)
    assert found["weeks"].to_list() == [None] * found.height
    assert not found["creeping"].any()


def test_a_rise_that_is_too_small_to_matter_is_no_finding() -> None:
    def hardly(number: int, draws: np.random.Generator) -> list[dict[str, Any]]:
        return [trace(n, tokens=draws.normal(1000 + 5 * number, 1)) for n in range(60)]

    found = weeks_of(hardly, 8).filter(pl.col("metric") == "tokens")
    assert found["p_value"].max() < 0.001
    assert not found["creeping"].any()


def test_what_falls_is_no_failure_and_thin_weeks_do_not_count() -> None:
    def falling(number: int, draws: np.random.Generator) -> list[dict[str, Any]]:
        size = 5 if number == 3 else 40
        return [trace(n, turns=draws.normal(9 - number, 1)) for n in range(size)]

    found = weeks_of(falling, 8)
    assert not found["creeping"].any()
    assert found["weeks"].max() == 7


def test_a_steady_agent_has_no_slow_failure_but_in_the_stated_share_of_weeks() -> None:
    def steady(number: int, draws: np.random.Generator) -> list[dict[str, Any]]:
        return [
            trace(n, intent=f"i{n % 6}", turns=float(draws.poisson(4)), cost_usd=None,
                  complaints=float(draws.random() < 0.1), retries=float(draws.poisson(0.3)),
                  tokens=draws.lognormal(7, 0.5))
            for n in range(180)
        ]  # fmt: skip

    alarms = [weeks_of(steady, 7, seed=seed)["creeping"].any() for seed in range(30)]
    assert sum(alarms) / len(alarms) <= 0.1


def test_the_mean_is_weighted_and_has_an_interval() -> None:
    # weights 1 and 3, turns 2 and 6: 20/4; v = 2/1 · (0 + 3·2·1)/16: half 1.96 sqrt(.75)
    rows = pl.DataFrame([trace(1, turns=2.0), trace(2, turns=6.0, weight=3.0)])
    found = find_slow_failures(rows, NOBODY, empty_past(), Lifecycle(), week(FIRST)).frame
    (row,) = found.filter(scope="intent", metric="turns").to_dicts()
    assert (row["value"], row["n"], row["effective_n"]) == (5.0, 2, 1.6)
    assert row["high"] - row["value"] == pytest.approx(1.96 * 0.75**0.5, abs=1e-3)


def empty_past() -> pl.DataFrame:
    return pl.DataFrame(schema=dict(SLOW_FAILURES.schema) | {"week": pl.Date})


def test_a_week_without_traffic_measures_nothing() -> None:
    nothing = pl.DataFrame(schema=pl.DataFrame([trace(1)]).schema)
    found = find_slow_failures(nothing, NOBODY, empty_past(), Lifecycle(), week(FIRST))
    assert found.frame.is_empty()
    found.counts.check("slow_failures")


def test_traces_are_measured_from_the_tables() -> None:
    def row(table: Any, **fields: Any) -> Mapping[str, Any]:
        return dict.fromkeys(table.columns) | fields

    samples = pl.DataFrame(
        [row(STRATIFIED_SAMPLES, trace_id="a", intent="refund", weight=2.0, turns=3,
             total_tokens=900, signals=["hedging", "negative_feedback"]),
         row(STRATIFIED_SAMPLES, trace_id="b", turns=1, signals=["hedging"]),
         row(STRATIFIED_SAMPLES, trace_id="quarantined", turns=1, signals=[])],
        STRATIFIED_SAMPLES.schema,
    )  # fmt: skip
    again = [{"name": "find", "arguments": "{}", "status": "ok"}] * 3
    redacted = pl.DataFrame(
        [row(REDACTED_TRACES, trace_id="a", tool_calls=again, cost_usd=0.2),
         row(REDACTED_TRACES, trace_id="b")],
        REDACTED_TRACES.schema,
    )  # fmt: skip
    one, two = measure_traces(samples, redacted).to_dicts()
    assert (one["turns"], one["tokens"], one["retries"], one["complaints"]) == (3, 900, 2, 1)
    assert (two["intent"], two["weight"], two["cost_usd"], two["complaints"]) == (
        "unknown", 1.0, None, 0,
    )  # fmt: skip
