"""The checks of a case on any agent's answer: what it does not tell is undecided, never a pass."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.exports import Answer, AnswerRefused, Case, check_answer, recorded_answer
from tests.pipeline.exports.reading import cases_of
from tests.pipeline.exports.toy import LOOKUP, ORDER, bad, case, good, refund_case, toy_suite


def one(*checks: dict[str, Any], **fields: Any) -> Case:
    return cases_of([case("case-a", "Where is parcel 17?", *checks, **fields)])[0]


def passed(tested: Case, answer: object) -> list[bool | None]:
    return [result.passed for result in check_answer(tested, Answer.read(answer)).results]


def test_the_recorded_failure_fails_and_a_good_answer_passes():
    [tested] = cases_of([refund_case()])
    # 99 is above 50, and nobody ever said 99 but the agent's own call, whose arguments count
    assert check_answer(tested, recorded_answer(tested)).passed is False
    given = {"id": "case-refund", "messages": tested.messages}
    assert passed(tested, good(given)) == [True, True]


def test_numbers_from_calls_of_earlier_turns_support_the_answer():
    [tested] = cases_of([refund_case()])
    assert passed(tested, "That is 40.5 for P-1.")[1] is True
    assert passed(tested, "That is 77 for P-1.")[1] is False


def test_an_answer_of_text_alone_says_nothing_of_tools():
    tested = one(
        {"kind": "tool_called", "any_of": ["track"]},
        {"kind": "tool_not_called", "none_of": ["refund"]},
        {"kind": "calls_repeated", "most": 1},
    )
    assert passed(tested, "It is on its way.") == [None, None, None]
    assert check_answer(tested, Answer.read("It is on its way.")).passed is None
    assert passed(tested, {"answer": "It is on its way.", "calls": []}) == [False, True, True]


def test_an_empty_list_of_calls_says_that_none_was_made():
    tested = one({"kind": "tool_not_called", "none_of": ["refund"]})
    assert passed(tested, {"answer": "No.", "calls": []}) == [True]


@pytest.mark.parametrize("nested", [False, True])
def test_calls_may_come_as_chat_messages_of_either_form(nested: bool):
    tested = one({"kind": "tool_called", "any_of": ["track"]}, {"kind": "facts_supported"})
    named = {"name": "track", "arguments": '{"parcel": 17}'}
    call = {"id": "c9", "type": "function", "function": named} if nested else {"id": "c9", **named}
    messages = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c9", "content": '{"days": 3}'},
        {"role": "assistant", "content": "Parcel 17 arrives in 3 days."},
    ]
    assert passed(tested, {"messages": messages}) == [True, True]


def test_effort_and_cut_off_need_to_be_told():
    tested = one({"kind": "effort", "most_turns": 2}, {"kind": "not_cut_off"})
    assert passed(tested, "Done.") == [None, None]
    assert passed(tested, {"answer": "Done.", "turns": 3, "finish_reason": "length"}) == [False] * 2
    assert passed(tested, {"answer": "Done.", "turns": 2, "finish_reason": "stop"}) == [True] * 2


def test_documents_are_those_of_the_case_until_the_answer_tells_its_own():
    found = [{"query": "q", "documents": [{"id": "HC-1", "content": "x", "score": 0.5}]}]
    tested = one({"kind": "cites_only_retrieved"}, tools={"documents": found})
    assert passed(tested, "See [HC-1].") == [True]
    assert passed(tested, {"answer": "See [HC-1].", "documents": []}) == [False]
    assert passed(tested, {"answer": "See [HC-2].", "documents": [{"id": "HC-2"}]}) == [True]


@pytest.mark.parametrize(("status", "supports"), [("ok", True), ("error", False)])
def test_failed_calls_of_earlier_turns_keep_their_status(status: str, supports: bool):
    """The messages do not tell that the lookup failed, the fixture does."""
    messages = refund_case()["input"]["messages"]
    fixture = {**LOOKUP, "result": ORDER, "status": status}
    tools = {"fixtures": [fixture]}
    tested = one({"kind": "facts_supported"}, input={"messages": messages}, tools=tools)
    assert passed(tested, {"answer": "It costs 40.5.", "calls": []}) == [supports]


def test_calls_that_no_message_asked_for_count_for_the_turns_before():
    """Agents that log spans alone: the lookup stands in the fixtures only."""
    tested = one({"kind": "facts_supported"}, tools={"fixtures": [{**LOOKUP, "result": ORDER}]})
    assert passed(tested, {"answer": "It costs 40.5.", "calls": []}) == [True]


def test_a_rubric_is_for_a_judge_and_a_broken_check_is_undecided():
    tested = one(
        {"kind": "rubric", "axis": "tone", "passes_when": "Kind."},
        {"kind": "contains", "any_of": ["(unclosed"]},
        {"kind": "json_schema", "value": {"$ref": "#/nowhere"}},
    )
    results = check_answer(tested, Answer.read("7")).results
    assert [(r.passed, r.why) for r in results] == [
        (None, "a judge has to say"),
        (None, "the check is broken: its pattern or schema cannot be read"),
        (None, "the check is broken: its pattern or schema cannot be read"),
    ]


def test_one_undecided_check_does_not_take_the_others_down():
    tested = one(
        {"kind": "rubric", "axis": "tone", "passes_when": "Kind."},
        {"kind": "contains", "any_of": ["yes"]},
    )
    verdict = check_answer(tested, Answer.read("Yes."))
    assert (verdict.passed, verdict.undecided) == (True, 1)


def test_a_case_without_checks_is_never_passed():
    assert check_answer(one(), Answer.read("Anything")).passed is None


@pytest.mark.parametrize(
    "given", [7, None, ["x"], {"answr": "secret"}, {"answer": 7}, {"calls": [{"secret": 1}]},
              {"messages": [{"role": "user", "content": "secret"}]}, "secret \ud800",
              {"answer": "secret", "tokens": 2**70}]
)  # fmt: skip
def test_what_is_no_answer_is_refused_without_quoting_it(given: object):
    with pytest.raises(AnswerRefused) as refused:
        Answer.read(given)
    assert "secret" not in str(refused.value)


def test_the_toy_agents_pass_and_fail_as_they_say(tmp_path, monkeypatch):
    from tests.pipeline.exports.reading import exported

    cases = cases_of(toy_suite())
    (tmp_path / "cases.jsonl").write_bytes(exported("pytest", cases)["cases.jsonl"])
    monkeypatch.setenv("TOY_CASES", str(tmp_path / "cases.jsonl"))
    for tested in cases:
        given = {"id": tested.case_id, "messages": tested.messages}
        wanted = None if tested.case_id == "case-judged" else True
        assert check_answer(tested, Answer.read(good(given))).passed is wanted
        assert check_answer(tested, Answer.read(bad(given))).passed is (wanted and False)
