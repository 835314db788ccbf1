"""Checks run on what an agent did; the ones made from a rule fail on what the rule failed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from pipeline.grading.conversation import Call, read_conversation
from pipeline.grading.support import Support
from pipeline.promotion import Outcome, passes, read_checks
from pipeline.promotion.episodes import find_episode, recorded_outcome
from pipeline.promotion.teaching.synthesis import Failing, plan_checks, teaches
from pipeline.promotion.wording import in_words
from pipeline.registry import Axis, Intent, Rule


def call(name: str, arguments: dict | None = None, result: str = "{}") -> Call:
    row = {
        "trace_id": "t",
        "messages": [],
        "retrievals": [],
        "tool_calls": [
            {
                "span_id": "s",
                "call_id": "c",
                "name": name,
                "arguments": __import__("json").dumps(arguments or {}),
                "result": result,
                "status": "ok",
                "error": None,
            }
        ],
    }
    return read_conversation(row).calls[0]


def supported(text: str) -> Support:
    support = Support()
    support.add_text(text)
    return support


SCHEMA = {"type": "object", "required": ["total"]}
REFUND = {"tool": "issue_refund", "argument": "amount", "most": 200, "per": "order_id"}
ENGLISH = "Your parcel is on its way and it will be with you in the next few days."
GERMAN = "Ihr Paket ist auf dem Weg und wird in den nächsten Tagen bei Ihnen sein."
BROKEN = replace(call("b"), status="error")
CASES = [
    (
        {"kind": "tool_called", "any_of": ["a", "b"]},
        Outcome((), (call("b"),)),
        Outcome((), (call("c"),)),
    ),
    (
        {"kind": "tool_not_called", "none_of": ["a"]},
        Outcome((), (call("b"),)),
        Outcome((), (call("a"),)),
    ),
    (
        {"kind": "argument_max"} | REFUND,
        Outcome((), (call("issue_refund", {"amount": 200, "order_id": "P-1"}),)),
        # 150 before and 60 now are 210 on one order
        Outcome(
            (),
            (call("issue_refund", {"amount": 60, "order_id": "P-1"}),),
            (call("issue_refund", {"amount": "150 EUR", "order_id": "P-1"}),),
        ),
    ),
    (
        {"kind": "calls_repeated", "most": 2},
        Outcome((), (call("a"), call("a"), call("a", {"x": 1}))),
        Outcome((), (call("a"),) * 3),
    ),
    (
        {"kind": "calls_made_again", "most": 0},
        # other arguments, and one that had failed, are no repetition
        Outcome((), (call("a", {"x": 1}), call("b")), (call("a"), BROKEN)),
        # over the turns
        Outcome((), (call("a"),), (call("a"), call("b"))),
    ),
    ({"kind": "cites_any_of"}, Outcome(("As in [HC-101].",), ()), Outcome(("As it says.",), ())),
    (
        {"kind": "cites_any_of", "ids": ["HC-101"]},
        Outcome(("As in [HC-101].",), ()),
        Outcome(("As in [HC-102].",), ()),
    ),
    (
        {"kind": "cites_only_retrieved"},
        Outcome(("As in [HC-101].",), (), documents=frozenset({"HC-101"})),
        Outcome(("As in [HC-999].",), (), documents=frozenset({"HC-101"})),
    ),
    (
        {"kind": "json_schema", "value": SCHEMA},
        Outcome(('{"total": 3}',), ()),
        Outcome(('Here: {"total": 3}',), ()),
    ),
    ({"kind": "language_is", "language": "de"}, Outcome((GERMAN,), ()), Outcome((ENGLISH,), ())),
    (
        {"kind": "says", "any_of": ["apologises"]},
        Outcome(("I am sorry to hear that.",), ()),
        Outcome(("A claim was opened.",), ()),
    ),
    (
        {"kind": "does_not_say", "none_of": ["cold"]},
        Outcome(("A claim was opened.",), ()),
        Outcome(("That is your own fault.",), ()),
    ),
    (
        {"kind": "contains", "any_of": ["order P-\\d"]},
        Outcome(("It is Order P-1.",), ()),
        Outcome(("It is there.",), ()),
    ),
    (
        {"kind": "not_contains", "none_of": ["order number"]},
        Outcome(("It is there.",), ()),
        Outcome(("What is the Order Number?", "Thanks."), ()),
    ),
    (
        {"kind": "facts_supported"},
        Outcome(("It costs 40.00 EUR.",), (), support=supported("price 40.00 EUR")),
        Outcome(("It costs 45.00 EUR.",), (), support=supported("price 40.00 EUR")),
    ),
    (
        {"kind": "not_cut_off"},
        Outcome(("Yes.",), (), finish_reason="stop"),
        Outcome(("Yes, and",), (), finish_reason="length"),
    ),
    (
        {"kind": "effort", "most_turns": 3, "most_tokens": 1000},
        Outcome((), (), turns=3, tokens=1000),
        Outcome((), (), turns=2, tokens=1001),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "good", "bad"), CASES, ids=[case[0]["kind"] for case in CASES])
def test_a_check_tells_good_from_bad(raw, good, bad):
    (check,) = read_checks([raw])
    assert passes(check, good) is True
    assert passes(check, bad) is False
    assert isinstance(in_words(check), str)


def test_a_rubric_needs_a_judge_and_facts_need_their_sources():
    rubric, facts = read_checks(
        [{"kind": "rubric", "axis": "tone", "passes_when": "kind"}, {"kind": "facts_supported"}]
    )
    assert passes(rubric, Outcome(("Hello.",), ())) is None
    assert passes(facts, Outcome(("It is 12.50 EUR.",), ())) is None


@pytest.mark.parametrize("raw", [{"kind": "magic"}, {"kind": "tool_called", "any_of": []}, {}])
def test_a_check_that_is_none_is_refused(raw):
    with pytest.raises(ValidationError):
        read_checks([raw])


def conversation(*messages: tuple[str, str], calls: int = 0):
    rows = [
        {"role": role, "content": text, "tool_calls": None, "tool_call_id": None, "name": None,
         "finish_reason": None}
        for role, text in messages
    ]  # fmt: skip
    return read_conversation(
        {"trace_id": "t", "messages": rows, "tool_calls": [], "retrievals": []}
    )


TALK = conversation(
    ("system", "You help."),
    ("user", "Is it P-1?"),  # message:1
    ("assistant", "Yes."),  # message:2
    ("user", "And where is it?"),  # message:3
    ("assistant", "Which order?"),  # message:4
    ("user", "I said P-1!"),  # message:5
    ("assistant", "Thanks."),  # message:6
)
PLACES = [
    (("message:1", "message:4"), 4),  # what the agent said outweighs what the user gave
    (("message:5",), 4),  # a complaint is about the turn before it
    (("message:2",), 2),
    (("message:2", "message:4"), 4),  # the last
    (("span:gone",), 6),  # nothing usable: the last answer
    ((), 6),
]


@pytest.mark.parametrize(("evidence", "cut"), PLACES)
def test_evidence_leads_to_the_turn_that_went_wrong(evidence, cut):
    episode = find_episode(TALK, evidence)
    assert episode.cut == cut
    outcome = recorded_outcome(episode, None)
    assert outcome.answer == {2: "Yes.", 4: "Which order?", 6: "Thanks."}[cut]


def test_without_a_user_there_is_nothing_to_replay():
    assert find_episode(conversation(("assistant", "Hello.")), ()) is None


INTENT = Intent(
    id="order_summary", title="x", exemplars=("x",), expected_tools=("get_order",),
    output_schema=SCHEMA,
)  # fmt: skip
MADE = [
    ("expected_tool", {}, None, Outcome(("Yes.",), (call("find_customer"),))),
    ("json_contract", {}, None, Outcome(("Sure: {}",), ())),
    ("citation", {"demand": "present"}, None, Outcome(("Thirty days.",), ())),
    ("citation", {"demand": "exists"}, None, Outcome(("See [HC-9].",), ())),
    ("language", {}, "de->en", Outcome((ENGLISH,), ())),
    ("amount_limit", REFUND, None, Outcome((), (call("issue_refund", {"amount": 201}),))),
    ("confirmation", {"tools": ["cancel_order"]}, None, Outcome((), (call("cancel_order"),))),
    ("tool_use", {"required": ["get_order"]}, "get_order", Outcome(("Yes.",), ())),
    ("tool_use", {"forbidden": ["pay"]}, "pay", Outcome((), (call("pay"),))),
    (
        "date_limit",
        {"tools": ["create_return"], "since": "delivered_on", "days": 30},
        "create_return",
        Outcome((), (call("create_return"),)),
    ),
    (
        "eligibility",
        {"tools": ["cancel_order"], "any_of": [{"field": "fare", "one_of": ["flex"]}]},
        "cancel_order",
        Outcome((), (call("cancel_order"),)),
    ),
    (
        "due_call",
        {"when": ["lost"], "tools": ["find_customer"]},
        "find_customer",
        Outcome(("Then look for it.",), ()),
    ),
    ("tool_failure", {"shape": "ignored"}, None, Outcome(("It arrives on Monday.",), ())),
    ("empty_result", {}, None, Outcome(("There is no such order.",), ())),
    ("repeated_call", {"times": 3}, None, Outcome((), (call("a"),) * 3)),
    (
        "asked_again",
        {"items": [{"name": "email", "asked": ["e-?mail"], "given": ["@"]}]},
        "email",
        Outcome(("Please send me your e-mail address.",), ()),
    ),
    ("truncated", {}, None, Outcome(("It is",), (), finish_reason="length")),
    ("phrases", {"forbidden": ["guarantee"]}, None, Outcome(("I guarantee it.",), ())),
    ("phrases", {"required": ["HC-"]}, None, Outcome(("It is so.",), ())),
    ("escalation", {"tools": ["transfer_to_human"]}, None, Outcome(("No.",), ())),
]


@pytest.mark.parametrize(("kind", "params", "subject", "recorded"), MADE, ids=[m[0] for m in MADE])
def test_checks_made_from_a_rule_fail_on_what_it_failed(kind, params, subject, recorded):
    rule = Rule.model_validate({"id": "r", "kind": kind, "title": "It is right", "params": params})
    plan = plan_checks("r", Failing(subject, None, INTENT), recorded, (rule,), ())
    assert teaches(plan, recorded)
    assert plan.expected.startswith("It is right.")


def test_an_axis_without_anything_to_check_is_left_to_judges():
    axis = Axis(id="completeness", definition="d", passes_when="All is answered.")
    plan = plan_checks("completeness", Failing(None, None, None), Outcome(("x",), ()), (), (axis,))
    assert [check.kind for check in plan.checks] == ["rubric"]
    assert not teaches(plan, Outcome(("x",), ()))
    assert plan.expected == "All is answered."
