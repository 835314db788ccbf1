"""The remaining frameworks, each as its own package writes a short conversation.

The inputs are written after what the packages emit (pydantic-ai 2.68, llama-index-core 0.14,
haystack 3.4, autogen 0.7, semantic-kernel, agent-framework, smolagents, agno, beeai, ai 6).
"""

from __future__ import annotations

import orjson
import pytest

from pipeline.ingest.messages import read_messages
from pipeline.ingest.records import Call, Message

_F = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}
_TYPED = {"type": "tool-call", "toolCallId": "c1", "toolName": "f"}
_TEXT = {"type": "text", "text": "I look."}
_ANSWER = "found"

SHAPES: dict[str, tuple[dict, dict, dict]] = {
    # framework: what the user, the assistant and the tool say, as one message each
    "pydantic ai": (
        {"kind": "request", "parts": [{"part_kind": "user-prompt", "content": "hi"}]},
        {"kind": "response", "parts": [
            {"part_kind": "thinking", "content": "hm"},
            {"part_kind": "text", "content": "I look."},
            {"part_kind": "tool-call", "tool_name": "f", "args": {"a": 1}, "tool_call_id": "c1"}]},
        {"kind": "request", "parts": [{"part_kind": "tool-return", "tool_name": "f",
                                       "content": _ANSWER, "tool_call_id": "c1"}]},
    ),
    "llamaindex": (
        {"role": "user", "additional_kwargs": {}, "blocks": [{"block_type": "text", "text": "hi"}]},
        {"role": "assistant", "blocks": [
            {"block_type": "text", "text": "I look."},
            {"block_type": "tool_call", "tool_call_id": "c1", "tool_name": "f",
             "tool_kwargs": {"a": 1}}]},
        {"role": "tool", "additional_kwargs": {"tool_call_id": "c1", "name": "f"},
         "blocks": [{"block_type": "text", "text": _ANSWER}]},
    ),
    "haystack": (
        {"role": "user", "meta": {}, "name": None, "content": [{"text": "hi"}]},
        {"role": "assistant", "meta": {}, "name": None, "content": [
            {"text": "I look."},
            {"tool_call": {"tool_name": "f", "arguments": {"a": 1}, "id": "c1", "extra": None}}]},
        {"role": "tool", "content": [{"tool_call_result": {
            "result": _ANSWER, "error": False,
            "origin": {"tool_name": "f", "arguments": {"a": 1}, "id": "c1"}}}]},
    ),
    "haystack of old": (
        {"_role": "user", "_meta": {}, "_name": None, "_content": [{"text": "hi"}]},
        {"_role": "assistant", "_content": [
            {"text": "I look."},
            {"tool_call": {"tool_name": "f", "arguments": {"a": 1}, "id": "c1"}}]},
        {"_role": "tool", "_content": [{"tool_call_result": {
            "result": _ANSWER, "error": False,
            "origin": {"tool_name": "f", "arguments": {"a": 1}, "id": "c1"}}}]},
    ),
    "vercel": (
        {"role": "user", "content": [{"type": "text", "text": "hi"}]},
        {"role": "assistant", "content": [{"type": "reasoning", "text": "hm"}, _TEXT,
                                          {**_TYPED, "input": {"a": 1}}]},
        {"role": "tool", "content": [{**_TYPED, "type": "tool-result",
                                      "output": {"type": "text", "value": _ANSWER}}]},
    ),
    "vercel 4": (
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [_TEXT, {**_TYPED, "args": {"a": 1}}]},
        {"role": "tool", "content": [{**_TYPED, "type": "tool-result", "result": _ANSWER}]},
    ),
    "semantic kernel": (
        {"content_type": "message", "role": "user",
         "items": [{"content_type": "text", "text": "hi"}]},
        {"content_type": "message", "role": "assistant", "finish_reason": None, "items": [
            {"content_type": "text", "text": "I look."},
            {"content_type": "function_call", "id": "c1", "name": "f", "function_name": "f",
             "arguments": {"a": 1}}]},
        {"content_type": "message", "role": "tool", "items": [
            {"content_type": "function_result", "id": "c1", "name": "f", "result": _ANSWER}]},
    ),
    "agent framework": (
        {"type": "message", "role": {"type": "role", "value": "user"},
         "contents": [{"type": "text", "text": "hi"}]},
        {"type": "message", "role": {"value": "assistant"}, "contents": [
            _TEXT, {"type": "function_call", "call_id": "c1", "name": "f",
                    "arguments": {"a": 1}}]},
        {"role": "tool", "contents": [{"type": "function_result", "call_id": "c1", "name": "f",
                                       "result": _ANSWER}]},
    ),
    "microsoft.extensions.ai": (
        {"role": "user", "contents": [{"$type": "text", "text": "hi"}]},
        {"role": "assistant", "contents": [
            {"$type": "text", "text": "I look."},
            {"$type": "functionCall", "callId": "c1", "name": "f", "arguments": {"a": 1}}]},
        {"role": "tool", "contents": [{"$type": "functionResult", "callId": "c1", "name": "f",
                                       "result": _ANSWER}]},
    ),
    "beeai": (
        {"role": "user", "content": [{"type": "text", "text": "hi"}]},
        {"role": "assistant", "content": [_TEXT, {"type": "tool-call", "id": "c1",
                                                  "tool_name": "f", "args": {"a": 1}}]},
        {"role": "tool", "content": [{"type": "tool-result", "result": _ANSWER, "tool_name": "f",
                                      "tool_call_id": "c1"}]},
    ),
    "smolagents": (
        {"role": "user", "content": [{"type": "text", "text": "hi"}], "tool_calls": None},
        {"role": "assistant", "content": [_TEXT], "tool_calls": [_F]},
        {"role": "tool-response", "content": [{"type": "text", "text": _ANSWER}],
         "tool_call_id": "c1", "name": "f"},
    ),
    "agno": (
        {"role": "user", "content": "hi", "from_history": False},
        {"role": "assistant", "content": "I look.", "tool_calls": [_F], "metrics": {}},
        {"role": "tool", "content": _ANSWER, "tool_call_id": "c1", "tool_name": "f",
         "tool_args": {"a": 1}},
    ),
    "openclaw": (
        {"role": "user", "content": "hi", "timestamp": 1},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm"}, _TEXT,
            {"type": "toolCall", "id": "c1", "name": "f", "arguments": {"a": 1}}]},
        {"role": "toolResult", "toolCallId": "c1", "toolName": "f",
         "content": [{"type": "text", "text": _ANSWER}]},
    ),
    "openinference": (
        {"message": {"role": "user", "contents": [
            {"message_content": {"type": "text", "text": "hi"}}]}},
        {"message": {"role": "assistant", "content": "I look.", "tool_calls": [
            {"tool_call": {"id": "c1", "function": {"name": "f", "arguments": {"a": 1}}}}]}},
        {"message": {"role": "tool", "content": _ANSWER, "tool_call_id": "c1", "name": "f"}},
    ),
    "openinference with dots": (
        {"message.role": "user", "message.contents": [
            {"message_content.type": "text", "message_content.text": "hi"}]},
        {"message.role": "assistant", "message.content": "I look.", "message.tool_calls": [
            {"tool_call.id": "c1", "tool_call.function.name": "f",
             "tool_call.function.arguments": {"a": 1}}]},
        {"message.role": "tool", "message.content": _ANSWER, "message.tool_call_id": "c1",
         "message.name": "f"},
    ),
    "strands' events": (
        {"role": "user", "content": '[{"text": "hi"}]'},
        {"role": "assistant", "content": '[{"text": "I look."}, {"toolUse": '
                                         '{"toolUseId": "c1", "name": "f", "input": {"a": 1}}}]'},
        {"role": "tool", "id": "c1", "name": "f", "content": '[{"toolResult": {"toolUseId": "c1", '
                                                '"content": [{"text": "found"}]}}]'},
    ),
    "events of the OTel conventions of old": (
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "I look.", "tool_calls": [_F]},
        {"role": "tool", "content": _ANSWER, "id": "c1", "name": "f"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("framework", SHAPES)
def test_every_framework_says_the_same(framework):
    user, assistant, tool = SHAPES[framework]
    expected = [
        Message("user", "hi"),
        Message("assistant", "I look.", (Call("c1", "f", '{"a":1}'),)),
        Message("tool", _ANSWER, (), "c1", "f"),
    ]
    told = [user, assistant, tool]
    assert read_messages(told) == expected
    assert read_messages({"messages": told}) == expected
    assert read_messages(orjson.dumps(told).decode()) == expected
    assert read_messages(repr(told)) == expected
    # What was said is the same turn that the next span's history repeats.
    assert read_messages(assistant, "assistant") == expected[1:2]


def test_autogen():
    call = {"id": "c1", "name": "f", "arguments": '{"a": 1}'}
    result = {"content": "found", "call_id": "c1", "name": "f", "is_error": False}
    chat = [
        {"type": "TextMessage", "source": "user", "content": "hi"},
        {"type": "ThoughtEvent", "source": "bot", "content": "hm"},
        {"type": "ToolCallRequestEvent", "source": "bot", "content": [call]},
        {"type": "ToolCallExecutionEvent", "source": "bot", "content": [result]},
        {"type": "ToolCallSummaryMessage", "source": "bot", "content": "found",
         "tool_calls": [call], "results": [result]},
    ]  # fmt: skip
    expected = [
        Message("user", "hi"),
        Message("assistant", None, (Call("c1", "f", '{"a": 1}'),), name="bot"),
        Message("tool", "found", (), "c1", "f"),
    ]
    task = {"messages": chat, "stop_reason": "Text 'TERMINATE' mentioned"}
    assert read_messages(task, "assistant") == [
        *expected,
        Message("assistant", "found", name="bot"),
    ]
    core = [
        {"type": "UserMessage", "source": "user", "content": "hi"},
        {"type": "AssistantMessage", "source": "bot", "content": [call], "thought": None},
        {"type": "FunctionExecutionResultMessage", "content": [result]},
    ]
    assert read_messages(core) == expected


def test_koog_writes_calls_as_the_content_of_a_tool():
    told = [{"role": "tool", "content": [_F]}, {"role": "tool", "content": _ANSWER}]
    expected = [
        Message("assistant", None, (Call("c1", "f", '{"a":1}'),)),
        Message("tool", _ANSWER),
    ]
    assert read_messages(told) == expected
    told[0]["content"] = orjson.dumps(told[0]["content"]).decode()
    assert read_messages(told) == expected


def test_pydantic_ai_asks_again():
    retries = [
        {"part_kind": "retry-prompt", "content": "bad", "tool_name": "f", "tool_call_id": "c1"},
        {"part_kind": "retry-prompt", "content": "no tool", "tool_name": None},
    ]
    assert read_messages([{"kind": "request", "parts": retries}]) == [
        Message("tool", "bad", (), "c1", "f"),
        Message("user", "no tool"),
    ]


def test_vercels_answers_and_prompts():
    answer = {
        "text": "",
        "toolCalls": [{**_TYPED, "args": '{"a":1}'}],
        "finishReason": "tool-calls",
    }
    call = (Call("c1", "f", '{"a":1}'),)
    assert read_messages(answer, "assistant") == [
        Message("assistant", None, call, finish_reason="tool_call")
    ]
    assert read_messages([{**_TYPED, "args": '{"a":1}'}], "assistant") == [
        Message("assistant", None, call)
    ]
    assert read_messages({"system": "be kind", "prompt": "hi"}) == [
        Message("system", "be kind"),
        Message("user", "hi"),
    ]


def test_vercels_messages_of_the_page():
    done = {"type": "tool-f", "toolCallId": "c1", "state": "output-available", "input": {"a": 1},
            "output": {"x": 1}}  # fmt: skip
    told = {"role": "assistant", "parts": [{"type": "step-start"}, _TEXT, done, _TEXT]}
    assert read_messages([told]) == [
        Message("assistant", "I look.", (Call("c1", "f", '{"a":1}'),)),
        Message("tool", '{"x":1}', (), "c1", "f"),
        Message("assistant", "I look."),
    ]


def test_results_of_agents():
    run = {"content": "done", "run_id": "r", "messages": [
        {"role": "user", "content": "hi"}, {"role": "assistant", "content": "done"}]}  # fmt: skip
    assert read_messages(run, "assistant") == [Message("user", "hi"), Message("assistant", "done")]
    assert read_messages({"raw": "done", "tasks_output": []}, "assistant") == [
        Message("assistant", "done")
    ]
    assert read_messages({"replies": [SHAPES["haystack"][0]]}) == [Message("user", "hi")]
    assert read_messages({"task": "hi", "stream": False}) == [Message("user", "hi")]
    assert read_messages(["[[ ## answer ## ]]\n4"], "assistant") == [
        Message("assistant", "[[ ## answer ## ]]\n4")
    ]


def test_sharegpt():
    told = [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "yo"}]
    assert read_messages(told) == [Message("user", "hi"), Message("assistant", "yo")]
