"""Rules about records and arguments: who may change what, and what had been looked up or said."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.grading.rules.reading import record_before, values_at
from pipeline.grading.rules.texts import Texts
from pipeline.registry.rules import Condition, KeptFields
from tests.pipeline.grading.checking import check, told
from tests.pipeline.grading.traces import START, agent, call, conversation, user


def booking(**changes: Any) -> dict[str, Any]:
    """The look-up of booking B-1: two nights in the blue room, made the day before."""
    record = {"booking_id": "B-1", "room": "blue", "fare": "saver", "guests": [{"n": 1}, {"n": 2}],
              "nights": [{"on": "2026-12-01"}, {"on": "2026-12-02"}], "beds": 2,
              "made_on": "2026-11-09T08:00:00", "cover": "no"}  # fmt: skip
    return call("get_booking", {"booking_id": "B-1"}, record | changes)


CANCEL = call("cancel", {"booking_id": "B-1"}, {"ok": True})
MAY_CANCEL = {
    "tools": ["cancel"],
    "same": "booking_id",
    "any_of": [
        {"field": "fare", "one_of": ["flex"]},
        {"field": "made_on", "within_days": 1},
        {"field": "cover", "one_of": ["yes"], "said": [r"\bill\b"]},
    ],
}


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([user("Cancel"), booking(), CANCEL], ("pass", None)),  # made on the day before
        ([user("Cancel"), booking(made_on="2026-11-08"), CANCEL], ("fail", "not_eligible")),
        ([user("Cancel"), booking(made_on="2026-11-08", fare="Flex"), CANCEL], ("pass", None)),
        # insured, but for another reason; then for the one that is covered
        ([user("Cancel"), booking(made_on="x", cover="yes"), CANCEL], ("fail", "not_eligible")),
        ([user("I am ill"), booking(made_on="x", cover="yes"), CANCEL], ("pass", None)),
        ([user("Cancel"), CANCEL], ("skipped", None)),  # nothing is known of it: see tool_order
        ([user("Cancel"), booking()], ("skipped", None)),
    ],
)
def test_eligibility(steps: list[dict[str, Any]], expected: tuple[str, str | None]) -> None:
    assert START.date() == date(2026, 11, 10)
    assert told(check("eligibility", MAY_CANCEL, [*steps, agent("So.")])) == expected


def test_without_a_name_any_record_of_the_conversation_counts() -> None:
    params = {"tools": ["pay"], "any_of": [{"field": "level", "one_of": ["gold"]}]}
    pay = call("pay", {"amount": 5}, {"ok": True})
    for level, verdict in (("gold", "pass"), ("plain", "fail")):
        profile = call("get_profile", {}, {"member": {"level": level}})
        assert check("eligibility", params, [user("Hi"), profile, pay]).verdict == verdict


def change(**arguments: Any) -> dict[str, Any]:
    return call("change", {"booking_id": "B-1"} | arguments, {"ok": True})


SWAPPED = [{"on": "2026-12-02"}, {"on": "2026-12-01"}]
LATER = [{"on": "2026-12-01"}, {"on": "2026-12-03"}]


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([booking(), change(nights=SWAPPED)], ("pass", None)),  # the order says nothing
        ([booking(), change(nights=LATER)], ("fail", "changed")),
        ([booking(fare="flex"), change(nights=LATER)], ("skipped", None)),
        # once the fare was changed the nights may be: the latest word on the record counts
        ([booking(), change(fare="flex"), change(nights=LATER)], ("pass", None)),
        ([booking(), change(guests=[{"n": 3}, {"n": 4}])], ("pass", None)),
        ([booking(), change(guests=[{"n": 3}])], ("fail", "changed")),
        ([booking(size=20), change(size=20.0)], ("pass", None)),
        ([booking(size=20), change(size=21)], ("fail", "changed")),
        ([booking(), change(beds=3)], ("pass", None)),
        ([booking(), change(beds=1)], ("fail", "changed")),
        ([change(beds=1)], ("skipped", None)),
    ],
)
def test_kept_fields(calls: list[dict[str, Any]], expected: tuple[str, str | None]) -> None:
    params = {
        "tools": ["change"],
        "same": "booking_id",
        "keep": ["nights.on", "size"],
        "keep_length": ["guests"],
        "not_less": ["beds"],
        "when": [{"field": "fare", "one_of": ["saver"]}],
    }
    assert told(check("kept_fields", params, [user("Change"), *calls, agent("So.")])) == expected


PROFILE = call("get_profile", {}, {"cards": {"card_7": {"id": "card_7", "kind": "gift_card"}}})


def pay(card: str, status: str = "ok") -> dict[str, Any]:
    return call("pay", {"by": [{"card": card}]}, {"ok": True}, status)


@pytest.mark.parametrize(
    ("sources", "steps", "expected"),
    [
        ([], [user("Pay"), PROFILE, pay("card_7")], ("pass", None)),
        ([], [user("Pay"), PROFILE, pay("card_77")], ("fail", "unknown_argument")),
        ([], [user("Pay with card_9"), pay("card_9")], ("pass", None)),
        # the user's word is no proof where only the profile counts
        (["get_profile"], [user("Pay with card_9"), PROFILE, pay("card_9")],
         ("fail", "unknown_argument")),
        ([], [user("Pay"), pay("card_9", "error")], ("skipped", None)),
    ],
)  # fmt: skip
def test_known_arguments(
    sources: list[str], steps: list[dict[str, Any]], expected: tuple[str, str | None]
) -> None:
    params = {"tools": ["pay"], "arguments": ["by.card"], "sources": sources}
    assert told(check("known_arguments", params, [*steps, agent("So.")])) == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([user("Pay"), PROFILE, pay("card_7")], ("fail", "unstated_argument")),
        ([user("Pay"), agent("With card_7?"), user("Yes."), pay("card_7")], ("pass", None)),
        ([user("Pay with my gift card"), PROFILE, pay("card_7")], ("pass", None)),
        ([user("Pay as last time"), PROFILE, pay("card_7")], ("pass", None)),
        # said too late: the agent tells of it after the deed
        ([user("Pay"), PROFILE, pay("card_7"), agent("I took your gift card.")],
         ("fail", "unstated_argument")),
    ],
)  # fmt: skip
def test_stated_arguments(steps: list[dict[str, Any]], expected: tuple[str, str | None]) -> None:
    params = {"tools": ["pay"], "arguments": ["by.card"], "described_by": ["kind"],
              "or_said": ["as last time"]}  # fmt: skip
    assert told(check("stated_arguments", params, [*steps, agent("So.")])) == expected


def test_a_date_is_stated_in_any_form() -> None:
    params = {"tools": ["book"], "arguments": ["on"]}
    book = call("book", {"on": "2026-12-01"}, {"ok": True})
    for words, verdict in (("on December 1st", "pass"), ("on 1 November", "fail")):
        assert check("stated_arguments", params, [user(words), book]).verdict == verdict


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([user("I lost my number"), agent("Then look for it.")], ("fail", "call_missing")),
        ([user("I lost my number"), PROFILE, agent("It is B-1.")], ("pass", None)),
        ([user("It is B-1"), agent("Thanks.")], ("skipped", None)),
    ],
)
def test_due_call(steps: list[dict[str, Any]], expected: tuple[str, str | None]) -> None:
    params = {"when": [r"\blost\b"], "tools": ["get_profile"]}
    assert told(check("due_call", params, steps)) == expected


HAND_OVER = call("hand_over", {}, "done")


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([user("Cancel"), CANCEL, agent("Done.")], ("pass", None)),
        ([user("Cancel"), CANCEL], ("fail", "unanswered")),
        ([user("Cancel"), agent("A moment."), CANCEL], ("fail", "unanswered")),
        ([user("A person!"), HAND_OVER], ("pass", None)),
        ([user("Cancel"), CANCEL, agent("Done."), user("Thanks.")], ("pass", None)),
        ([user("Hi"), agent("Hello.")], ("skipped", None)),
    ],
)
def test_unanswered_call(steps: list[dict[str, Any]], expected: tuple[str, str | None]) -> None:
    assert told(check("unanswered_call", {"closing": ["hand_over"]}, steps)) == expected


ASKED = agent("I cancel B-1 and refund 40.00. Shall I proceed?")
FAILED = call("cancel", {"booking_id": "B-1"}, {"error": "late"}, "error")


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([ASKED, user("Yes."), CANCEL], ("pass", None)),
        ([ASKED, user("Ja, bitte."), CANCEL], ("pass", None)),
        ([ASKED, user("To my card"), CANCEL], ("fail", "no_explicit_yes")),
        # the yes stands while only details are settled
        ([ASKED, user("Yes."), agent("To which card?"), user("The blue one"), CANCEL],
         ("pass", None)),
        # a yes to another question is none to this
        ([agent("Is it you, Ann?"), user("Yes."), CANCEL], ("fail", "no_explicit_yes")),
        ([ASKED, user("Yes."), CANCEL, agent("Done."), user("And B-2 as well"), CANCEL],
         ("fail", "no_explicit_yes")),
        ([ASKED, user("Which card?"), FAILED], ("pass", None)),
    ],
)  # fmt: skip
def test_an_explicit_yes(steps: list[dict[str, Any]], expected: tuple[str, str | None]) -> None:
    params = {"tools": ["cancel"], "explicit": True}
    spoken = [user("Cancel B-1"), *steps, agent("So.")]
    assert told(check("confirmation", params, spoken)) == expected


def test_what_was_just_made_has_been_seen() -> None:
    params = {"first": ["book"], "then": ["change"], "same": "booking_id"}
    made = call("book", {"room": "blue"}, {"booking": {"booking_id": "B-1"}})
    assert check("tool_order", params, [user("Book"), made, change(beds=1)]).verdict == "pass"
    other = call("book", {"room": "blue"}, {"booking": {"booking_id": "B-2"}})
    assert check("tool_order", params, [user("Book"), other, change(beds=1)]).verdict == "fail"


def test_a_record_is_found_inside_a_list_and_follows_later_changes() -> None:
    listed = call("list", {}, [{"booking_id": "B-2", "beds": 9}, {"booking_id": "B-1", "beds": 2}])
    told = conversation(user("?"), listed, change(room="red"), CANCEL)
    record = record_before(told, told.calls[-1], "booking_id", ("change",))
    # the change answered {"ok": true}, and set the room
    assert record == {"booking_id": "B-1", "beds": 2, "ok": True, "room": "red"}
    assert record_before(told, told.calls[0], "booking_id", ()) is None


def test_paths_lead_through_lists() -> None:
    nested = {"a": [{"b": 1}, {"b": [2, 3]}, {}, 4]}
    assert values_at(nested, "a.b") == [1, 2, 3]
    assert values_at(nested, "x.b") == values_at(None, "a") == []


def test_a_value_is_mentioned_as_whole_words_however_joined() -> None:
    told = Texts()
    for text in ("in Basic-Economy, please", "I know nothing of B-12", "for 5, in all"):
        told.add(text)
    assert [told.mention(v) for v in ("basic_economy", "BASIC ECONOMY", "b_12", 5)] == [True] * 4
    assert [told.mention(v) for v in ("no", "B-1", "economy basic", "in all please")] == [False] * 4


def test_a_rule_that_could_never_fail_is_refused() -> None:
    for wrong in ({}, {"field": "x"}, {"one_of": ["x"]}, {"within_days": 1}):
        with pytest.raises(ValidationError, match="give field with one_of or within_days"):
            Condition.model_validate(wrong)
    with pytest.raises(ValidationError, match="give keep, keep_length or not_less"):
        KeptFields.model_validate({"tools": ["t"], "same": "id"})
