"""One day's decisions, and the reasons for them."""

from __future__ import annotations

import random
from datetime import date, timedelta

import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.embedding import word_embedder
from pipeline.failures import consolidate_modes
from pipeline.promotion import Outcome, passes, read_checks
from pipeline.registry import NamedMode
from pipeline.tables import PROMOTED_CASES
from pipeline.windows import week
from tests.pipeline.promotion.hand_made import (
    MONDAY,
    Chat,
    apart,
    decisions,
    grades,
    registry,
    trusted,
)


def by_trace(frame: pl.DataFrame) -> dict[str, dict]:
    return {row["trace_id"]: row for row in frame.to_dicts()}


def case_of(row: dict) -> dict:
    return orjson.loads(row["case"])


PATTERN = [apart(n) for n in range(3)]  # three conversations, one mode, one intent


def test_a_pattern_that_can_be_checked_is_promoted():
    made = decisions(PATTERN)
    made.counts.check("promoted_cases")
    assert made.frame["decision"].to_list() == ["promoted"] * 3
    assert made.frame["case_id"].n_unique() == 3
    row = made.frame.row(0, named=True)
    # P: (3 - 1) / (3 - 1) * 0.5 + two users 0.25; one day adds nothing
    # R: stakes low 0.2, severity medium 0.6
    # O: one turn where the norm is unknown; M: never seen before; T: the check fails; E: one day
    scores = [row[name] for name in (
        "patterned", "risk_bearing", "operationally_costly", "missed_offline", "observable",
        "teachable", "enduring",
    )]  # fmt: skip
    assert scores == [0.75, 0.4, 0.0, 1.0, 1.0, 1.0, 0.0]
    assert "Its mean score is 0.59." in row["reasons"]  # 4.15 / 7


def test_the_case_replays_the_turn_and_its_check_tells():
    case = case_of(by_trace(decisions(PATTERN).frame)["t0"])
    assert [message["role"] for message in case["input"]["messages"]] == ["user"]
    assert case["tools"]["sequence"] == ["get_order"]
    assert case["tools"]["fixtures"][0]["result"] == '{"order_id": "P-1", "status": "shipped"}'
    assert case["expected"] == "A fitting tool is called. The agent calls track_shipment."
    (check,) = read_checks(case["checks"])
    assert passes(check, Outcome(texts=("",), calls=())) is False
    assert case["category"] == "happy_path"
    assert case["provenance"]["prompt_version"] == "p1"


def test_a_one_off_waits_for_a_pattern():
    row = by_trace(decisions([apart(0)]).frame)["t0"]
    assert row["decision"] == "rejected"
    assert row["blocked_by"] == ["low_score", "no_pattern"]
    assert "No pattern yet: 1 of 3 traces of this mode seen." in row["reasons"]


def test_a_one_off_of_high_stakes_and_severity_is_shown_to_a_person():
    row = by_trace(decisions([apart(0, stakes="high", severity="high")]).frame)["t0"]
    assert row["decision"] == "review"


def test_a_mode_is_no_pattern_for_an_intent_it_was_seen_in_once():
    stray = apart(7, intent="order_status")
    rows = by_trace(decisions([*PATTERN, stray]).frame)
    assert rows["t0"]["decision"] == "promoted"
    assert rows["t7"]["decision"] == "rejected"
    assert "no_pattern" in rows["t7"]["blocked_by"]


def test_what_the_weeks_before_saw_makes_the_pattern():
    window = week(MONDAY)
    before = consolidate_modes(
        grades(PATTERN).with_columns(pl.lit(MONDAY).alias("day")),
        None,
        registry(),
        word_embedder(),
        window,
    ).frame
    row = by_trace(
        decisions([apart(5)], modes_before=before, day=MONDAY + timedelta(days=9)).frame
    )["t5"]
    assert row["decision"] == "promoted"
    assert row["missed_offline"] == 0.5  # known for one week
    assert row["enduring"] == 0.5  # its second day of three


HARD = [
    ({"injection": True}, "injection_suspected"),
    ({"completeness": "partial"}, "partial_trace"),
    ({"evidence": ()}, "unexplained"),
    ({"tool": "track_shipment"}, "not_teachable"),  # the check passes on what was recorded
]


@pytest.mark.parametrize(("fields", "code"), HARD)
def test_what_is_never_promoted_by_itself_goes_to_a_person(fields, code):
    rows = by_trace(decisions([*PATTERN, apart(4, **fields)]).frame)
    assert rows["t4"]["decision"] == "review"
    assert code in rows["t4"]["blocked_by"]
    assert rows["t4"]["reasons"]


def judged(number: int, said: str = "It arrives on 24 December.") -> Chat:
    return apart(
        number, fails={"faithfulness": "judge"}, error_class="unsupported_claim", said=said,
        severity="high",
    )  # fmt: skip


@pytest.mark.parametrize("calibration", [None, trusted(), trusted("tone")])
def test_what_only_an_untrusted_judge_says_goes_to_a_person(calibration):
    made = decisions([judged(n) for n in range(3)], calibration=calibration)
    assert made.frame["decision"].to_list() == ["review"] * 3
    assert made.frame["blocked_by"].to_list() == [["untrusted_judge"]] * 3


def test_a_trusted_judge_promotes_what_a_check_can_tell():
    calibration = trusted("faithfulness")
    made = by_trace(decisions([judged(n) for n in range(3)], calibration=calibration).frame)
    assert made["t0"]["decision"] == "promoted"
    kinds = [check["kind"] for check in case_of(made["t0"])["checks"]]
    assert kinds == ["facts_supported", "rubric"]


