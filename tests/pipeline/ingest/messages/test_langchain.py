"""LangChain and LangGraph: constructors, dicts, batches, states, generations, printed messages."""

from __future__ import annotations

import pytest

from pipeline.ingest.messages import read_messages
from pipeline.ingest.records import Call, Message

_CALL = {"name": "find", "args": {"q": "x"}, "id": "c1", "type": "tool_call"}
_PLAIN = [
    {"type": "system", "content": "be kind"},
    {"type": "human", "content": "hi", "name": None, "id": None},
    {"type": "ai", "content": "", "tool_calls": [_CALL], "id": "run-1"},
    {"type": "tool", "content": "found", "tool_call_id": "c1", "name": "find", "id": "m1"},
    {"type": "AIMessageChunk", "content": "done", "tool_calls": []},
]
_CLASSES = ("SystemMessage", "HumanMessage", "AIMessage", "ToolMessage", "AIMessageChunk")
_EXPECTED = [
    Message("system", "be kind"),
    Message("user", "hi"),
    Message("assistant", None, (Call("c1", "find", '{"q":"x"}'),)),
    Message("tool", "found", (), "c1", "find"),
    Message("assistant", "done"),
]


def _constructor(message: dict, name: str) -> dict:
    kwargs = {key: value for key, value in message.items() if value is not None}
    path = ["langchain", "schema", "messages", name]
    return {"lc": 1, "type": "constructor", "id": path, "kwargs": kwargs}


_SERIALISED = [_constructor(m, name) for m, name in zip(_PLAIN, _CLASSES, strict=True)]


@pytest.mark.parametrize(
    "told",
    [
        _PLAIN,
        {"messages": _PLAIN},
        {"messages": [_PLAIN]},
        [_PLAIN],
        _SERIALISED,
        {"messages": [_SERIALISED]},
        [{"type": m["type"], "data": m} for m in _PLAIN],
        {"agent": {"messages": _PLAIN}},
        {"output": {"messages": _PLAIN}},
    ],
    ids=["list", "state", "batch in state", "batch", "constructors", "constructors in a batch",
         "messages_to_dict", "update by node", "output"],
)  # fmt: skip
def test_a_conversation_in_every_wrapping(told):
    assert read_messages(told) == _EXPECTED


def test_the_vendors_own_arguments_come_before_the_parsed_ones():
    # The callback of an LLM shows only additional_kwargs, the graph's state both: equal turns.
    written = {"id": "c1", "function": {"name": "find", "arguments": '{"q": "x"}'}}
    callback = {"role": "assistant", "content": "", "additional_kwargs": {"tool_calls": [written]}}
    state = {**_PLAIN[2], "additional_kwargs": {"tool_calls": [written]}}
    expected = [Message("assistant", None, (Call("c1", "find", '{"q": "x"}'),))]
    assert read_messages([callback]) == read_messages([state]) == expected


def test_calls_among_the_parts_are_not_counted_twice():
    parts = [
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "c1", "name": "find", "input": {"q": "x"}},
    ]
    assert read_messages([{"type": "ai", "content": parts, "tool_calls": [_CALL]}]) == [
        Message("assistant", "I look.", (Call("c1", "find", '{"q":"x"}'),))
    ]


def test_declared_tools_are_no_messages():
    # Langfuse's callback for LangChain lists the tools a model may call as messages of a tool.
    function = {"name": "find", "description": "Finds.", "parameters": {"type": "object"}}
    declared = {"role": "tool", "content": {"type": "function", "function": function}}
    assert read_messages([{"role": "user", "content": "hi"}, declared]) == [Message("user", "hi")]


def test_generations():
    message = _constructor({"type": "ai", "content": "done"}, "AIMessage")
    info = {"finish_reason": "stop"}
    told = {"generations": [[{"text": "done", "generation_info": info, "message": message}]]}
    assert read_messages(told, "assistant") == [Message("assistant", "done", finish_reason="stop")]
    assert read_messages({"generations": [[{"text": "plain"}]]}) == [Message("assistant", "plain")]


def test_tuples_and_prompts():
    assert read_messages([["system", "be kind"], ["human", "hi"]]) == _EXPECTED[:2]
    assert read_messages(["human", "hi"]) == [Message("user", "hi")]
    assert read_messages({"prompts": ["Say hi."]}) == [Message("user", "Say hi.")]
    assert read_messages({"prompts": ["System: be kind\nHuman: hi"]}) == _EXPECTED[:2]


def test_the_agent_executor():
    history = [_SERIALISED[1], _SERIALISED[4]]
    told = {"chat_history": history, "input": "more", "output": "all"}
    assert read_messages(told, "assistant") == [
        Message("user", "hi"),
        Message("assistant", "done"),
        Message("user", "more"),
        Message("assistant", "all"),
    ]
    assert read_messages({"return_values": {"output": "all"}, "log": ""}, "assistant") == [
        Message("assistant", "all")
    ]


def test_printed_messages():
    ai = "content='done' additional_kwargs={} response_metadata={} id='run-1'"
    assert read_messages(ai, "assistant") == [Message("assistant", "done")]
    prompt = (
        "messages=[SystemMessage(content='be kind', additional_kwargs={}), "
        "HumanMessage(content='hi', additional_kwargs={})]"
    )
    assert read_messages(prompt) == _EXPECTED[:2]
