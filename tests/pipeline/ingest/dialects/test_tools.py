"""Tool spans: the call, what came back, and how it went."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.pipeline.ingest.dialects.one_span import NOON, read

ARGUMENTS = '{"parcel": 7}'


@pytest.mark.parametrize(
    ("values", "name"),
    [
        pytest.param(
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "track",
                "gen_ai.tool.call.id": "c1",
                "gen_ai.tool.call.arguments": ARGUMENTS,
                "gen_ai.tool.call.result": "depot",
            },
            "execute_tool track",
            id="genai",
        ),
        pytest.param(
            {
                "openinference.span.kind": "TOOL",
                "tool.name": "track",
                "tool.id": "c1",
                "tool.parameters": '{"parcel": "int"}',
                "input.value": ARGUMENTS,
                "output.value": "depot",
            },
            "track",
            id="openinference",
        ),
        pytest.param(
            {
                "ai.operationId": "ai.toolCall",
                "ai.toolCall.name": "track",
                "ai.toolCall.id": "c1",
                "ai.toolCall.args": ARGUMENTS,
                "ai.toolCall.result": "depot",
            },
            "ai.toolCall",
            id="vercel",
        ),
        pytest.param(
            {
                "gen_ai.tool.name": "track",
                "gen_ai.tool.call.id": "c1",
                "tool_arguments": ARGUMENTS,
                "tool_response": "depot",
            },
            "running tool: track",
            id="pydantic ai",
        ),
        pytest.param(
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "track",
                "gen_ai.tool.call.id": "c1",
                "gcp.vertex.agent.tool_call_args": ARGUMENTS,
                "gcp.vertex.agent.tool_response": "depot",
                "gcp.vertex.agent.llm_request": "{}",
            },
            "execute_tool track",
            id="google adk",
        ),
        pytest.param(
            {
                "langsmith.span.kind": "tool",
                "langsmith.inputs": {"input": "{'parcel': 7}"},
                "langsmith.outputs": {
                    "output": {"type": "tool", "content": "depot", "tool_call_id": "c1"}
                },
            },
            "track",
            id="langsmith",
        ),
        pytest.param(
            {
                "traceloop.span.kind": "tool",
                "traceloop.entity.name": "track",
                "traceloop.entity.input": json.dumps(
                    {"input_str": "{'parcel': 7}", "tags": [], "inputs": {"parcel": 7}}
                ),
                "traceloop.entity.output": json.dumps(
                    {
                        "output": {
                            "lc": 1,
                            "type": "constructor",
                            "kwargs": {"content": "depot", "tool_call_id": "c1", "type": "tool"},
                        },
                        "kwargs": {},
                    }
                ),
            },
            "track.tool",
            id="openllmetry over langchain",
        ),
        pytest.param(
            # Newer OpenLLMetry puts the same wrapping under the conventions' names.
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "track",
                "gen_ai.tool.call.arguments": json.dumps(
                    {"input_str": "{'parcel': 7}", "tags": [], "inputs": {"parcel": 7}}
                ),
                "gen_ai.tool.call.result": json.dumps(
                    {
                        "output": {
                            "lc": 1,
                            "type": "constructor",
                            "kwargs": {"content": "depot", "tool_call_id": "c1", "type": "tool"},
                        },
                        "kwargs": {},
                    }
                ),
            },
            "execute_tool track",
            id="openllmetry under the conventions' names",
        ),
        pytest.param(
            {
                "openinference.span.kind": "TOOL",
                "tool.name": "track",
                "input.value": "{'parcel': 7}",
                "output.value": json.dumps(
                    {"type": "tool", "data": {"content": "depot", "tool_call_id": "c1"}}
                ),
            },
            "track",
            id="openinference over langchain",
        ),
        pytest.param(
            {
                "langsmith.span.kind": "tool",
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "track",
                "gen_ai.tool.call.id": "c1",
                "gen_ai.prompt": ARGUMENTS,
                "gen_ai.completion": '{"output": "depot"}',
            },
            "track",
            id="langsmith's exporter",
        ),
        pytest.param(
            {
                "langfuse.observation.type": "SPAN",
                "langfuse.observation.input": {"parcel": 7},
                "langfuse.observation.output": {
                    "type": "tool",
                    "content": "depot",
                    "tool_call_id": "c1",
                },
            },
            "track",
            id="a tool without a type",
        ),
        pytest.param(
            {
                "langfuse.observation.type": "TOOL",
                "langfuse.observation.input": {"args": [], "kwargs": {"parcel": 7}},
                "langfuse.observation.output": {
                    "type": "tool",
                    "content": "depot",
                    "tool_call_id": "c1",
                },
            },
            "track",
            id="langfuse",
        ),
        pytest.param(
            {
                "tool.name": "track",
                "tool_call_id": "c1",
                "tool.input": ARGUMENTS,
                "tool.output": "depot",
                "tool.success": True,
            },
            "tool.track",
            id="by hand",
        ),
        pytest.param(
            {
                "lk.function_tool.name": "track",
                "lk.function_tool.id": "c1",
                "lk.pii.function_tool.arguments": ARGUMENTS,
                "lk.pii.function_tool.output": "depot",
                "lk.function_tool.is_error": False,
            },
            "function_tool",
            id="livekit",
        ),
    ],
)
def test_every_convention_says_the_same_tool_call(values: dict[str, Any], name: str) -> None:
    content = read(values, name)
    assert content.kind == "tool"
    assert (content.heard, content.said) == (None, None)
    call = content.call
    assert call is not None
    assert (call.id, call.name, call.result, call.status) == ("c1", "track", "depot", "ok")
    assert json.loads(call.arguments) == {"parcel": 7}
    assert (call.span_id, call.started_at, call.duration_ms) == ("s1", NOON, 1500.0)


def test_strands_says_arguments_and_result_in_events() -> None:
    content = read(
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "track"},
        "execute_tool track",
        ("gen_ai.tool.message", {"role": "tool", "content": ARGUMENTS, "id": "c1"}),
        ("gen_ai.choice", {"message": json.dumps([{"text": "depot"}]), "id": "c1"}),
    )
    assert content.call is not None
    assert (content.call.id, content.call.arguments) == ("c1", ARGUMENTS)
    assert content.call.result == "depot"


def test_strands_newer_events_hold_parts() -> None:
    details = "gen_ai.client.inference.operation.details"
    asked = {"type": "tool_call", "id": "c1", "name": "track", "arguments": {"parcel": 7}}
    answered = {"type": "tool_call_response", "id": "c1", "response": [{"text": "depot"}]}
    content = read(
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "track"},
        "execute_tool track",
        (details, {"gen_ai.input.messages": json.dumps([{"role": "tool", "parts": [asked]}])}),
        (details, {"gen_ai.output.messages": json.dumps([{"role": "tool", "parts": [answered]}])}),
    )
    assert content.call is not None
    assert content.call.result == "depot"
    assert json.loads(content.call.arguments) == {"parcel": 7}


def test_a_name_that_nothing_says_is_the_spans() -> None:
    for name in ("execute_tool track", "running tool: track", "track.tool", "track"):
        content = read({"traceloop.span.kind": "tool"}, name)
        assert content.call is not None
        assert content.call.name == "track"


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ({"tool.success": False}, ("error", "tool_error")),
        ({"tool.success": "false"}, ("error", "tool_error")),
        ({"gen_ai.tool.status": "error"}, ("error", "tool_error")),
        ({"error.type": "ConnectTimeout"}, ("timeout", "ConnectTimeout")),
        ({"error.type": "HTTPError"}, ("error", "HTTPError")),
        ({"tool.output": '{"error": "no such parcel"}'}, ("error", "tool_error")),
        # A result that begins with the word, and a statement that all went well.
        ({"tool.output": "Error budget: 3 %", "tool.success": True}, ("ok", None)),
        # Of an error's text only its class is kept: the rest may repeat the conversation.
        ({"langsmith.error": "ValueError('parcel of Ada')"}, ("error", "ValueError")),
        ({"langsmith.error": "it went wrong for Ada"}, ("error", "tool_error")),
        ({"langfuse.observation.level": "ERROR"}, ("error", "tool_error")),
        (
            {"tool.output": '{"type": "tool", "content": "no", "tool_call_id": "c", "x": 1}'},
            ("ok", None),
        ),
        (
            {"output.value": '{"type": "tool", "content": "no", "status": "error"}'},
            ("error", "tool_error"),
        ),
    ],
)
def test_how_a_call_went(values: dict[str, Any], outcome: tuple[str, str | None]) -> None:
    call = read({"tool.name": "track", **values}).call
    assert call is not None
    assert (call.status, call.error) == outcome


def test_a_failed_span_is_a_failed_call_whatever_else_it_says() -> None:
    call = read({"tool.name": "track", "tool.output": "fine"}, failed=True).call
    assert call is not None
    assert (call.status, call.error) == ("error", "tool_error")


def test_an_exception_event_gives_its_type_and_never_its_message() -> None:
    event = ("exception", {"exception.type": "KeyError", "exception.message": "Ada Lovelace"})
    call = read({"gen_ai.operation.name": "execute_tool"}, "track", event).call
    assert call is not None
    assert (call.status, call.error) == ("error", "KeyError")
    assert "Ada" not in str(call)


def test_a_bare_exception_is_named_by_the_head_of_its_text() -> None:
    # LangSmith's exporter records every error as an Exception.
    event = (
        "exception",
        {"exception.type": "Exception", "exception.message": "ValueError('parcel of Ada')"},
    )
    call = read({"langsmith.span.kind": "tool"}, "track", event).call
    assert call is not None
    assert call.error == "ValueError"


def test_google_repeats_parallel_tools_in_one_more_span() -> None:
    content = read(
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "(merged tools)",
            "gcp.vertex.agent.tool_call_args": "N/A",
        }
    )
    assert (content.kind, content.call) == ("other", None)


def test_arguments_written_as_json_stay_byte_for_byte() -> None:
    written = '{"b": 1,   "a": 2}'
    for values in (
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": written},
        {"openinference.span.kind": "TOOL", "input.value": written},
        {"langfuse.observation.type": "TOOL", "langfuse.observation.input": written},
    ):
        call = read(values).call
        assert call is not None
        assert call.arguments == written


def test_an_id_written_as_a_list_is_its_last() -> None:
    # Microsoft's agent framework joins run and call.
    call = read({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.id": '["r1", "c1"]'})
    assert call.call is not None
    assert call.call.id == "c1"