def test_a_judge_that_could_not_tell_and_an_unhappy_user_make_a_borderline_case():
    unhappy = {
        "scores": [{"name": "thumb", "value": 0.0, "label": "down", "source": "user"}],
        "escalated": False,
    }
    chats = [
        Chat("sad", fails={}, unsure=("completeness", "tone"), feedback=unhappy),
        Chat("odd", asked="How odd is that?", fails={}, unsure=("tone",), anomaly=0.9),
        Chat("fine", asked="Is that fine?", fails={}, unsure=("tone",)),
    ]
    made = decisions(chats)
    made.counts.check("promoted_cases")
    # two axes of one trace are one question to a person
    assert (made.counts.records_in, made.counts.records_out, made.counts.duplicates) == (3, 2, 1)
    rows = by_trace(made.frame)
    assert set(rows) == {"sad", "odd"}
    assert {row["decision"] for row in rows.values()} == {"review"}
    assert "the user's feedback is negative" in rows["sad"]["reasons"][0]


def test_a_pass_at_a_cost_far_beyond_its_intents_norm_is_a_candidate():
    usual = [apart(n, fails={}, tokens=400) for n in range(6)]
    dear = [apart(n, fails={}, tokens=2000, turns=2) for n in (7, 8, 9)]
    rows = by_trace(decisions([*usual, *dear]).frame)
    assert set(rows) == {"t7", "t8", "t9"}
    # six of nine traces have 400 tokens: the median is 400, three times that is the limit
    assert case_of(rows["t7"])["checks"] == [
        {"kind": "effort", "most_turns": 3, "most_tokens": 1200}
    ]
    assert rows["t7"]["teachable"] == 1.0
    assert rows["t7"]["operationally_costly"] == 1.0  # five times the median, three is the limit
    assert rows["t7"]["check"] == "costly_pass"


def test_twins_of_a_day_share_the_case_of_the_earliest():
    chats = [
        Chat("late", asked="Where is my parcel 4471, please tell PERSON_KQXZBTRWMNPD", hour=15),
        Chat("early", asked="Where is my parcel 9, please tell PERSON_BCDFGHJKLMNP", hour=8),
        Chat("other", asked="I never got the green lamp that I ordered for my sister", hour=7),
    ]
    rows = by_trace(decisions(chats).frame)
    assert rows["late"]["case_id"] == rows["early"]["case_id"] != rows["other"]["case_id"]
    assert rows["late"]["duplicate_group"] == rows["early"]["duplicate_group"]
    assert rows["late"]["split"] == rows["early"]["split"]
    assert any("near-duplicate of trace early" in reason for reason in rows["late"]["reasons"])
    alone = by_trace(decisions(chats[1:]).frame)
    assert alone["early"]["case_id"] == rows["early"]["case_id"]


def test_two_checks_of_one_conversation_are_two_cases_in_one_split():
    chat = apart(0, fails={"right_tool": "rule", "tone": "judge"})
    frame = decisions([chat]).frame
    assert frame["case_id"].n_unique() == 2
    assert frame["split"].n_unique() == 1


def test_a_day_keeps_the_best_cases_of_one_lesson_and_lays_the_rest_aside():
    frame = decisions([apart(n) for n in range(5)]).frame
    assert sorted(frame["decision"]) == ["promoted"] * 3 + ["rejected"] * 2
    covered = frame.filter(pl.col("decision") == "rejected")
    assert covered["blocked_by"].to_list() == [["covered"]] * 2


def test_a_symptom_beside_its_cause_is_no_case():
    chats = [
        apart(n, fails={"right_tool": "rule", "customer_complained": "rule"}) for n in range(3)
    ]
    symptoms = decisions(chats).frame.filter(pl.col("check") == "customer_complained")
    assert symptoms["decision"].to_list() == ["rejected"] * 3
    assert "right_tool failed on the same trace" in symptoms["reasons"][0][0]


def test_an_ignored_mode_is_rejected():
    ignored = NamedMode(id="fine_by_us", name="Fine by us", checks=("right_tool",), state="ignored")
    made = decisions(PATTERN, reg=registry(ignored))
    assert made.frame["decision"].to_list() == ["rejected"] * 3


def test_an_empty_day_is_an_empty_typed_frame():
    made = decisions([apart(0, fails={})])
    assert made.frame.schema == PROMOTED_CASES.schema
    assert made.frame.height == 0
    made.counts.check("promoted_cases")


@settings(max_examples=15, deadline=None)
@given(
    numbers=st.lists(st.integers(0, 40), min_size=1, max_size=12, unique=True),
    seed=st.randoms(use_true_random=False),
)
def test_the_order_of_rows_changes_nothing(numbers, seed):
    failing = ({"right_tool": "rule"}, {"tone": "judge"}, {"right_tool": "rule"}, {})
    # what fails nothing is a good answer to corrupt, so it has a part in what the others say
    chats = [
        apart(n, hour=n % 5, fails=failing[n % 4], tool="get_order" if n % 4 else "track_shipment")
        for n in numbers
    ]
    shuffled = list(chats)
    seed.shuffle(shuffled)
    assert decisions(chats).frame.equals(decisions(shuffled).frame)


def test_every_candidate_of_a_large_day_has_a_decision():
    draw = random.Random(3)
    chats = [
        apart(
            n,
            fails={draw.choice(["right_tool", "injection"]): "rule"},
            intent=draw.choice(["track_parcel", "order_status", "unknown"]),
            hour=draw.randrange(24),
        )
        for n in range(1000)
    ]
    made = decisions(chats, day=date(2026, 11, 3))
    made.counts.check("promoted_cases")
    assert made.counts.records_in == 1000
    assert made.frame["reasons"].list.len().min() >= 1
