"""Calls that repeat the whole history are read by comparing texts; a history hears the same."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ingest.records import Content, Message
from pipeline.ingest.traces.chain import chain_of
from pipeline.ingest.traces.history import History

TEXTS = st.sampled_from(["yes", "no", " yes", "a longer thing to say", "ö"])


def said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def asked(number: int) -> dict[str, Any]:
    call = {"type": "tool_call", "id": f"c{number}", "name": "find", "arguments": {"n": number}}
    return {"role": "assistant", "parts": [call]}


def told(number: int, text: str) -> dict[str, Any]:
    part = {"type": "tool_call_response", "id": f"c{number}", "response": {"note": text}}
    return {"role": "tool", "parts": [part]}


def call(heard: list[Any], answer: list[Any], system: str | None = None) -> Content:
    instructions = None if system is None else json.dumps([{"type": "text", "content": system}])
    return Content("llm", instructions, json.dumps(heard), json.dumps(answer))


def heard_by_history(calls: list[Content]) -> list[Message]:
    history = History()
    for one in calls:
        history.hear(one.system, one.heard, one.said)
    return history.messages


@st.composite
def chains(draw: st.DrawFn) -> list[Content]:
    """Calls that each send all before them, and now and then something else."""
    system = draw(st.sampled_from([None, "Be brief."]))
    heard = [said("system", "Be kind.")] if draw(st.booleans()) else []
    heard.append(said("user", draw(TEXTS)))
    calls = []
    for number in range(draw(st.integers(1, 5))):
        tool = draw(st.booleans())
        answer = asked(number) if tool else said("assistant", draw(TEXTS))
        calls.append(call(heard, [{**answer, "finish_reason": "stop"}], system))
        match draw(st.sampled_from([*["on"] * 6, "cut", "same", "altered", "instructed", "twice"])):
            case "cut":
                heard = heard[1:] or heard
            case "same":
                continue
            case "altered":
                answer = said("assistant", "something else")
            case "instructed":
                heard = [*heard, said("system", "Be quick.")]
            case "twice":
                heard = [*heard, answer]
        heard = [*heard, answer, told(number, "found") if tool else said("user", draw(TEXTS))]
    return calls


@settings(max_examples=400, deadline=None)
@given(chains())
def test_a_chain_tells_what_a_history_hears(calls: list[Content]) -> None:
    messages = chain_of(calls)
    assert messages is None or messages == heard_by_history(calls)


def test_the_usual_chain_is_taken() -> None:
    first = [said("user", "Where is it?")]
    second = [*first, asked(1), told(1, "in Oslo")]
    third = [*second, said("assistant", "In Oslo."), said("user", "Thanks")]
    calls = [
        call(first, [asked(1)], "Be brief."),
        call(second, [said("assistant", "In Oslo.")], "Be brief."),
        call(third, [said("assistant", "Welcome")], "Be brief."),
    ]
    messages = chain_of(calls)
    assert messages is not None
    assert [m.role for m in messages] == [
        "system", "user", "assistant", "tool", "assistant", "user", "assistant",
    ]  # fmt: skip
    assert messages == heard_by_history(calls)


def test_a_number_that_was_written_in_another_way_is_another_turn() -> None:
    first = [said("user", "pay 10")]
    altered = asked(10)
    altered["parts"][0]["arguments"] = {"n": 10.0}
    calls = [call(first, [asked(10)]), call([*first, altered, told(10, "x")], [said("user", "y")])]
    assert chain_of(calls) is None


def test_what_is_no_chain_is_left_to_the_long_way() -> None:
    first, other = [said("user", "a")], [said("user", "b")]
    assert chain_of([call(first, [asked(1)]), call(other, [asked(2)])]) is None
    assert chain_of([Content("llm", None, '[{"role":"user","content":"a"}]', '[{"x":1}]')]) is None
    assert chain_of([call(first, [asked(1), asked(2)])]) is None


def test_compact_texts_are_a_chain_too_and_a_reason_told_elsewhere_is_not() -> None:
    first, answer = [said("user", "a")], asked(1)
    heard = [*first, answer, told(1, '","finish_reason":"stop"}]')]
    usual, early = {**answer, "finish_reason": "stop"}, {"finish_reason": "stop", **answer}
    last = call(heard, [said("assistant", "b")])
    for separators in ((",", ":"), (", ", ": ")):
        texts = [json.dumps(t, separators=separators) for t in (first, [usual], heard)]
        calls = [
            Content("llm", None, texts[0], texts[1]),
            Content("llm", None, texts[2], last.said),
        ]
        messages = chain_of(calls)
        assert messages is not None
        assert messages == heard_by_history(calls)
        assert [m.finish_reason for m in messages] == [None, "stop", None, None]
    assert chain_of([call(first, [early]), last]) is None


def test_an_answer_that_is_more_than_one_turn_is_no_chain() -> None:
    first, two = [said("user", "a")], [said("assistant", "b"), said("assistant", "c")]
    assert chain_of([call(first, two), call([*first, *two], [said("assistant", "d")])]) is None
