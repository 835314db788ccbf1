"""Every signal of the embedded judge, by hand: what speaks against an answer, what for it."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.grading import Case
from pipeline.grading.judge import EmbeddedJudge
from pipeline.registry import Axis, Intent
from tests.pipeline.grading.traces import agent, call, conversation, search, user

RUBRIC = tuple(
    Axis(id=name, definition="d", passes_when="p", apology_intents=owed)
    for name, owed in (
        ("helpfulness", ()),
        ("faithfulness", ()),
        ("completeness", ()),
        ("tone", ("refund",)),
    )
)
ORDER = call("get_order", {"order_id": "P-12345678"}, {"eta": "2026-11-14", "total": 40.0})


def judged(axis: str, *steps: dict[str, Any], intent: str | None = None) -> tuple[str, str | None]:
    """Verdict and code on one axis."""
    known = Intent(id=intent, title=intent, exemplars=("x",)) if intent else None
    [found] = EmbeddedJudge(RUBRIC).judge([Case(conversation(*steps), known)])
    word = next(j for j in found if j.axis == axis)
    return word.verdict, word.error_class


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("It arrives on 14 November.", ("pass", None)),
        ("It arrives on 15 November.", ("fail", "unsupported_fact")),
        ("P-12345678 comes to 40.00 EUR.", ("pass", None)),
        ("P-12345679 comes to 40.00 EUR.", ("fail", "unsupported_fact")),
        ("It is on its way.", ("unknown", None)),  # nothing that could be checked
        ("I have cancelled it for you.", ("fail", "claimed_action")),
        ("I have not cancelled anything.", ("unknown", None)),
        ("Nothing has been changed.", ("unknown", None)),
        ("Ich habe die Bestellung für Sie storniert.", ("fail", "claimed_action")),
    ],
)
def test_faithfulness(answer: str, expected: tuple[str, str | None]) -> None:
    assert judged("faithfulness", user("Where is P-12345678?"), ORDER, agent(answer)) == expected


def test_an_action_is_believed_where_a_call_could_have_done_it() -> None:
    ask, claim = user("Cancel P-12345678."), agent("I have cancelled it.")
    done = call("cancel_order", {"order_id": "P-12345678"}, {"cancelled": True})
    refused = call("cancel_order", {"order_id": "P-12345678"}, {"cancelled": False})
    failed = call("cancel_order", {"order_id": "P-12345678"}, {}, "error")
    assert judged("faithfulness", ask, done, claim)[0] == "unknown"
    assert judged("faithfulness", ask, refused, claim) == ("fail", "claimed_action")
    assert judged("faithfulness", ask, failed, claim) == ("fail", "claimed_action")


def test_the_users_word_against_the_answers() -> None:
    steps = [user("Where is P-12345678?"), ORDER, agent("It arrives on 14 November.")]
    assert judged("faithfulness", *steps, user("That's wrong.")) == ("fail", "user_contradicts")
    assert judged("helpfulness", *steps, user("That's wrong.")) == ("fail", "user_complains")
    assert judged("helpfulness", *steps, user("Thank you!")) == ("pass", None)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("It arrives on 14 November.", ("pass", None)),
        ("Your parcel is being transported.", ("fail", "result_not_passed_on")),
        ("Please visit our website for that.", ("fail", "deflected")),
        ("I'm handing this over to a colleague.", ("unknown", None)),
        ("Do you mean the blue one?", ("unknown", None)),
    ],
)
def test_helpfulness(answer: str, expected: tuple[str, str | None]) -> None:
    steps = [user("When does the blue jacket arrive?"), ORDER, agent(answer)]
    assert judged("helpfulness", *steps) == expected


def test_what_an_answer_worked_out_may_be_said_again() -> None:
    seats = call("get_seats", {}, [{"price": 282}])
    back = call("get_seats", {"way": "back"}, [{"price": 443}])
    sum_shown = [user("And both?"), back, agent("$282 and $443, that is $725.")]
    again = [user("So?"), agent("It stays at $725.")]
    assert judged("faithfulness", user("Price?"), seats, agent("$282."), *sum_shown, *again) == (
        "pass",
        None,
    )
    new = [user("So?"), agent("It is $727 now.")]
    assert judged("faithfulness", user("Price?"), seats, agent("$282."), *sum_shown, *new) == (
        "fail",
        "unsupported_fact",
    )


def test_who_asks_for_what_is_missing_and_says_where_it_stands_deflects_nobody() -> None:
    asked = [user("When does the blue jacket arrive?")]
    there = agent("Which order is it? You will find it on our website.")
    assert judged("helpfulness", *asked, there) == ("unknown", None)
    assert judged("helpfulness", *asked, agent("You will find it on our website.")) == (
        "fail",
        "deflected",
    )


def test_an_answer_without_substance_needs_the_user_to_come_back() -> None:
    hollow = [user("I cannot log in to the account."), agent("Accounts are well protected.")]
    assert judged("helpfulness", *hollow) == ("unknown", None)
    again = user("And how do I get into the account now?")
    assert judged("helpfulness", *hollow, again) == ("fail", "without_substance")


BOTH = "What does it cost and when does it come?"
STOCK = "What does the lamp cost and is it in stock?"
RETURN = "What does sending it back cost? How long do I have?"


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        (BOTH, "It costs 40.00 EUR. It comes on 14 May.", ("pass", None)),
        (BOTH, "It is a lovely lamp. It costs a bit.", ("fail", "question_unanswered")),
        # one sentence for two questions, and not a word of the second
        (STOCK, "The lamp costs 40.00 EUR.", ("fail", "question_unanswered")),
        (STOCK, "It costs 40.00 EUR. Seven pieces are left.", ("unknown", None)),
        (RETURN, "Returns are free of charge for 30 days.", ("pass", None)),
        # thirty days are no price
        (RETURN, "You have 30 days to return it.", ("fail", "question_unanswered")),
        (BOTH, "I can't reach the system right now.", ("unknown", None)),
        ("Hello, thanks for your help.", "You are welcome.", ("unknown", None)),
    ],
)  # fmt: skip
def test_completeness(question: str, answer: str, expected: tuple[str, str | None]) -> None:
    assert judged("completeness", user(question), agent(answer)) == expected


@pytest.mark.parametrize(
    ("answers", "intent", "expected"),
    [
        (["I am sorry about that. It is done."], "refund", ("pass", None)),
        (["Ich verstehe Ihren Ärger."], "refund", ("pass", None)),
        (["Your refund is 40.00 EUR."], "refund", ("fail", "no_apology")),
        (["Your refund is 40.00 EUR."], "track", ("unknown", None)),
        (["That is not our problem."], "track", ("fail", "harsh")),
        (["Sorry!"] * 4, "track", ("fail", "apology_loop")),
        # a patient no to the same wish is no loop of apologies
        (["I understand. Unfortunately that is not possible."] * 4, "track", ("pass", None)),
        (["Happy to help."], "track", ("pass", None)),
    ],
)
def test_tone(answers: list[str], intent: str, expected: tuple[str, str | None]) -> None:
    steps = [step for answer in answers for step in (user("And?"), agent(answer))]
    assert judged("tone", *steps, intent=intent) == expected


def test_without_evidence_every_axis_is_unknown() -> None:
    for steps in ([], [user("Hm.")], [agent("Hm.")], [user("Hm."), agent("Hm.")]):
        [found] = EmbeddedJudge(RUBRIC).judge([Case(conversation(*steps), None)])
        assert {j.verdict for j in found} == {"unknown"}


def test_an_axis_of_ones_own_is_unknown_rather_than_guessed() -> None:
    own = Axis(id="brevity", definition="d", passes_when="p")
    [[word]] = EmbeddedJudge([own]).judge([Case(conversation(user("?"), agent("So.")), None)])
    assert (word.axis, word.verdict) == ("brevity", "unknown")


def test_documents_support_what_they_say() -> None:
    found = search("returns", ("HC-110", "Returns within 30 days of delivery.", 0.9))
    steps = [user("How long can I return it?"), found, agent("30 days from delivery [HC-110].")]
    assert judged("faithfulness", *steps) == ("pass", None)


def test_the_identity_changes_with_the_rubric_alone() -> None:
    assert EmbeddedJudge(RUBRIC).identity == EmbeddedJudge(list(RUBRIC)).identity
    assert EmbeddedJudge(RUBRIC).identity != EmbeddedJudge(RUBRIC[:3]).identity


def test_a_long_conversation_is_judged_in_linear_time() -> None:
    """A thousand turns: each read with all before it, and all after it, took half a minute."""
    turns = [
        (
            user(f"How much is ORD-{n + 10_000}, and when will it arrive?"),
            call("get_order", {"id": f"ORD-{n + 10_000}"}, {"total": n + 0.5, "eta": "2026-11-14"}),
            agent(f"ORD-{n + 10_000} comes to {n}.50 EUR. It arrives on 14 November."),
        )
        for n in range(1_000)
    ]
    long = conversation(*(step for turn in turns for step in turn))
    [found] = EmbeddedJudge(RUBRIC).judge([Case(long, None)])
    verdicts = {judgement.axis: judgement.verdict for judgement in found}
    assert verdicts["faithfulness"] == verdicts["helpfulness"] == verdicts["completeness"] == "pass"
