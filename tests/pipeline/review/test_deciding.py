"""A decision becomes one appended file, or a message that says what was meant."""

from __future__ import annotations

from datetime import timedelta
from multiprocessing import get_context
from threading import Thread

import pytest

from pipeline.datadir import DataDir
from pipeline.lake import MissingPartition
from pipeline.lease import erasing
from pipeline.review import read_annotations
from pipeline.review.queue import (
    CannotDecide,
    Decided,
    Request,
    UnknownName,
    decide,
    find_trace,
    serve,
    unblind,
)
from tests.pipeline.review.small_lake import (
    NOW,
    publish_day,
    publish_suite,
    queue_of,
    say,
    settings,
    trace,
    waiting,
)

LATER = NOW + timedelta(days=400)


@pytest.fixture
def place(place: DataDir) -> DataDir:
    """t1 waits for a rule's and a judge's case; r1 was drawn at random, with certainty."""
    settings(place, random_per_day=1, random_days=1, double_share=0)
    named = place.registry / "failure_modes.yaml"
    named.write_text("failure_modes:\n  - {id: half, name: Half an answer}\n")
    cases = [
        waiting("t1aaaa"),
        waiting("t1aaaa", "tone", case_id="case-tone", layer="judge"),
        waiting("t1bbbb"),
    ]
    publish_day(place, [trace("t1aaaa"), trace("t1bbbb")], cases, day="2026-11-08")
    publish_day(place, [trace("r1")])
    return place


def do(place: DataDir, name: str, word: str, *, at=NOW, who: str = "anna", **more) -> Decided:
    return decide(place, Request(name, word, who, **more), at)  # type: ignore[arg-type]


def counted(place: DataDir) -> list[tuple[str, str, str]]:
    frame = read_annotations(place.annotations, LATER)
    return frame.select("trace_id", "annotator_id", "verdict").rows()


def test_confirming_and_rejecting_speak_of_what_waits(place: DataDir) -> None:
    said = do(place, "t1aaaa", "confirm", mode="half an ANSWER", note="second part").annotation
    assert (said.verdict, dict(said.axes)) == ("bad", {"tone": "fail"})
    assert (said.failure_mode, said.note) == ("Half an answer", "second part")
    assert (said.blind, said.queue_reason, said.inclusion_probability) == (
        False, "no_pattern", None,
    )  # fmt: skip
    again = do(place, "t1aaaa", "reject").annotation
    assert (again.verdict, dict(again.axes)) == ("good", {"tone": "pass"})


def test_a_published_case_can_still_be_rejected(place: DataDir) -> None:
    publish_suite(place, "case-t1bbbb")
    assert "t1bbbb" not in {item.trace_id for item in queue_of(place).open}
    assert do(place, "case-t1bbbb", "reject").cases[0].case_id == "case-t1bbbb"


def test_a_drawn_trace_is_blind_with_its_chance(place: DataDir) -> None:
    said = do(place, "r1", "bad", axes={"tone": "fail", "rest": "pass"}).annotation
    assert (said.blind, said.queue_reason, said.inclusion_probability) == (True, "random", 1.0)
    assert dict(said.axes) == {
        "helpfulness": "pass", "faithfulness": "pass", "completeness": "pass", "tone": "fail",
    }  # fmt: skip


def test_who_has_seen_the_verdicts_is_not_blind(place: DataDir) -> None:
    unblind(place, "r1", "anna", NOW)
    said = do(place, "r1", "good").annotation
    assert (said.blind, said.queue_reason, said.inclusion_probability) == (False, "chosen", None)
    assert do(place, "r1", "good", who="ben").annotation.blind


def test_there_is_nothing_to_confirm_on_a_blind_trace(place: DataDir) -> None:
    with pytest.raises(CannotDecide, match="say good, bad or partial"):
        do(place, "r1", "confirm")


def test_deciding_again_replaces_ones_own_word_alone(place: DataDir) -> None:
    do(place, "t1bbbb", "skip", note="tired")
    do(place, "t1bbbb", "bad")
    do(place, "t1bbbb", "bad", who="ben")
    do(place, "t1bbbb", "good")
    assert sorted(counted(place)) == [("t1bbbb", "anna", "good"), ("t1bbbb", "ben", "bad")]


def test_a_blind_word_survives_the_same_persons_later_one(place: DataDir) -> None:
    """The judge is measured by the first; the suite hears the last."""
    do(place, "r1", "good")
    unblind(place, "r1", "anna", NOW)
    do(place, "r1", "bad", at=NOW + timedelta(minutes=1))
    frame = read_annotations(place.annotations, LATER)
    assert frame.select("verdict", "blind").rows() == [("good", True), ("bad", False)]


def test_undo_takes_back_the_last_word_and_then_the_one_before(place: DataDir) -> None:
    do(place, "t1bbbb", "good")
    do(place, "t1bbbb", "bad")
    do(place, "t1bbbb", "undo")
    assert counted(place) == [("t1bbbb", "anna", "good")]
    do(place, "t1bbbb", "undo")
    assert counted(place) == []
    with pytest.raises(CannotDecide, match="nothing of 't1bbbb' that could be undone"):
        do(place, "t1bbbb", "undo")


