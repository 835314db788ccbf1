"""How the review stands, in numbers worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from pipeline.datadir import DataDir
from pipeline.review.queue import Figures, figure
from tests.pipeline.review.small_lake import (
    NOW,
    publish_day,
    queue_of,
    say,
    settings,
    trace,
    waiting,
)


def figures(place: DataDir) -> Figures:
    return figure(queue_of(place))


@pytest.fixture
def place(place: DataDir) -> DataDir:
    settings(place, random_per_day=0, double_share=0)
    return place


def test_an_empty_lake_is_all_zeros(place: DataDir) -> None:
    found = figures(place)
    assert (found.drawn, found.valued, found.held, found.oldest) == (0, 0, 0, None)
    assert (found.people, found.labels, found.agreement.n) == ((), (), 0)


def test_length_and_age_of_the_queue(place: DataDir) -> None:
    settings(place, random_per_day=0, double_share=0, per_mode_and_day=1)
    publish_day(place, [trace("t1")], [waiting("t1")], day="2026-11-03")
    publish_day(place, [trace("t2")], [waiting("t2", blocked_by=["borderline"])])
    found = figures(place)
    assert (found.valued, found.held, found.oldest) == (1, 1, date(2026, 11, 3))
    assert dict(found.modes) == {"wrong_tool": 2}


def test_agreement_counts_traces_on_which_all_say_the_same(place: DataDir) -> None:
    """t1: both good. t2: good and bad. t3: one person alone. So 1 of 2."""
    for name, who, verdict, axes in (
        ("t1", "anna", "good", {"tone": "pass"}),
        ("t1", "ben", "good", {"tone": "pass"}),
        ("t2", "anna", "good", {"tone": "pass"}),
        ("t2", "ben", "bad", {}),
        ("t3", "anna", "bad", {}),
    ):
        say(place, name, verdict, annotator_id=who, axes=axes)
    found = figures(place)
    assert (found.agreement.value, found.agreement.n) == (0.5, 2)
    assert (found.axes["tone"].value, found.axes["tone"].n) == (1.0, 1)


def test_what_each_person_did(place: DataDir) -> None:
    publish_day(place, [trace("t9")], [waiting("t9")])
    say(place, "t1", blind=True, annotated_at=NOW - timedelta(days=2))
    say(place, "t2")
    say(place, "t3", None, action="skip", note="no")
    say(place, "t4", annotator_id="ben", annotated_at=NOW - timedelta(days=30))
    anna, ben = figures(place).people
    assert (anna.name, anna.verdicts, anna.blind, anna.skips, anna.today, anna.kept) == (
        "anna", 2, 1, 1, 2, 1,
    )  # fmt: skip
    assert (ben.name, ben.verdicts, ben.today, ben.kept) == ("ben", 1, 0, 0)


def test_labels_count_as_the_calibration_of_the_week_counts_them(place: DataDir) -> None:
    """Sunday's traces: one label in time, one not blind, one on Monday, one where the judge told
    nothing. The week counts the first; the next week the one of Monday too.
    """
    names = ["t1", "t2", "t3", "t4"]
    grades = [
        {"trace_id": n, "check": "tone", "layer": "judge", "grader_id": "j",
         "verdict": "unknown" if n == "t4" else "pass"}
        for n in names
    ]  # fmt: skip
    publish_day(place, [trace(n) for n in names], grades=grades, day="2026-11-08")
    in_time = datetime(2026, 11, 8, 23, tzinfo=UTC)
    for name, at, blind in (
        ("t1", in_time, True),
        ("t2", in_time, False),
        ("t3", in_time + timedelta(hours=1), True),
        ("t4", in_time, True),
    ):
        say(place, name, axes={"tone": "pass"}, annotated_at=at, blind=blind)
    publish_day(place, [trace("t5")], day="2026-11-09")
    tone = [(str(o.week), o.labels, o.needed) for o in figures(place).labels if o.axis == "tone"]
    assert tone == [("2026-11-02", 1, 30), ("2026-11-09", 2, 30)]


def test_what_is_odd_is_counted_and_named(place: DataDir) -> None:
    publish_day(place, [trace("t1")])
    say(place, "t1", annotated_at=NOW + timedelta(days=1))
    say(place, "gone")
    (place.annotations / "2026-11-10" / "broken.json").write_text("{")
    found = figures(place)
    assert (found.unknown, found.ahead) == (1, 1)
    assert [(p.file, p.reason) for p in found.problems] == [("2026-11-10/broken.json", "not JSON")]
