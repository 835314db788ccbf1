"""Attributes of one call in five spellings, and spans of the Vercel AI SDK as it dumps them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.ingest.landing import LandingError
from tests.pipeline.ingest.corpora.recovery import (
    assert_told_once,
    calls,
    read_json,
    recover,
    roles,
    said,
    tokens,
)

GENAI = (
    "openinference_client_span_input_output_only",
    "openinference_client_span_tool_calls",
    "otel_genai_client_span_tool_calls",
    "otel_genai_deprecated_client_span_tool_calls",
)


@pytest.mark.parametrize("name", GENAI)
def test_one_call_however_it_is_spelled(name: str, shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "openinference-fixtures" / "genai"
    trace = recover(tmp_path, [folder / f"{name}.json"]).only
    # Where one of the spellings has the texts in the open.
    plain = read_json(folder / "openinference_client_span_tool_calls.json")
    one, three = "llm.input_messages.0.message", "llm.input_messages.2.message"
    answer = "llm.output_messages.0.message.contents.0.message_content.text"
    assert roles(trace) == "uata"
    assert said(trace, "user") == [plain[f"{one}.contents.0.message_content.text"]]
    assert said(trace, "assistant")[-1] == plain[answer]
    assert calls(trace) == [("get_weather", {"location": "Paris"}, plain[f"{three}.content"])]
    assert tokens(trace) == (97, 52)
    assert trace["models"] == ["gpt-4-0613"]
    assert_told_once(trace)


def test_a_tool_s_span_alone(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "openinference-fixtures/genai/otel_genai_tool_execution_span.json"
    trace = recover(tmp_path, [path]).only
    ((name, arguments, result),) = calls(trace)
    assert (name, arguments) == ("get_weather", {"city": "New York"})
    assert result["status"] == "success"
    assert result["report"] in read_json(path)["output"]


# File: per trace its roles, tokens, and the call's number in `all-spans.json`.
VERCEL: dict[str, tuple[tuple[str, tuple[int, int | None], int], ...]] = {
    "ai-generateText": (("ua", (14, 20), 1), ("suaua", (50, 9), 3)),
    "ai-generateText-doGenerate": (("ua", (14, 20), 0), ("suaua", (50, 9), 2)),
    "ai-generateObject": (("ua", (63, 156), 5),),
    "ai-generateObject-doGenerate": (("ua", (63, 156), 4),),
    "ai-streamText": (("ua", (15, 112), 7),),
    "ai-streamText-doStream": (("ua", (15, 112), 6),),
    "ai-embed": (("", (10, None), 9),),
    "ai-embed-doEmbed": (("", (10, None), 8),),
}
ALL = tuple(trace for traces in VERCEL.values() for trace in traces)


@pytest.mark.parametrize(
    ("file", "expected"),
    [*VERCEL.items(), ("all-spans", ALL), ("spans-by-operation", ALL)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_vercel(file: str, expected: Any, shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "openinference-fixtures" / "vercel-v6"
    spans = read_json(folder / "all-spans.json")
    traces = recover(tmp_path, [folder / f"{file}.json"]).traces
    by_id = {trace["trace_id"]: trace for trace in traces}
    assert len(by_id) == len(expected)
    for letters, counted, number in expected:
        span = spans[number]
        told = span["attributes"]
        trace = by_id[span["spanContext"]["traceId"]]
        assert (roles(trace), tokens(trace)) == (letters, counted)
        assert trace["models"] == [told.get("ai.response.model", told["ai.model.id"])]
        if letters:
            answer = told.get("ai.response.text", told.get("ai.response.object"))
            assert said(trace, "assistant")[-1] == answer
            asked = told.get("ai.prompt", told.get("ai.prompt.messages"))
            assert said(trace, "user")[-1] in asked
        assert_told_once(trace)


def test_what_is_no_trace_is_refused(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "openinference-fixtures"
    for path in (folder / "LICENSE", folder / "vercel-v6" / "capture-results.json"):
        with pytest.raises(LandingError, match="no reader knows this format"):
            recover(tmp_path, [path])


def test_every_file_is_in_a_table(shared_data: Path) -> None:
    folder = shared_data / "openinference-fixtures"
    files = {path.stem for path in folder.rglob("*.json")} - {"capture-results"}
    other = {"otel_genai_tool_execution_span", "all-spans", "spans-by-operation"}
    assert files == {*GENAI, *VERCEL, *other}
