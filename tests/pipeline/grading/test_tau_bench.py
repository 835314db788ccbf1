"""Real runs of an airline agent, and the registry that a user would write from its policy.

Two of four trials of the tasks with even numbers, redacted as the pipeline redacts. Both halves,
and the interval: `python -m tests.bench.real_runs`.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipeline.grading.examples import run_examples
from pipeline.registry import load_registry
from tests.bench.real_runs import REGISTRY, grade_runs, read_runs, score


def test_the_registry_of_the_airline_holds_on_its_own_examples() -> None:
    registry = load_registry(REGISTRY, date(2025, 1, 6))
    runs = run_examples(registry, registry.rules)
    assert [run for run in runs if not run.holds] == []
    assert {run.rule.id for run in runs} == {rule.id for rule in registry.rules}


@pytest.fixture(scope="module")
def grades(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    runs = read_runs(shared_data, odd=False, trials=(0, 1))
    return grade_runs(tmp_path_factory.mktemp("tau") / "data", runs)


def test_every_run_is_graded_and_no_check_breaks(grades: pl.DataFrame) -> None:
    assert grades["trace_id"].n_unique() == 26
    assert grades.filter(verdict="error").is_empty()


def test_every_fail_points_at_what_stands_in_the_trace(grades: pl.DataFrame) -> None:
    fails = grades.filter(verdict="fail").to_dicts()
    assert fails
    for grade in fails:
        places = {f"message:{index}" for index in range(len(grade["messages"]))}
        places |= {f"span:{call['span_id']}" for call in grade["tool_calls"]}
        assert grade["evidence"], grade["check"]
        assert set(grade["evidence"]) <= places, grade["check"]


def test_the_recorded_outcome_shows_without_a_model(grades: pl.DataFrame) -> None:
    """Measured on these 26 runs, 9 of them solved: .88 of the unsolved fail, .00 of the solved."""
    found = score(grades)
    assert (found.runs, found.solved) == (26, 9)
    assert found.sensitivity >= 0.8
    assert found.specificity >= 0.85
    assert found.low <= found.accuracy <= found.high


def test_the_judge_accuses_no_solved_run(grades: pl.DataFrame) -> None:
    assert grades.filter(layer="judge", solved=True, verdict="fail").is_empty()