def test_undo_takes_back_nothing_where_it_is_not_plain_what_is_meant(place: DataDir) -> None:
    """`undo` of nothing, of a letter, or of what two decisions begin with."""
    say(place, "gone-1")
    say(place, "gone-2")
    before = counted(place)
    for typed in ("", "g", "gone"):
        with pytest.raises((UnknownName, CannotDecide)):
            do(place, typed, "undo")
    assert counted(place) == before
    do(place, "gone-2", "undo")
    assert counted(place) == [("gone-1", "anna", "good")]


def test_what_was_seen_stays_seen_though_the_verdict_was_undone(place: DataDir) -> None:
    """A trace that is drawn later, when more a day are: this person's label would not be blind."""
    say(place, "r1", "bad", blind=False)
    do(place, "r1", "undo")
    assert not do(place, "r1", "good").annotation.blind
    assert do(place, "r1", "good", who="ben").annotation.blind


def test_undo_reaches_a_trace_that_is_gone(place: DataDir) -> None:
    say(place, "gone", "good")
    do(place, "gone", "undo")
    assert counted(place) == []


def test_a_clock_that_goes_back_keeps_the_order(place: DataDir) -> None:
    do(place, "t1bbbb", "good", at=NOW + timedelta(days=300))
    second = do(place, "t1bbbb", "bad", at=NOW).annotation
    assert second.annotated_at == NOW + timedelta(days=300, microseconds=1)
    assert counted(place) == [("t1bbbb", "anna", "bad")]


def test_a_file_from_the_end_of_time_stops_nobody(place: DataDir) -> None:
    say(place, "t1bbbb", "good", annotated_at="9999-12-31T23:59:59.999999Z")
    assert do(place, "t1bbbb", "bad").annotation.annotated_at == NOW


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("t1", "no redacted trace is 't1'"),  # too short for a beginning
        ("t1aaax", "did you mean 't1aaaa'"),
        ("zzzz", "never drawn, its day is not published, or it was erased"),
    ],
)
def test_an_unknown_trace_is_told_with_what_may_be_meant(
    place: DataDir, name: str, message: str
) -> None:
    with pytest.raises(UnknownName, match=message):
        do(place, name, "good")
    assert counted(place) == []


def test_a_trace_is_found_by_its_beginning_or_its_case(place: DataDir) -> None:
    queue = queue_of(place)
    assert find_trace(queue, "t1aa") == "t1aaaa"
    assert find_trace(queue, "case-tone") == "t1aaaa"
    publish_day(place, [trace("t1aazz")], day="2026-11-07")
    with pytest.raises(UnknownName, match="2 traces begin with 't1aa'"):
        find_trace(queue_of(place), "t1aa")


def test_without_any_day_the_command_that_makes_one_is_named(tmp_path) -> None:
    with pytest.raises(MissingPartition, match="make backfill"):
        do(DataDir(tmp_path), "t1", "good")


@pytest.mark.parametrize(
    ("word", "more", "message"),
    [
        ("bad", {"axes": {"tonee": "fail"}}, "no axis 'tonee'.*did you mean 'tone'"),
        ("bad", {"mode": "half an anser"}, "did you mean 'Half an answer'.*--new-mode"),
        ("bad", {"mode": "half", "new_mode": "other"}, "one failure mode"),
        ("good", {"axes": {"tone": "fail"}}, "yet an axis fails"),
        ("good", {"mode": "half"}, "yet a failure mode"),
        ("skip", {}, "needs its reason"),
        ("skip", {"note": "no", "axes": {"tone": "pass"}}, "says nothing of axes"),
        ("bad", {"note": "x" * 100_001}, "100000 may be kept"),
        ("bad", {"note": "\udcff"}, "not UTF-8"),
        ("bad", {"who": "a\nb"}, "printable"),
        ("bad", {"who": " "}, "printable"),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(
    place: DataDir, word: str, more: dict, message: str
) -> None:
    with pytest.raises((CannotDecide, UnknownName), match=message):
        do(place, "t1bbbb", word, **more)
    assert not place.annotations.exists()


def test_a_decision_waits_for_an_erasure(place: DataDir) -> None:
    """Otherwise the id of somebody who was erased could be written after they were."""
    with erasing(place, patience=10, waiting=lambda: None):
        told = []
        waiting_one = Thread(target=lambda: told.append(_message(place, "t1bbbb")))
        waiting_one.start()
        waiting_one.join(timeout=1)
        assert not place.annotations.exists()
        publish_day(place, [trace("t1aaaa")], day="2026-11-08")  # t1bbbb is erased
    waiting_one.join()
    assert "no redacted trace is 't1bbbb'" in told[0]
    assert counted(place) == []


def _message(place: DataDir, name: str) -> str:
    with pytest.raises(UnknownName) as caught:
        do(place, name, "good")
    return str(caught.value)


def _decide_many(root, who: str) -> None:
    for name in ("t1aaaa", "t1bbbb", "r1"):
        do(DataDir(root), name, "bad", who=who)


def test_two_processes_deciding_at_once_lose_nothing(place: DataDir) -> None:
    context = get_context("spawn")
    people = ("anna", "ben", "cleo")
    workers = [context.Process(target=_decide_many, args=(place.root, who)) for who in people]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert len(counted(place)) == 9
    assert serve(queue_of(place), "dora").item is None
