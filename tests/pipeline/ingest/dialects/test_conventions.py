"""The same turn, said in each convention: what was heard, what was said, by which model."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.ingest.dialects import read_span
from pipeline.ingest.records import Message
from tests.pipeline.ingest.dialects.one_span import heard, read, said, span

QUESTION = "Where is my parcel?"
ANSWER = "At the depot in Lyon."
PARTS = [{"role": "user", "parts": [{"type": "text", "content": QUESTION}]}]
PLAIN = [{"role": "user", "content": QUESTION}]
SAID = [{"role": "assistant", "parts": [{"type": "text", "content": ANSWER}]}]

CURRENT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.input.messages": json.dumps(PARTS),
    "gen_ai.output.messages": json.dumps(SAID),
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 7,
}
DEPRECATED = {
    "gen_ai.system": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.prompt": json.dumps(PLAIN),
    "gen_ai.completion": ANSWER,
    "gen_ai.usage.prompt_tokens": "12",
    "gen_ai.usage.completion_tokens": "7",
}
OPENLLMETRY = {
    "llm.request.type": "chat",
    "gen_ai.system": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.prompt.0.role": "user",
    "gen_ai.prompt.0.content": QUESTION,
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": ANSWER,
    "gen_ai.usage.prompt_tokens": 12,
    "gen_ai.usage.completion_tokens": 7,
    "llm.usage.total_tokens": 19,
}
OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.system": "openai",
    "llm.model_name": "gpt-4o",
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.contents.0.message_content.type": "text",
    "llm.input_messages.0.message.contents.0.message_content.text": QUESTION,
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": ANSWER,
    "llm.token_count.prompt": 12,
    "llm.token_count.completion": 7,
    "llm.token_count.total": 19,
}
OPENINFERENCE_WHOLE = {
    "openinference.span.kind": "LLM",
    "llm.provider": "openai",
    "llm.model_name": "gpt-4o",
    "input.value": json.dumps({"messages": PLAIN}),
    "input.mime_type": "application/json",
    "output.value": ANSWER,
    "llm.token_count.prompt": 12,
    "llm.token_count.completion": 7,
}
VERCEL = {
    "ai.operationId": "ai.generateText.doGenerate",
    "ai.model.provider": "openai",
    "ai.model.id": "gpt-4o",
    "ai.prompt.messages": json.dumps(
        [{"role": "user", "content": [{"type": "text", "text": QUESTION}]}]
    ),
    "ai.response.text": ANSWER,
    "ai.usage.promptTokens": 12,
    "ai.usage.completionTokens": 7,
}
LANGFUSE = {
    "langfuse.observation.type": "GENERATION",
    "gen_ai.system": "openai",
    "langfuse.observation.model.name": "gpt-4o",
    "langfuse.observation.input": PLAIN,
    "langfuse.observation.output": {"role": "assistant", "content": ANSWER},
    "langfuse.observation.usage_details": {"input": 12, "output": 7, "total": 19},
}
LANGSMITH = {
    "langsmith.span.kind": "llm",
    "langsmith.metadata.ls_provider": "openai",
    "langsmith.metadata.ls_model_name": "gpt-4o",
    "langsmith.inputs": {"messages": PLAIN},
    "langsmith.outputs": {"role": "assistant", "content": ANSWER},
    "langsmith.usage_metadata": '{"input_tokens": 12, "output_tokens": 7, "total_tokens": 19}',
}
MLFLOW = {
    "mlflow.spanType": '"CHAT_MODEL"',
    "mlflow.llm.provider": '"openai"',
    "mlflow.llm.model": '"gpt-4o"',
    "mlflow.spanInputs": json.dumps({"messages": PLAIN}),
    "mlflow.spanOutputs": json.dumps({"role": "assistant", "content": ANSWER}),
    "mlflow.chat.tokenUsage": '{"input_tokens": 12, "output_tokens": 7, "total_tokens": 19}',
}
GOOGLE = {
    "gen_ai.system": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gcp.vertex.agent.llm_request": json.dumps(
        {"model": "gpt-4o", "contents": [{"role": "user", "parts": [{"text": QUESTION}]}]}
    ),
    "gcp.vertex.agent.llm_response": json.dumps(
        {"content": {"role": "model", "parts": [{"text": ANSWER}]}, "finish_reason": "STOP"}
    ),
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 7,
}
# What tutorials teach: the messages as Python prints them.
BY_HAND = {
    "llm.model": "gpt-4o",
    "llm.provider": "openai",
    "input.value": str(PLAIN),
    "output.value": ANSWER,
    "llm.usage.prompt_tokens": 12,
    "llm.usage.completion_tokens": 7,
}


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(CURRENT, id="genai current"),
        pytest.param(DEPRECATED, id="genai deprecated"),
        pytest.param(OPENLLMETRY, id="openllmetry"),
        pytest.param(OPENINFERENCE, id="openinference messages"),
        pytest.param(OPENINFERENCE_WHOLE, id="openinference values"),
        pytest.param(VERCEL, id="vercel"),
        pytest.param(LANGFUSE, id="langfuse"),
        pytest.param(LANGSMITH, id="langsmith"),
        pytest.param(MLFLOW, id="mlflow"),
        pytest.param(GOOGLE, id="google adk"),
        pytest.param(BY_HAND, id="by hand"),
    ],
)
def test_every_convention_says_the_same_call(values: dict[str, Any]) -> None:
    content = read(values)
    assert content.kind == "llm"
    assert content.model == "gpt-4o"
    assert content.provider == "openai"
    assert (content.input_tokens, content.output_tokens) == (12, 7)
    assert [(m.role, m.content) for m in heard(content)] == [("user", QUESTION)]
    assert [(m.role, m.content) for m in said(content)] == [("assistant", ANSWER)]


EVENTS = (
    ("gen_ai.system.message", {"content": "You are kind.", "role": "system"}),
    ("gen_ai.user.message", {"content": QUESTION}),
    (
        "gen_ai.assistant.message",
        {
            "tool_calls": json.dumps(
                [{"id": "c1", "type": "function", "function": {"name": "track", "arguments": "{}"}}]
            )
        },
    ),
    ("gen_ai.tool.message", {"content": "depot", "id": "c1"}),
    (
        "gen_ai.choice",
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": ANSWER},
        },
    ),
)


def test_messages_as_events_one_each() -> None:
    content = read({"gen_ai.system": "openai"}, "chat gpt-4o", *EVENTS)
    assert content.kind == "llm"
    read_back = heard(content)
    assert [m.role for m in read_back] == ["system", "user", "assistant", "tool"]
    assert read_back[2].tool_calls[0].name == "track"
    assert (read_back[3].content, read_back[3].tool_call_id) == ("depot", "c1")
    assert [(m.content, m.finish_reason) for m in said(content)] == [(ANSWER, "stop")]


def test_strands_writes_content_blocks_as_json_text() -> None:
    content = read(
        {"gen_ai.operation.name": "chat", "gen_ai.system": "strands-agents"},
        "chat",
        ("gen_ai.user.message", {"content": json.dumps([{"text": QUESTION}])}),
        ("gen_ai.choice", {"finish_reason": "end_turn", "message": json.dumps([{"text": ANSWER}])}),
    )
    assert [m.content for m in heard(content)] == [QUESTION]
    assert [m.content for m in said(content)] == [ANSWER]


def test_an_answer_that_looks_like_json_stays_text() -> None:
    content = read({}, "chat", ("gen_ai.choice", {"message": "42"}))
    assert content.said == [{"role": "assistant", "content": "42"}]


def test_prompt_and_completion_as_events() -> None:
    content = read(
        {"gen_ai.system": "openai"},
        "chat",
        ("gen_ai.content.prompt", {"gen_ai.prompt": json.dumps(PLAIN)}),
        ("gen_ai.content.completion", {"gen_ai.completion": ANSWER}),
    )
    assert content.kind == "llm"
    assert [m.content for m in heard(content)] == [QUESTION]
    assert content.said == ANSWER


def test_one_event_of_details() -> None:
    content = read(
        {"gen_ai.operation.name": "chat"},
        "chat",
        (
            "gen_ai.client.inference.operation.details",
            {"gen_ai.input.messages": PARTS, "gen_ai.system_instructions": "Be kind."},
        ),
        ("gen_ai.client.inference.operation.details", {"gen_ai.output.messages": SAID}),
    )
    assert content.system == "Be kind."
    assert [m.content for m in heard(content)] == [QUESTION]
    assert [m.content for m in said(content)] == [ANSWER]


def test_openinference_tool_calls_and_contents() -> None:
    prefix = "llm.output_messages.0.message"
    content = read(
        {
            "openinference.span.kind": "LLM",
            "llm.finish_reason": "tool_calls",
            f"{prefix}.role": "assistant",
            f"{prefix}.contents.0.message_content.type": "reasoning",
            f"{prefix}.contents.0.message_content.text": "Let me think.",
            f"{prefix}.contents.1.message_content.type": "text",
            f"{prefix}.contents.1.message_content.text": "One moment.",
            f"{prefix}.tool_calls.0.tool_call.id": "c1",
            f"{prefix}.tool_calls.0.tool_call.function.name": "track",
            f"{prefix}.tool_calls.0.tool_call.function.arguments": '{"parcel": 7}',
            f"{prefix}.tool_calls.10.tool_call.id": "c11",
            f"{prefix}.tool_calls.10.tool_call.function.name": "last",
            f"{prefix}.tool_calls.2.tool_call.id": "c3",
            f"{prefix}.tool_calls.2.tool_call.function.name": "middle",
        }
    )
    (message,) = said(content)
    # Indices order by number, not by text: 0, 2, 10.
    assert [call.name for call in message.tool_calls] == ["track", "middle", "last"]
    assert message.tool_calls[0].arguments == '{"parcel": 7}'
    assert message.content == "One moment."
    assert message.finish_reason == "tool_call"


def test_a_call_that_stands_among_contents_and_calls_is_one_call() -> None:
    # OpenInference over Anthropic writes it in both places.
    prefix = "llm.output_messages.0.message"
    content = read(
        {
            "openinference.span.kind": "LLM",
            f"{prefix}.role": "assistant",
            f"{prefix}.contents.0.message_content.type": "tool_use",
            f"{prefix}.contents.0.tool_call.id": "c1",
            f"{prefix}.contents.0.tool_call.function.name": "track",
            f"{prefix}.tool_calls.0.tool_call.id": "c1",
            f"{prefix}.tool_calls.0.tool_call.function.name": "track",
        }
    )
    (message,) = said(content)
    assert [call.id for call in message.tool_calls] == ["c1"]


def test_openinference_completions_without_chat() -> None:
    content = read(
        {
            "openinference.span.kind": "LLM",
            "llm.prompts.0.prompt.text": QUESTION,
            "llm.choices.0.completion.text": ANSWER,
        }
    )
    assert [(m.role, m.content) for m in heard(content)] == [("user", QUESTION)]
    assert [(m.role, m.content) for m in said(content)] == [("assistant", ANSWER)]


def test_a_list_that_lost_its_beginning_gives_way_to_the_whole_input() -> None:
    torn = {
        "openinference.span.kind": "LLM",
        "llm.input_messages.3.message.role": "user",
        "llm.input_messages.3.message.content": "And now?",
    }
    assert [m.content for m in heard(read(torn))] == ["And now?"]
    assert read(torn | {"input.value": json.dumps(PLAIN)}).heard == json.dumps(PLAIN)


def test_streamed_pieces_become_one_answer() -> None:
    values: dict[str, Any] = {"openinference.span.kind": "LLM"}
    for number, piece in enumerate(["At", " the", " depot", " in", " L", "y", "o", "n", "."]):
        values[f"llm.output_messages.{number}.message.role"] = "assistant"
        values[f"llm.output_messages.{number}.message.content"] = piece
    assert [m.content for m in said(read(values))] == [ANSWER]


def test_koog_writes_calls_as_content() -> None:
    calls = [{"id": "c1", "function": {"name": "HelloTool", "arguments": '{"name": "x"}'}}]
    content = read(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.prompt.0.role": "tool",
            "gen_ai.prompt.0.content": json.dumps(calls),
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": json.dumps(calls),
        }
    )
    for (message,) in (heard(content), said(content)):
        assert (message.role, message.content) == ("assistant", None)
        assert [call.name for call in message.tool_calls] == ["HelloTool"]


def test_vercel_outer_span_repeats_the_inner_and_is_no_call_of_its_own() -> None:
    outer = read(
        {
            "operation.name": "ai.streamText support-bot",
            "ai.prompt": json.dumps({"system": "Be kind.", "prompt": QUESTION}),
            "ai.response.text": ANSWER,
        }
    )
    assert outer.kind == "agent"
    assert (outer.system, outer.heard) == ("Be kind.", QUESTION)
    assert [m.content for m in said(outer)] == [ANSWER]


def test_vercel_calls_of_version_4_and_5() -> None:
    for field in ("args", "input"):
        call = {"toolCallId": "c1", "toolName": "track", field: {"parcel": 7}}
        content = read(
            {
                "ai.operationId": "ai.generateText.doGenerate",
                "ai.response.toolCalls": json.dumps([call]),
                "ai.response.finishReason": "tool-calls",
            }
        )
        (message,) = said(content)
        assert message.tool_calls[0].id == "c1"
        assert message.tool_calls[0].name == "track"
        assert json.loads(message.tool_calls[0].arguments) == {"parcel": 7}


def test_pydantic_ai_says_the_whole_run_once() -> None:
    content = read(
        {
            "agent_name": "joker",
            "model_name": "gpt-4o",
            "pydantic_ai.all_messages": json.dumps(PARTS + SAID),
            "final_result": ANSWER,
        },
        "agent run",
    )
    assert content.kind == "agent"
    assert [m.content for m in heard(content)] == [QUESTION, ANSWER]
    assert content.said is None


def test_logfire_lists_of_events() -> None:
    events = [
        {"event.name": "gen_ai.user.message", "content": QUESTION, "role": "user"},
        {
            "event.name": "gen_ai.choice",
            "index": 0,
            "message": {"role": "assistant", "content": ANSWER},
        },
    ]
    content = read({"gen_ai.request.model": "gpt-4o", "events": json.dumps(events)}, "chat gpt-4o")
    assert content.kind == "llm"
    assert [m.content for m in heard(content)] == [QUESTION]
    assert [m.content for m in said(content)] == [ANSWER]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"traceloop.span.kind": "workflow", "traceloop.entity.input": QUESTION}, "agent"),
        ({"traceloop.span.kind": "task", "traceloop.entity.input": QUESTION}, "other"),
        ({"openinference.span.kind": "CHAIN", "input.value": QUESTION}, "other"),
        ({"openinference.span.kind": "AGENT", "input.value": QUESTION}, "agent"),
        ({"langfuse.observation.type": "span", "langfuse.observation.input": QUESTION}, "other"),
        ({"langfuse.observation.type": "AGENT", "langfuse.observation.input": QUESTION}, "agent"),
        ({"langsmith.span.kind": "chain", "langsmith.inputs": QUESTION}, "other"),
        ({"mlflow.spanType": "AGENT", "mlflow.spanInputs": QUESTION}, "agent"),
        ({"gen_ai.operation.name": "invoke_agent", "gen_ai.input.messages": QUESTION}, "agent"),
        ({"span.type": "claude_code.interaction", "user_prompt": QUESTION}, "agent"),
    ],
)
def test_wrappers_keep_what_they_heard_and_are_no_model_call(
    values: dict[str, Any], kind: str
) -> None:
    content = read(values)
    assert (content.kind, content.heard) == (kind, QUESTION)


@pytest.mark.parametrize(
    "values",
    [
        {"gen_ai.operation.name": "embeddings", "input.value": QUESTION},
        {"openinference.span.kind": "EMBEDDING", "input.value": QUESTION},
        {"openinference.span.kind": "EVALUATOR", "input.value": QUESTION, "output.value": "good"},
        {"openinference.span.kind": "GUARDRAIL", "input.value": QUESTION},
        {"ai.operationId": "ai.embed.doEmbed", "ai.value": QUESTION},
        {"langfuse.observation.type": "EVALUATOR", "langfuse.observation.input": QUESTION},
        {"lk.tts.label": "voice", "lk.input_text": ANSWER},
        {"http.request.method": "GET"},
    ],
)
def test_what_is_no_part_of_the_conversation_says_nothing(values: dict[str, Any]) -> None:
    content = read(values)
    assert (content.kind, content.heard, content.said) == ("other", None, None)


def test_langsmith_calls_a_prompt_template_chat() -> None:
    # Its exporter names the operation of a prompt "chat" and of a retriever "embeddings".
    prompt = read({"langsmith.span.kind": "prompt", "gen_ai.operation.name": "chat"})
    assert prompt.kind == "other"
    retriever = read({"langsmith.span.kind": "retriever", "gen_ai.operation.name": "embeddings"})
    assert retriever.kind == "retrieval"


def test_reading_leaves_the_span_as_it_was() -> None:
    one = span(OPENINFERENCE)
    before = dict(one.attributes)
    assert read_span(one) == read_span(one)
    assert dict(one.attributes) == before


def test_a_message_type_is_what_read_messages_yields() -> None:
    assert all(isinstance(m, Message) for m in heard(read(CURRENT)))
