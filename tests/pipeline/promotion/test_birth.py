"""What a case shows of itself when it is made: it tells bad from good, or a person looks at it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.promotion import Outcome, read_checks, self_check
from pipeline.promotion.check_kinds import Check
from pipeline.promotion.checks import passes
from pipeline.promotion.trials.birth import try_again, try_case
from pipeline.promotion.trials.corruptions import DUTIES, corrupt
from pipeline.registry import Rule
from tests.pipeline.promotion.hand_made import Chat, apart, decisions, registry, trusted
from tests.pipeline.promotion.test_checks import CASES

KINDS = {case[0]["kind"]: case for case in CASES}


def invented(number: int, **fields: Any) -> Chat:
    """An answer that names a date which nothing before it gives."""
    return apart(
        number, fails={"faithfulness": "judge"}, error_class="unsupported_claim",
        said="It arrives on 24 December.", severity="high", **fields,
    )  # fmt: skip


def corrected(text: str | None) -> dict[str, Any]:
    return {"scores": [], "escalated": False, "correction": text}


def decided(*chats: Chat, **settings: Any) -> dict[str, dict[str, Any]]:
    made = decisions(chats, reg=registry(**settings), calibration=trusted("faithfulness"))
    made.counts.check("promoted_cases")
    return {row["trace_id"]: row for row in made.frame.to_dicts()}


TRIED = [
    (None, "uncorrected", "promoted"),
    ("It has been shipped.", "proved", "promoted"),
    ("It arrives on 25 December.", "fails_on_good", "review"),  # as unsupported as the other
]


@pytest.mark.parametrize(("correction", "verdict", "decision"), TRIED)
def test_checks_are_tried_on_the_correction_in_the_trace(
    correction: str | None, verdict: str, decision: str
) -> None:
    rows = decided(*(invented(n, feedback=corrected(correction)) for n in range(3)))
    assert {row["self_check"] for row in rows.values()} == {verdict}
    assert {row["decision"] for row in rows.values()} == {decision}
    case = orjson.loads(rows["t0"]["case"])
    assert case["birth"]["self_check"] == verdict
    if verdict == "fails_on_good":
        assert rows["t0"]["blocked_by"] == ["fails_on_good"]
        assert "(facts_supported) fail on the corrected output too" in rows["t0"]["reasons"][0]


def case_of_a_wrong_tool() -> dict[str, Any]:
    case: dict[str, Any] = orjson.loads(decisions([apart(n) for n in range(3)]).frame["case"][0])
    return case


SAID = [
    (None, "uncorrected"),
    # words say nothing of calls
    ("It is in Leipzig.", "uncorrected"),
    ('{"content": "It is in Leipzig.", "tool_calls": [{"name": "track_shipment"}]}', "proved"),
    (
        '{"tool_calls": [{"function": {"name": "get_order", "arguments": "{}"}}]}',
        "fails_on_good",
    ),
]


@pytest.mark.parametrize(("said", "verdict"), SAID)
def test_a_correction_may_name_the_calls_that_were_due(said: str | None, verdict: str) -> None:
    found = self_check(case_of_a_wrong_tool(), said)
    assert found.verdict == verdict
    assert found.tells == (verdict != "fails_on_good")


def test_a_correction_of_a_trace_speaks_of_its_last_turn() -> None:
    case = case_of_a_wrong_tool()
    case["recorded"]["last_turn"] = False
    said = '{"tool_calls": [{"name": "get_order"}]}'
    assert self_check(case, said).verdict == "uncorrected"


def test_a_correction_that_comes_later_is_tried_as_well() -> None:
    row = decided(*(invented(n) for n in range(3)))["t0"]
    case = orjson.loads(row["case"])
    assert case["birth"] == {"self_check": "uncorrected", "mutations": None}
    found, birth = try_again(case, "It has been shipped, the number is 4.")
    assert found.verdict == "fails_on_good"  # nothing gives the number
    assert birth == {
        "self_check": "fails_on_good",
        "failed_on_good": ["facts_supported"],
        "mutations": None,
    }
    found, birth = try_again(case, "Order P-1 has been shipped.")
    assert found.verdict == birth["self_check"] == "proved"
    assert birth["mutations"]["good"] == "correction"
    assert birth["mutations"]["duties"] == ["changed_id"]
    assert "changed_id" not in birth["mutations"]["missed"]
    # without a correction what was measured stays
    assert try_again(case | {"birth": birth}, None)[1]["mutations"] == birth["mutations"]


def test_a_case_whose_checks_were_edited_away_tells_nothing() -> None:
    assert self_check(case_of_a_wrong_tool() | {"checks": []}, None).verdict == "passes_on_bad"


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_check_does_its_duties_on_an_answer_to_which_they_apply(kind: str) -> None:
    raw, good, bad = KINDS[kind]
    (check,) = read_checks([raw])
    if kind in ("tool_not_called", "not_contains", "does_not_say"):
        good = replace(good, texts=good.texts or ("Yes.",))
    found = {one.name: passes(check, one.outcome) for one in corrupt(good, bad, (check,))}
    owed = [name for name in DUTIES[type(check)] if name in found]
    assert owed
    assert {name: found[name] for name in owed} == dict.fromkeys(owed, False)


def test_every_kind_of_check_has_its_duties_named() -> None:
    assert set(DUTIES) == set(Check.__args__[0].__args__)  # type: ignore[attr-defined]


def test_a_small_corruption_changes_one_thing() -> None:
    good = Outcome(("It costs 40.00 EUR and arrives on 2026-11-09 [HC-101], see P-12345.",), ())
    made = {one.name: one.outcome.answer for one in corrupt(good, Outcome((), ()), ())}
    assert made["changed_amount"] == good.answer.replace("40.00", "50.00")
    assert made["changed_date"] == good.answer.replace("2026-11-09", "2026-21-09")
    assert made["changed_id"] == good.answer.replace("HC-101", "HC-201")
    assert made["dropped_citation"] == good.answer.replace(" [HC-101]", "")
    assert made["foreign_citation"] == good.answer.replace("HC-101", "HC-99999")
    assert "changed_number" not in made  # there is none
    assert "removed_calls" not in made


@given(text=st.text(max_size=200) | st.from_regex(r"[ -~]{0,40}[0-9]{1,6}[ -~]{0,40}"))
def test_whatever_an_answer_says_a_corruption_of_it_says_something_else(text: str) -> None:
    good = Outcome((text,), ())
    for one in corrupt(good, Outcome(("No.",), ()), ()):
        assert one.outcome.answer != text
        assert one.outcome.calls == ()


FINE = apart(7, fails={}, tool="track_shipment", said="It left Leipzig.")


def test_a_passing_answer_of_the_same_intent_is_corrupted() -> None:
    row = decided(*(apart(n) for n in range(3)), FINE)["t0"]
    born = orjson.loads(row["case"])["birth"]["mutations"]
    # of seven corruptions a check for the tool sees the two that touch which tool is called
    assert born["good"] == "passing_answer"
    assert born["duties"] == ["removed_calls", "wrong_tool"]
    assert born["caught"] == row["mutations_caught"] == 2
    assert born["of"] == row["mutations_tried"] == 2 + len(row["mutations_missed"])
    assert "truncated" in row["mutations_missed"]


def test_without_a_good_answer_nothing_is_measured_and_nothing_held_against_the_case() -> None:
    row = decided(*(apart(n) for n in range(3)))["t0"]
    assert (row["mutations_caught"], row["mutations_missed"]) == (None, [])
    assert row["decision"] == "promoted"


def test_checks_that_miss_what_they_are_there_for_go_to_a_person() -> None:
    good = "Where it is: order P-1, and it is number 1 of 1."
    raised = "It is P-1 and it is number 1 of 1."
    (check,) = read_checks([{"kind": "contains", "any_of": ["e"]}])  # nearly anything passes
    bad = Outcome(("Ok.",), ())
    born = try_case((check,), bad, good, ())
    assert born.mutations is not None
    assert born.mutations.good == "correction"
    assert born.mutations.neglected == ("evasive_answer",)
    assert born.mutations.reliability == 0.0
    assert try_case((check,), bad, None, [Outcome((raised,), ())]).told()["mutations"]["of"] > 0


LENIENT = Rule.model_validate(
    {"id": "says_e", "kind": "phrases", "title": "So", "params": {"required": ["e"]}}
)  # nearly every answer passes


@pytest.mark.parametrize(("floor", "decision"), [(0.0, "promoted"), (1.0, "review")])
def test_the_floor_for_the_duties_is_a_setting(floor: float, decision: str) -> None:
    reg = registry(mutation_floor=floor)
    reg = replace(reg, rules=(*reg.rules, LENIENT))
    failing = [apart(n, fails={"says_e": "rule"}, said="Oh no") for n in range(3)]
    good = apart(7, fails={}, said="Let us see.", passes=("says_e",))
    rows = decisions([*failing, good], reg=reg).frame.to_dicts()
    assert {row["decision"] for row in rows} == {decision}
    if decision == "review":
        assert rows[0]["blocked_by"] == ["weak_checks"]
        assert "let 1 of the 1 corruptions pass" in rows[0]["reasons"][0]
        assert "evasive_answer" in rows[0]["reasons"][0]


def test_a_case_that_may_hold_personal_data_waits_for_a_person() -> None:
    chats = [apart(n, said="Write to jane.doe@example.org, it left.") for n in range(3)]
    made = decisions(chats).frame
    assert made["decision"].to_list() == ["review"] * 3
    assert made["blocked_by"].to_list() == [["residue"]] * 3
    assert made["reasons"][0][0].startswith("The case may hold personal data (EMAIL_ADDRESS)")
    assert not made.filter(pl.col("reasons").list.join(" ").str.contains("jane")).height
