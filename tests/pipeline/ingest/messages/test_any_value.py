"""Nothing that JSON can hold makes the reading fail, and nothing takes long."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ingest.messages import read_messages
from pipeline.ingest.messages.roles import ROLES

_KEYS = st.sampled_from(
    ["role", "content", "parts", "type", "text", "tool_calls", "function", "name", "arguments",
     "id", "message", "messages", "input", "output", "choices", "generations", "kwargs", "lc",
     "contents", "candidates", "system", "tool_call_id", "additional_kwargs", "function_call",
     "data", "kind", "source", "models_usage", "toolUse", "toolResult", "result", "response",
     "origin", "message.role", "message_content", "config", "args", "value", "from", "json",
     "document", "resource", "part_kind", "toolInvocation", "incomplete_details"]
)  # fmt: skip
_WORDS = st.sampled_from(
    ["user", "assistant", "tool", "human", "ai", "text", "tool_call", "tool_use", "tool_result",
     "function_call_output", "image", "constructor", "reasoning", "TextMessage", "request",
     "retry-prompt", "tool-x", "[{", '[{"type":"text"}]', "user: a\nassistant: b", "['a", "a=1"]
)  # fmt: skip
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | _WORDS
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(_KEYS | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=25,
)


@settings(max_examples=400)
@given(_VALUES, st.sampled_from(["user", "assistant", "system"]))
def test_any_value_is_read(value, role):
    for message in read_messages(value, role):
        assert message.role in ROLES.values()
        assert message.content is None or isinstance(message.content, str)
        assert all(isinstance(call.arguments, str) and call.name for call in message.tool_calls)
        assert isinstance(message.tool_call_id, str | None)
        assert isinstance(message.name, str | None)


@settings(max_examples=200)
@given(st.text(alphabet="[](){}'\",:=\\ auser<>0-\n", max_size=40))
def test_any_text_is_read(text):
    assert all(isinstance(message.content, str) for message in read_messages(text))


@pytest.mark.parametrize("opening", ["[", '{"messages":', '{"a":', '{"role":"user","content":'])
def test_depth(opening):
    closing = "]" if opening == "[" else "}"
    for depth in (50, 300, 1000, 100_000):
        text = opening * depth + "1" + closing * depth
        assert all(isinstance(m.content, str | None) for m in read_messages(text))


def test_depth_of_a_value():
    value: object = "hi"
    for _ in range(5000):
        value = {"content": value, "role": "user"}
    (message,) = read_messages(value)
    assert "[too deep]" in (message.content or "")


@pytest.mark.parametrize(
    "text",
    [
        "a" * 10_000_000,
        "[" * 10_000_000,
        "{'" * 5_000_000,
        "['" + "\\" * 7_000_000,
        "['a', " + "1" * 7_000_000 + "]",
        "f(a=" * 1_000_000,
        "A(a=" * 1_000_000,
        "user: a\n" * 1_000_000,
        '"' + "a" * 10_000_000 + '"',
    ],
    ids=["letters", "brackets", "quotes", "backslashes", "digits", "calls", "classes", "turns",
         "quoted"],
)  # fmt: skip
def test_ten_megabytes_are_read(text):
    (message,) = read_messages(text)
    assert message.content in (text, text[1:-1])


def test_numbers_that_json_cannot_hold():
    huge = {"role": "user", "content": {"n": 10**30, "x": float("nan")}}
    assert read_messages([huge])[0].content == '{"n":"' + str(10**30) + '","x":null}'
    orjson.dumps([message.content for message in read_messages([huge])])
