"""Who gets what: different items for different people, without locks, and a quota for each."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.datadir import DataDir
from pipeline.review.queue import serve
from tests.pipeline.review.small_lake import (
    NOW,
    publish_day,
    queue_of,
    say,
    settings,
    trace,
    waiting,
)

NAMES = [f"t{n:02}" for n in range(20)]


@pytest.fixture
def place(place: DataDir) -> DataDir:
    settings(place, random_per_day=0, double_share=0, per_mode_and_day=100)
    publish_day(place, [trace(n) for n in NAMES], [waiting(n) for n in NAMES])
    return place


def next_of(place: DataDir, who: str, **more) -> str | None:
    served = serve(queue_of(place), who, **more)
    return served.item.trace_id if served.item else None


def walk(place: DataDir, *people: str) -> dict[str, list[str]]:
    """Let people decide in turn until nothing is left; what each of them got."""
    got: dict[str, list[str]] = {who: [] for who in people}
    for minute in range(200):
        who = people[minute % len(people)]
        name = next_of(place, who)
        if name is None:
            return got
        got[who].append(name)
        say(place, name, annotator_id=who, annotated_at=NOW - timedelta(minutes=200 - minute))
    raise AssertionError("the queue never ends")


def test_one_person_gets_everything_once_by_value(place: DataDir) -> None:
    got = walk(place, "anna")["anna"]
    assert sorted(got) == NAMES
    assert got == [item.trace_id for item in sorted(_all_items(place), key=lambda i: i.trace_id)]


def _all_items(place: DataDir):
    for path in place.annotations.rglob("*.json"):
        path.unlink()
    return queue_of(place).valued


def test_several_people_get_different_items_and_all_of_them(place: DataDir) -> None:
    got = walk(place, "anna", "ben", "cleo")
    assert sorted(name for names in got.values() for name in names) == NAMES
    assert all(len(names) >= 5 for names in got.values())


def test_two_people_looking_at_once_look_at_different_items(place: DataDir) -> None:
    say(place, "t00", annotator_id="anna")
    say(place, "t01", annotator_id="ben")
    assert next_of(place, "anna") != next_of(place, "ben")


def test_who_went_home_keeps_nobody_waiting(place: DataDir) -> None:
    say(place, "t00", annotator_id="ben", annotated_at=NOW - timedelta(days=4))
    assert [next_of(place, "anna")] == [queue_of(place).valued[0].trace_id]
    say(place, "t01", annotator_id="ben", annotated_at=NOW - timedelta(hours=1))
    assert len(walk(place, "anna")["anna"]) == 18  # ben's too, last


def test_a_skip_is_for_the_one_who_skipped(place: DataDir) -> None:
    name = next_of(place, "anna")
    assert name is not None
    say(place, name, None, action="skip", note="not my field", annotator_id="anna")
    assert name not in walk(place, "anna")["anna"]
    assert next_of(place, "ben") == name


def test_the_quota_of_the_day_stops_and_may_be_exceeded(place: DataDir) -> None:
    settings(place, random_per_day=0, double_share=0, per_mode_and_day=100, per_reviewer_and_day=2)
    say(place, "t00")
    say(place, "t01", None, action="skip", note="later")
    stopped = serve(queue_of(place), "anna")
    assert stopped.item is None
    assert "2 decisions today" in stopped.why_none
    assert next_of(place, "anna", beyond_quota=True) is not None
    assert next_of(place, "ben") is not None
    assert serve(queue_of(place, NOW + timedelta(days=1)), "anna").item is not None


def test_an_item_for_two_goes_to_two_and_to_nobody_twice(place: DataDir) -> None:
    settings(place, random_per_day=0, double_share=1, per_mode_and_day=100)
    got = walk(place, "anna", "ben")
    assert sorted(got["anna"]) == sorted(got["ben"]) == NAMES


def test_a_share_of_what_is_shown_is_drawn_at_random(place: DataDir) -> None:
    settings(place, random_per_day=100, random_share=0.25, double_share=0, per_mode_and_day=100)
    drawn = [f"r{n}" for n in range(6)]
    publish_day(place, [trace(n) for n in drawn], day="2026-11-10")
    settings(place, random_per_day=6, random_share=0.25, random_days=1, double_share=0,
             per_mode_and_day=100)  # fmt: skip
    kinds = []
    for minute in range(8):
        item = serve(queue_of(place), "anna").item
        assert item is not None
        kinds.append(item.category)
        say(place, item.trace_id, blind=item.blind, queue_reason=item.category,
            annotated_at=NOW - timedelta(minutes=60 - minute))  # fmt: skip
    assert kinds == ["random", "no_pattern", "no_pattern", "no_pattern"] * 2


def test_who_asked_for_the_verdicts_is_not_asked_blind(place: DataDir) -> None:
    settings(place, random_per_day=100, double_share=0)
    publish_day(place, [trace("r0")], day="2026-11-10")
    say(place, "r0", None, action="unblind")
    served = {who: serve(queue_of(place), who).item for who in ("anna", "ben")}
    assert served["anna"] is not None
    assert served["anna"].trace_id != "r0"
    assert served["ben"] is not None
    assert served["ben"].trace_id == "r0"
