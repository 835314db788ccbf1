"""What creeps up becomes a case where a check can tell, and a question to a person elsewhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.failures.slow import slow_mode_id
from pipeline.promotion import Answer, World, read_case, replay, self_check
from pipeline.registry import NamedMode
from pipeline.suite import assemble_suite
from tests.pipeline.promotion.hand_made import (
    MONDAY,
    Chat,
    all_days,
    annotations,
    apart,
    creeps,
    decisions,
    registry,
    slow,
)

RETRIES = creeps(slow("track_parcel", "retries", 0.1))
TOLD = (
    "Retries of track_parcel have crept up since the week of 2026-09-14, from 0.1 to 0.4 a "
    "conversation (q = 0.01); this conversation made 1."
)


def fine(number: int, **fields: Any) -> Chat:
    """A conversation that passes every check."""
    return apart(number, fails={}, **fields)


def again(number: int, **fields: Any) -> Chat:
    """One that passes every check, and looks up what it has just looked up."""
    return fine(number, calls=("ok", "ok"), **fields)


def rows_of(made: Any) -> dict[str, dict[str, Any]]:
    made.counts.check("promoted_cases")
    return {row["trace_id"]: row for row in made.frame.to_dicts()}


def checks_of(row: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = orjson.loads(row["case"])["checks"]
    return found


def test_an_answered_call_made_again_is_promoted_with_a_check_that_counts_it() -> None:
    rows = rows_of(decisions([fine(1), again(2)], slow=RETRIES))
    assert set(rows) == {"t2"}
    row = rows["t2"]
    assert (row["decision"], row["self_check"]) == ("promoted", "uncorrected")
    # 1.5 times 0.1 allows for no call
    assert checks_of(row) == [{"kind": "calls_made_again", "most": 0}]
    assert row["reasons"][0] == TOLD
    assert row["reasons"][1].startswith("A pattern: a trend over 7 weeks, and 1 conversations")
    assert row["failure_mode_id"] == slow_mode_id("track_parcel", "retries")
    case = orjson.loads(row["case"])
    assert case["title"] == "Retries creep up (track_parcel, get_order)"
    assert case["provenance"]["evidence"] == ["span:s2"]
    assert case["expected"].endswith("The agent makes no call again that had been answered.")


def test_its_scores_say_how_long_and_how_far_it_crept() -> None:
    (row,) = decisions([fine(1), again(2)], slow=RETRIES).frame.to_dicts()
    # P: one trace and seven weeks, eight days, two users. R: low and low. O: 1 over 0.1 is ten
    # times, and three are full marks. M: found one week ago. E: eight days of three.
    assert [row[name] for name in (
        "patterned", "risk_bearing", "operationally_costly", "missed_offline", "observable",
        "teachable", "enduring",
    )] == [1.0, 0.2, 1.0, 0.5, 1.0, 1.0, 1.0]  # fmt: skip


def test_a_call_that_had_failed_is_a_question_about_the_tool() -> None:
    rows = rows_of(decisions([fine(1, calls=("error", "ok"))], slow=RETRIES))
    row = rows["t1"]
    assert (row["decision"], row["blocked_by"]) == ("review", ["not_teachable"])
    assert row["reasons"][0] == TOLD
    assert "Look at the tool first." in row["reasons"][1]


LEVELS = creeps(
    slow("track_parcel", "tokens", 400.0, creeping=False, since=None),
    slow("track_parcel", "turns", 2.0),
    slow("order_status", "tokens", 400.0),
    slow("missing_parcel", "cost_usd", 0.002),
    slow("missing_parcel", "tokens", 400.0, creeping=False, since=None),
)
CEILINGS = [
    # 1.5 times two turns, 400 tokens; the cost is twice what it was, and so are its tokens
    ({"intent": "track_parcel", "turns": 4}, {"most_turns": 3}, "took 4."),
    ({"intent": "order_status", "tokens": 1601}, {"most_tokens": 600}, "took 1,601."),
    (
        {"intent": "missing_parcel", "cost": 0.004, "tokens": 800},
        {"most_tokens": 600},
        "cost 0.004 dollars.",
    ),
]


@pytest.mark.parametrize(("fields", "ceiling", "told"), CEILINGS)
def test_turns_tokens_and_cost_are_held_to_what_the_intent_took_before(
    fields: dict[str, Any], ceiling: dict[str, int], told: str
) -> None:
    row = rows_of(decisions([fine(1, **fields)], slow=LEVELS))["t1"]
    assert row["decision"] == "promoted"
    assert checks_of(row) == [{"kind": "effort"} | ceiling]
    assert row["reasons"][0].endswith(f"this conversation {told}")


WITHIN = [
    {"intent": "track_parcel", "turns": 3},  # 1.5 times two is no more than that
    {"intent": "track_parcel", "tokens": 5000},  # tokens do not creep up there
    {"intent": "order_status", "tokens": 600},
]


@pytest.mark.parametrize("fields", WITHIN)
def test_what_its_intent_always_took_shows_no_creep(fields: dict[str, Any]) -> None:
    assert decisions([fine(1, **fields)], slow=LEVELS).frame.is_empty()


NO_CHECK = [
    ({"cost": 0.004, "tokens": 500}, "cost_usd", 0.002, "its tokens do not show it"),
    ({"signals": ("contradiction",)}, "complaints", 0.9, "not what the agent should have done"),
    ({"tokens": 500}, "tokens", 0.0, "there is no ceiling"),
    ({"turns": 2}, "turns", 0.0, "there is no ceiling"),
]


@pytest.mark.parametrize(("fields", "metric", "baseline", "reason"), NO_CHECK)
def test_what_no_check_can_tell_goes_to_a_person(
    fields: dict[str, Any], metric: str, baseline: float, reason: str
) -> None:
    frame = creeps(slow("track_parcel", metric, baseline, value=1.0, passing=1.0))
    row = rows_of(decisions([fine(1, **fields)], slow=frame))["t1"]
    assert row["decision"] == "review"
    assert "not_teachable" in row["blocked_by"]
    assert checks_of(row) == []
    assert reason in row["reasons"][1]


def test_retries_where_there_were_none_are_counted_from_the_first() -> None:
    frame = creeps(slow("track_parcel", "retries", 0.0, passing=0.3))
    row = rows_of(decisions([again(1)], slow=frame))["t1"]
    assert row["decision"] == "promoted"
    assert row["operationally_costly"] == 1.0
    assert checks_of(row) == [{"kind": "calls_made_again", "most": 0}]


def test_the_limit_allows_for_what_was_usual() -> None:
    # 1.5 times 0.8 is 1.2: one call may be made again, and the second is one too many
    frame = creeps(slow("track_parcel", "retries", 0.8))
    made = decisions([again(1), fine(2, calls=("ok", "ok", "ok"))], slow=frame)
    row = rows_of(made)["t2"]
    assert checks_of(row) == [{"kind": "calls_made_again", "most": 1}]
    assert orjson.loads(row["case"])["provenance"]["evidence"] == ["span:s3"]


def test_one_conversation_is_one_candidate() -> None:
    unhappy = {
        "scores": [{"name": "thumb", "value": 0.0, "label": "down", "source": "user"}],
        "escalated": False,
    }
    usual = [fine(n, tokens=400) for n in range(6)]
    dear = again(7, tokens=2000)
    failing = apart(8, calls=("ok", "ok"))
    borderline = again(9, unsure=("tone",), feedback=unhappy)
    rows = rows_of(decisions([*usual, dear, failing, borderline], slow=RETRIES))
    assert {name: row["check"] for name, row in rows.items()} == {
        "t7": "slow_failure_retries", "t8": "right_tool", "t9": "tone",
    }  # fmt: skip


def test_a_judge_that_cannot_tell_is_no_failure() -> None:
    assert set(rows_of(decisions([again(1, unsure=("tone",))], slow=RETRIES))) == {"t1"}


def test_what_creeps_in_a_release_is_held_to_what_each_intent_took() -> None:
    frame = creeps(
        slow("2026.11.2", "tokens", 900.0, scope="release"),
        slow("track_parcel", "tokens", 400.0, creeping=False, since=None),
        slow("order_status", "tokens", 2000.0, creeping=False, since=None),
    )
    of_it = {"release": "2026.11.2", "tokens": 1000}
    rows = rows_of(
        decisions(
            [fine(1, **of_it), fine(2, **of_it, intent="order_status"), fine(3, tokens=1000),
             fine(4, **of_it, intent="missing_parcel")],
            slow=frame,
        )
    )  # fmt: skip
    assert set(rows) == {"t1"}  # of the last intent nobody knows what it took
    assert rows["t1"]["reasons"][0].startswith("Tokens of release 2026.11.2 have crept up")
    assert checks_of(rows["t1"]) == [{"kind": "effort", "most_tokens": 600}]


NOTHING = [
    None,
    creeps(),
    creeps(slow("track_parcel", "retries", 0.1, creeping=False, since=None)),
    creeps(slow("order_status", "retries", 0.1)),
    # the conversations that failed are what rose, and they are candidates already
    creeps(slow("track_parcel", "retries", 0.1, passing_share=0.4)),
    creeps(slow("track_parcel", "retries", 0.1, passing_share=None)),
]


@pytest.mark.parametrize(
    ("metric", "found"), [("retries", {"t1"}), ("turns", set()), ("tokens", set())]
)
def test_what_nobody_planned_for_has_nothing_usual_to_be_held_to(
    metric: str, found: set[str]
) -> None:
    """An answered call made again is one, whatever was asked; a long conversation may be right."""
    chats = [again(1, intent="unknown", turns=9, tokens=9000)]
    assert set(rows_of(decisions(chats, slow=creeps(slow("unknown", metric, 0.1))))) == found


@pytest.mark.parametrize("frame", NOTHING)
def test_where_nothing_creeps_nothing_is_a_candidate(frame: pl.DataFrame | None) -> None:
    made = decisions([again(n) for n in range(4)], slow=frame)
    made.counts.check("promoted_cases")
    assert made.frame.is_empty()


def test_failures_of_a_mode_that_creeps_are_the_costlier_for_it() -> None:
    chats = [apart(n) for n in range(3)]
    before = decisions(chats)
    mode = before.frame["failure_mode_id"][0]
    frame = creeps(slow(mode, "turns", 2.0, scope="mode", passing=None, passing_share=None))
    made = decisions(chats, slow=frame)
    assert before.frame["operationally_costly"].to_list() == [0.0] * 3
    assert made.frame["operationally_costly"].to_list() == [0.5] * 3
    assert made.frame["check"].to_list() == ["right_tool"] * 3
    told = "Turns of this mode have crept up since the week of 2026-09-14, from 2 to 8 a conversat"
    assert all(any(r.startswith(told) for r in reasons) for reasons in made.frame["reasons"])


def test_a_day_takes_the_few_that_show_it_best() -> None:
    reg = registry(cases_per_variant=1)
    chats = [
        fine(1, calls=("error", "ok")),
        again(2, turns=3),
        again(3, turns=2),
        fine(4, calls=("ok", "ok", "ok"), completeness="partial"),
        again(5, turns=2),
        again(0, injection=True),
    ]
    rows = rows_of(decisions(chats, slow=RETRIES, reg=reg))
    # of equal retries the shortest conversation that needs nobody's look, by id; and one whose
    # tool had failed
    assert {name: row["decision"] for name, row in rows.items()} == {
        "t3": "promoted", "t1": "review",
    }  # fmt: skip
    assert "6 conversations of the day" in " ".join(rows["t3"]["reasons"])


def test_the_suite_keeps_one_case_of_a_variant_and_a_person_can_shut_its_mode() -> None:
    days = [decisions([again(n)], slow=RETRIES, day=MONDAY + timedelta(days=n)) for n in range(3)]
    reg = registry(cases_per_variant=1)
    suite = assemble_suite(all_days(*days), annotations(), None, None, reg)
    (case,) = suite.cases.values()
    assert case["check"] == "slow_failure_retries"
    ignored = NamedMode(
        id=slow_mode_id("track_parcel", "retries"), name="The shop's tool", state="ignored"
    )
    made = decisions([again(1)], slow=RETRIES, reg=registry(ignored))
    assert made.frame["blocked_by"].to_list() == [["ignored"]]


@settings(max_examples=10, deadline=None)
@given(seed=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(seed: Any) -> None:
    kinds = [("ok", "ok"), ("error", "ok"), ("ok",)]
    chats = [fine(n, calls=kinds[n % 3], tokens=300 * (n % 4), hour=n % 5) for n in range(12)]
    frame = creeps(slow("track_parcel", "retries", 0.1), slow("track_parcel", "tokens", 200.0))
    shuffled = [replace(chat) for chat in chats]
    seed.shuffle(shuffled)
    mixed = frame.sample(fraction=1.0, shuffle=True, seed=seed.randrange(1000))
    assert decisions(chats, slow=frame).frame.equals(decisions(shuffled, slow=mixed).frame)


def test_the_case_replays_and_tells_an_agent_that_looks_once_from_one_that_looks_twice() -> None:
    (row,) = decisions([again(1)], slow=RETRIES).frame.to_dicts()
    case = read_case(orjson.loads(row["case"]))

    def looks(times: int) -> bool | None:
        def agent(messages: Any, world: World) -> Answer:
            found = [world.call("get_order", {"order_id": "P-1"}) for _ in range(times)]
            return Answer((f"It is {found[-1].result}.",))

        return replay(case, agent).passed

    assert (looks(1), looks(2)) == (True, False)
    assert self_check(orjson.loads(row["case"]), None).verdict == "uncorrected"
