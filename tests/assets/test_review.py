"""What a reviewer decides in the queue reaches the suite and the judge's calibration."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from assets.plan import PUBLISH, Task
from pipeline.datadir import COMMITTED, DataDir
from pipeline.review.queue import (
    Queue,
    Request,
    build_queue,
    decide,
    figure,
    read_material,
    unblind,
)
from pipeline.suite import parse_suite
from pipeline.tables import GRADES, JUDGE_CALIBRATION_REPORTS
from pipeline.windows import week
from tests.assets.conftest import Lineage, OpenLineage

WEEK = week("2026-11-02")
MONDAY = WEEK.end + timedelta(hours=9)
SUNDAY_NIGHT = datetime(2026, 11, 8, 23, tzinfo=UTC)


# One failure is a pattern, so that every failure that only the judge saw waits for a person.
_SETTINGS = """
  - promotion: {recurrence: 1, lesson_recurrence: 1, review_threshold: 0.0}
    review: {random_per_day: 0, double_share: 0}
"""


@pytest.fixture(scope="module")
def lineage(
    closed_week: Lineage, tmp_path_factory: pytest.TempPathFactory, open_lineage: OpenLineage
) -> Lineage:
    """A copy of the closed week in which cases wait and nobody has said anything yet."""
    place = DataDir(tmp_path_factory.mktemp("reviewed"))
    shutil.copytree(closed_week.place.root, place.root, dirs_exist_ok=True, symlinks=True)
    shutil.rmtree(place.annotations)
    shutil.rmtree(place.eval_dir(None))
    shutil.copytree(COMMITTED / "registry", place.root / "registry")
    with (place.root / "registry" / "settings.yaml").open("a") as settings:
        settings.write(_SETTINGS)
    lineage = open_lineage(place)
    (outcome,) = lineage.run(Task("daily", WEEK.days[-3:]))
    assert outcome.errors == []
    return lineage


def queue_of(place: DataDir, now: datetime) -> Queue:
    return build_queue(read_material(place, now), now)


def suite(place: DataDir) -> set[str]:
    path: Path = place.eval_dir(None) / "cases_from_prod.yaml"
    return set(parse_suite(path.read_text()))


def publish(lineage: Lineage) -> set[str]:
    assert [outcome.errors for outcome in lineage.run(PUBLISH)] == [[]]
    return suite(lineage.place)


def test_confirmed_cases_come_in_and_rejected_ones_never_return(
    lineage: Lineage,
) -> None:
    place = lineage.place
    before = publish(lineage)
    wanted, unwanted = queue_of(place, MONDAY).valued[:2]
    decide(place, Request(wanted.trace_id, "confirm", "anna"), MONDAY)
    decide(place, Request(unwanted.trace_id, "reject", "anna"), MONDAY)
    after = publish(lineage)
    assert {case.case_id for case in wanted.cases} <= after
    assert not {case.case_id for case in unwanted.cases} & after
    assert before < after
    assert publish(lineage) == after
    waiting = {c.case_id for i in queue_of(place, MONDAY).open for c in i.cases}
    assert not waiting & {c.case_id for item in (wanted, unwanted) for c in item.cases}
    # people may change their minds: then it waits again, and what is published goes
    decide(place, Request(wanted.trace_id, "reject", "anna"), MONDAY + timedelta(hours=1))
    assert publish(lineage) == after - {case.case_id for case in wanted.cases}
    decide(place, Request(unwanted.trace_id, "undo", "anna"), MONDAY + timedelta(hours=1))
    waiting = {c.case_id for i in queue_of(place, MONDAY).open for c in i.cases}
    assert {case.case_id for case in unwanted.cases} <= waiting


def test_blind_labels_made_in_the_week_calibrate_the_judge_and_others_do_not(
    lineage: Lineage,
) -> None:
    place = lineage.place
    with (place.root / "registry" / "settings.yaml").open("a") as settings:
        settings.write("\n  - review: {random_per_day: 1000}\n")
    told = (pl.col("layer") == "judge") & pl.col("verdict").is_in(["pass", "fail"])
    judged = lineage.lake.read(GRADES, WEEK.days[-1]).filter(told)
    drawn = [item.trace_id for item in queue_of(place, SUNDAY_NIGHT).drawn]
    in_time, late = [trace for trace in drawn if trace in set(judged["trace_id"])][:2]
    everything_passes = {"rest": "pass"}
    said = decide(place, Request(in_time, "good", "anna", everything_passes), SUNDAY_NIGHT)
    assert (said.annotation.blind, said.annotation.inclusion_probability) == (True, 1.0)
    unblind(place, late, "ben", SUNDAY_NIGHT)
    decide(place, Request(late, "good", "ben", everything_passes), SUNDAY_NIGHT)
    decide(place, Request(late, "good", "cleo", everything_passes), MONDAY)
    (outcome,) = lineage.run(Task("weekly", (WEEK,)))
    assert outcome.errors == []
    report = lineage.lake.read(JUDGE_CALIBRATION_REPORTS, WEEK)
    axes = set(judged.filter(pl.col("trace_id") == in_time)["check"])
    counted = dict(report.select("axis", "n").iter_rows())
    assert counted == {axis: int(axis in axes) for axis in report["axis"]}
    told = figure(queue_of(place, MONDAY)).labels
    assert {one.axis: one.labels for one in told if one.week == WEEK.first} == counted
