"""The simulated reviewers judge from the truth, with the noise and the share they state."""

import datetime as dt
import json
import re
from typing import Any

import polars as pl
import pytest

from pipeline.simulate import plan
from pipeline.simulate.lessons import LESSONS

from .conftest import World

FAILS = {lesson.id: lesson.fails for lesson in LESSONS}


@pytest.fixture
def annotations(world: World) -> list[dict[str, Any]]:
    files = sorted((world.folder / "annotations").glob("*/*.json"))
    read = [json.loads(f.read_text()) | {"_path": f} for f in files]
    assert len(read) == world.report.annotations
    return read


def test_a_quarter_is_judged_and_some_of_it_twice(
    world: World, annotations: list[dict[str, Any]]
) -> None:
    first = {a["trace_id"] for a in annotations if a["annotator_id"] == "simulated"}
    second = {a["trace_id"] for a in annotations if a["annotator_id"] == "simulated-2"}
    # 2,100 draws at 0.25: 0.0094 is a standard deviation.
    assert abs(len(first) / world.truth.height - plan.REVIEW_SHARE) < 0.04
    assert second < first
    assert abs(len(second) / len(first) - plan.SECOND_REVIEW_SHARE) < 0.1
    assert first <= set(world.truth["trace_id"])


def test_marks_follow_the_truth_but_for_the_noise(
    world: World, annotations: list[dict[str, Any]]
) -> None:
    single = world.truth.filter(pl.col("failure_kinds").list.len() <= 1, ~pl.col("one_off"))
    lessons = dict(single.select("trace_id", "lesson_id").iter_rows())
    wrong = total = 0
    for a in annotations:
        if a["trace_id"] in lessons:
            fails = FAILS.get(lessons[a["trace_id"]], frozenset())
            wrong += sum((mark == "fail") != (axis in fails) for axis, mark in a["axes"].items())
            total += len(a["axes"])
    # About 2,700 marks with 5 % noise: 0.0042 is a standard deviation.
    assert abs(wrong / total - plan.AXIS_NOISE) < 0.017


def test_two_reviewers_disagree_at_times(annotations: list[dict[str, Any]]) -> None:
    by_trace: dict[str, list[dict[str, Any]]] = {}
    for a in annotations:
        by_trace.setdefault(a["trace_id"], []).append(a["axes"])
    pairs = [p for p in by_trace.values() if len(p) == 2]
    assert 0 < sum(x != y for x, y in pairs) < len(pairs) / 2


def test_each_verdict_is_a_file_with_an_id_of_its_content(
    world: World, annotations: list[dict[str, Any]]
) -> None:
    days = dict(world.truth.select("trace_id", "day").iter_rows())
    assert len({a["annotation_id"] for a in annotations}) == len(annotations)
    for a in annotations:
        path = a.pop("_path")
        assert path.stem == a["annotation_id"]
        assert re.fullmatch(r"[0-9a-f]{24}", path.stem)
        at = dt.datetime.fromisoformat(a["annotated_at"])
        assert path.parent.name == at.date().isoformat()
        assert (at.date() - days[a["trace_id"]]).days in (1, 2)
        assert set(a["axes"]) == set(plan.AXES)
        assert (a["verdict"] == "good") == (set(a["axes"].values()) == {"pass"})
        assert (a["blind"], a["queue_reason"]) == (True, "random")
        assert a["inclusion_probability"] == plan.REVIEW_SHARE
