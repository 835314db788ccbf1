"""Spans that real SDKs wrote: one call in three conventions, and the Vercel AI SDK's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.ingest.records import Content, Message
from tests.pipeline.ingest.dialects.one_span import heard, read, said

TOLD = [
    ("user", "Weather in Paris?"),
    ("assistant", "Absolutely! Let me check the weather for you."),
    ("tool", "rainy, 57°F"),
]


def _genai(shared_data: Path, name: str) -> dict[str, Any]:
    folder = shared_data / "openinference-fixtures" / "genai"
    values: dict[str, Any] = json.loads((folder / f"{name}.json").read_bytes())
    return values


def _told(content: Content) -> tuple[list[Message], list[Message]]:
    """Heard and said; OpenInference does not say why the model stopped, nor does it spell JSON."""

    def plain(message: Message) -> Message:
        calls = tuple(
            msgspec.structs.replace(c, arguments=json.dumps(json.loads(c.arguments)))
            for c in message.tool_calls
        )
        return msgspec.structs.replace(message, finish_reason=None, tool_calls=calls)

    return [plain(m) for m in heard(content)], [plain(m) for m in said(content)]


def test_one_call_in_three_conventions_is_one_content(shared_data: Path) -> None:
    contents = [
        read(_genai(shared_data, name))
        for name in (
            "openinference_client_span_tool_calls",
            "otel_genai_client_span_tool_calls",
            "otel_genai_deprecated_client_span_tool_calls",
        )
    ]
    for content in contents:
        assert content.kind == "llm"
        assert content.model == "gpt-4-0613"
        assert content.provider == "openai"
        assert (content.input_tokens, content.output_tokens) == (97, 52)
        assert [(m.role, m.content) for m in heard(content)] == TOLD
        assert heard(content)[1].tool_calls[0].name == "get_weather"
        assert [m.role for m in said(content)] == ["assistant"]
        assert _told(content) == _told(contents[0])


def test_a_tool_span_with_plain_input_and_output(shared_data: Path) -> None:
    content = read(_genai(shared_data, "otel_genai_tool_execution_span"))
    assert content.call is not None
    assert (content.call.id, content.call.name) == ("1234", "get_weather")
    assert json.loads(content.call.arguments) == {"city": "New York"}
    assert content.call.result is not None
    assert json.loads(content.call.result)["status"] == "success"


@pytest.mark.parametrize(
    ("name", "kind", "tokens"),
    [
        ("ai-generateText", "agent", (14, 20)),
        ("ai-generateText-doGenerate", "llm", (14, 20)),
        ("ai-streamText", "agent", (15, 112)),
        ("ai-streamText-doStream", "llm", (15, 112)),
        ("ai-embed", "other", (10, None)),
    ],
)
def test_vercel_spans(
    shared_data: Path, name: str, kind: str, tokens: tuple[int, int | None]
) -> None:
    raw = json.loads(
        (shared_data / "openinference-fixtures/vercel-v6" / f"{name}.json").read_bytes()
    )
    for one in raw if isinstance(raw, list) else [raw]:
        content = read(one["attributes"], one["name"])
        assert content.kind == kind
        if kind == "other":
            assert (content.heard, content.input_tokens) == (None, tokens[0])
        else:
            assert heard(content)[-1].role == "user"
            assert [m.role for m in said(content)] == ["assistant"]
            assert content.input_tokens is not None
