"""What waits, in which order, and what is held back; the random share and its known chances."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.datadir import DataDir
from pipeline.failures.slow import slow_mode_id
from pipeline.review.queue import RANDOM, serve
from tests.pipeline.review.small_lake import (
    DAY,
    NOW,
    publish_day,
    publish_suite,
    queue_of,
    say,
    settings,
    trace,
    waiting,
)


@pytest.fixture
def place(place: DataDir) -> DataDir:
    """Nothing is drawn at random, and one look is enough, unless a test says so."""
    settings(place, random_per_day=0, double_share=0)
    return place


def waits(place: DataDir) -> list[str]:
    """The traces of the waiting cases, in order."""
    return [item.trace_id for item in queue_of(place).valued]


def test_an_empty_lake_has_an_empty_queue(place: DataDir) -> None:
    assert queue_of(place).open == ()


def test_what_the_suite_holds_or_a_person_settled_no_longer_waits(place: DataDir) -> None:
    names = ["t1", "t2", "t3", "t4", "t5"]
    publish_day(place, [trace(n) for n in names], [waiting(n) for n in names])
    publish_suite(place, "case-t1")
    say(place, "t2", "good")
    say(place, "t3", "bad")
    say(place, "t4", None, action="skip", note="not mine")
    assert waits(place) == ["t4", "t5"]


def test_only_cases_sent_to_review_wait(place: DataDir) -> None:
    publish_day(
        place,
        [trace("t1"), trace("t2"), trace("t3")],
        [waiting("t1"), waiting("t2", decision="promoted"), waiting("t3", decision="rejected")],
    )
    assert waits(place) == ["t1"]


def test_a_slow_failure_waits_under_the_name_of_its_mode(place: DataDir) -> None:
    mode = slow_mode_id("refund", "retries")
    told = {"reasons": ["Retries of refund have crept up."], "failure_mode_id": mode}
    publish_day(place, [trace("t1")], [waiting("t1", "slow_failure_retries", **told)])
    (item,) = queue_of(place).valued
    (case,) = item.cases
    assert (case.mode_id, case.mode_name) == (mode, "retries creep up (refund)")
    assert item.reasons == ("Retries of refund have crept up.",)


def test_a_mode_that_a_person_closed_waits_no_more(place: DataDir) -> None:
    modes = place.registry / "failure_modes.yaml"
    modes.write_text("failure_modes:\n  - {id: m1, name: Known, state: ignored}\n")
    publish_day(place, [trace("t1")], [waiting("t1", failure_mode_id="m1")])
    assert waits(place) == []


def test_a_trace_that_was_erased_since_is_not_shown(place: DataDir) -> None:
    publish_day(place, [trace("t1")], [waiting("t1"), waiting("gone")])
    assert waits(place) == ["t1"]


def test_a_day_in_the_middle_of_a_backfill_shows_what_is_there(place: DataDir) -> None:
    """Its traces are redacted, but not sampled, graded or decided on again yet."""
    from pipeline.tables import PROMOTED_CASES, REDACTED_TRACES
    from tests.pipeline.review.small_lake import put

    put(place, REDACTED_TRACES, DAY, [trace("t1")])
    put(place, PROMOTED_CASES, "2026-11-08", [waiting("t1")])
    assert waits(place) == ["t1"]


def test_near_duplicates_are_one_item_under_the_newest_trace(place: DataDir) -> None:
    prints = list(range(128))
    publish_day(place, [trace("old")], [waiting("old", fingerprint=prints)], day="2026-11-08")
    publish_day(
        place,
        [trace("new"), trace("else")],
        [waiting("new", fingerprint=prints), waiting("else", fingerprint=list(range(200, 328)))],
    )
    first, second = sorted(queue_of(place).valued, key=lambda item: item.since)
    assert (first.trace_id, first.cases[0].traces) == ("new", ("old", "new"))
    assert second.trace_id == "else"
    say(place, "old", "good")  # whoever rejects one of them rejects all
    assert waits(place) == ["else"]


def test_a_near_duplicate_of_a_published_case_does_not_wait(place: DataDir) -> None:
    prints = list(range(128))
    cases = [
        waiting("t1", decision="promoted", fingerprint=prints),
        waiting("t2", fingerprint=prints),
        waiting("t2", "other_check", case_id="case-other", fingerprint=prints),
    ]
    publish_day(place, [trace("t1"), trace("t2")], cases)
    publish_suite(place, "case-t1")
    (item,) = queue_of(place).valued
    assert [case.check for case in item.cases] == ["other_check"]


def test_all_cases_of_one_trace_are_one_item(place: DataDir) -> None:
    cases = [waiting("t1"), waiting("t1", "tone", case_id="c2", layer="judge", risk_bearing=0.9)]
    publish_day(place, [trace("t1")], cases)
    (item,) = queue_of(place).valued
    assert [case.check for case in item.cases] == ["tone", "wrong_tool"]
    assert item.parts["risk"] == 0.9


def test_the_value_is_the_weighted_mean_of_its_parts(place: DataDir) -> None:
    """risk .5, no doubt, the only mode (frequency 1), 2 of 5 verdicts (scarcity .6), anomaly .4:

    (.30 * .5 + .25 * 0 + .20 * 1 + .15 * .6 + .10 * .4) / 1 = .48
    """
    names = ["t1", "t2", "t3"]
    publish_day(
        place,
        [trace(n) for n in names],
        [waiting(n, failure_mode_id="m1") for n in names],
        anomalies={"t1": 0.4},
    )
    say(place, "t2")
    say(place, "t3")
    (item,) = queue_of(place).valued
    assert item.parts == pytest.approx(
        {"risk": 0.5, "uncertainty": 0.0, "frequency": 1.0, "scarcity": 0.6, "anomaly": 0.4}
    )
    assert item.value == pytest.approx(0.48)


def grade(name: str, verdict: str, layer: str = "judge", score: float | None = None) -> dict:
    return {
        "trace_id": name, "check": "tone" if layer == "judge" else "polite", "axis": "tone",
        "grader_id": layer, "layer": layer, "verdict": verdict, "score": score,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("grades", "doubt"),
    [
        ([grade("t1", "unknown")], 1.0),
        ([grade("t1", "fail", score=0.25)], 0.5),
        ([grade("t1", "pass", score=1.0)], 0.0),
        ([grade("t1", "pass", score=1.0), grade("t1", "fail", "rule")], 1.0),
        ([grade("t1", "error")], 0.0),
        ([], 0.0),
    ],
)
def test_doubt_is_what_the_graders_do_not_know(place: DataDir, grades: list, doubt: float) -> None:
    publish_day(place, [trace("t1")], [waiting("t1")], grades)
    (item,) = queue_of(place).valued
    assert item.parts["uncertainty"] == pytest.approx(doubt)


def test_graver_cases_come_first(place: DataDir) -> None:
    risks = {"t1": 0.2, "t2": 1.0, "t3": 0.6}
    publish_day(
        place, [trace(n) for n in risks], [waiting(n, risk_bearing=r) for n, r in risks.items()]
    )
    assert waits(place) == ["t2", "t3", "t1"]


def test_one_mode_does_not_take_the_whole_day(place: DataDir) -> None:
    settings(place, random_per_day=0, double_share=0, per_mode_and_day=3)
    names = [f"t{n}" for n in range(6)]
    cases = [waiting(n, failure_mode_id="m1") for n in names[:5]]
    publish_day(place, [trace(n) for n in names], [*cases, waiting("t5", failure_mode_id="m2")])
    queue = queue_of(place)
    assert (len(queue.valued), len(queue.held)) == (4, 2)
    say(place, "t0", "bad")  # today: two more of that mode, and the other one
    assert (len(queue_of(place).valued), len(queue_of(place).held)) == (3, 2)
    tomorrow = queue_of(place, NOW + timedelta(days=1))
    assert (len(tomorrow.valued), len(tomorrow.held)) == (4, 1)


def test_where_people_are_divided_one_more_is_asked(place: DataDir) -> None:
    publish_day(place, [trace("t1")], [waiting("t1")])
    say(place, "t1", "good")
    say(place, "t1", "bad", annotator_id="ben")
    (item,) = queue_of(place).valued
    assert (item.category, item.wanted, item.parts["uncertainty"]) == ("disagreement", 3, 1.0)
    say(place, "t1", "bad", annotator_id="cleo")
    assert waits(place) == []


def test_where_nobody_could_decide_somebody_else_is_asked(place: DataDir) -> None:
    publish_day(place, [trace("t1")], [waiting("t1")])
    say(place, "t1", "partial")
    (item,) = queue_of(place).valued
    assert (item.category, item.wanted) == ("no_pattern", 2)
    assert serve(queue_of(place), "anna").item is None
    assert serve(queue_of(place), "ben").item is not None


def test_a_share_of_the_traces_is_seen_by_two(place: DataDir) -> None:
    settings(place, random_per_day=0, double_share=1)
    publish_day(place, [trace("t1")], [waiting("t1")])
    say(place, "t1", "good")
    assert waits(place) == ["t1"]
    say(place, "t1", "good", annotator_id="ben")
    assert waits(place) == []


def test_a_second_look_is_asked_for_at_what_the_first_brought_into_the_suite(
    place: DataDir,
) -> None:
    settings(place, random_per_day=0, double_share=1)
    cases = [waiting("t1"), waiting("t2"), waiting("t3", decision="promoted")]
    publish_day(place, [trace("t1"), trace("t2"), trace("t3")], cases)
    publish_suite(place, "case-t1", "case-t2", "case-t3")
    say(place, "t1", "bad")
    say(place, "t3", "bad")  # that one was promoted anyway
    assert waits(place) == ["t1"]
    say(place, "t1", "bad", annotator_id="ben")
    assert waits(place) == []


def test_the_draw_has_the_chance_that_it_states(place: DataDir) -> None:
    """40 of 1,000 on average; the count of one draw lies within 4 standard deviations (25)."""
    settings(place, random_per_day=40)
    publish_day(place, [trace(f"t{n}") for n in range(1000)])
    drawn = queue_of(place).drawn
    assert {item.inclusion_probability for item in drawn} == {0.04}
    assert 15 <= len(drawn) <= 65
    assert all(item.category == RANDOM and item.blind and not item.cases for item in drawn)


def test_a_small_day_is_drawn_whole(place: DataDir) -> None:
    settings(place, random_per_day=10)
    publish_day(place, [trace(f"t{n}") for n in range(7)])
    assert [item.inclusion_probability for item in queue_of(place).drawn] == [1.0] * 7


def test_the_draw_depends_on_no_verdict_and_a_late_trace_displaces_hardly_any(
    place: DataDir,
) -> None:
    settings(place, random_per_day=20)
    names = [f"t{n}" for n in range(200)]
    publish_day(place, [trace(n) for n in names])
    before = queue_of(place)
    publish_day(place, [trace(n) for n in [*names, "late"]], [waiting(n) for n in names])
    after = queue_of(place)
    # p falls from .1 to .0995: only hashes between the two, or the late trace, may differ
    differing = before.draw.keys() ^ after.draw.keys()
    assert all(before.draw[n].place >= 20 / 201 for n in differing - {"late"})
    order = [item.trace_id for item in after.drawn if item.trace_id != "late"]
    assert order == [i.trace_id for i in before.drawn if i.trace_id in after.draw]


def test_a_waiting_case_that_was_drawn_is_shown_blind_until_the_draw_is_old(place: DataDir) -> None:
    settings(place, random_per_day=10, random_days=2, double_share=0)
    publish_day(place, [trace("t1")], [waiting("t1")])
    queue = queue_of(place)
    assert ([i.trace_id for i in queue.drawn], queue.valued) == (["t1"], ())
    publish_day(place, [], day="2026-11-11")
    publish_day(place, [trace("t9")], day="2026-11-11")
    queue = queue_of(place)
    assert [i.trace_id for i in queue.drawn] == ["t9"]
    assert [i.trace_id for i in queue.valued] == ["t1"]


def test_a_verdict_with_the_judge_in_view_does_not_end_a_blind_look(place: DataDir) -> None:
    settings(place, random_per_day=10, double_share=0)
    publish_day(place, [trace("t1")])
    say(place, "t1", "good", blind=False)
    assert len(queue_of(place).drawn) == 1
    say(place, "t1", "good", annotator_id="ben", blind=True)
    assert queue_of(place).drawn == ()


def test_the_newest_day_is_shown_first_and_an_old_draw_no_more(place: DataDir) -> None:
    settings(place, random_per_day=10, random_days=3)
    for day in ("2026-11-05", "2026-11-08", "2026-11-09"):
        publish_day(place, [trace(f"t-{day}")], day=day)
    assert [str(item.day) for item in queue_of(place).drawn] == ["2026-11-09", "2026-11-08"]
