"""Thirteen agent frameworks, from the exported file to the row of `raw_traces`.

The table was written from reading the files: who speaks in which order, which tools are called
with what, which tokens the provider counted. Texts are not repeated here: each is looked up in the
file at the place where it was read, an observation's id (or its beginning) and a path in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.ingest.corpora.recovery import (
    assert_told_once,
    calls,
    opened,
    read_json,
    recover,
    roles,
    said,
    tokens,
)


@dataclass(frozen=True)
class Framework:
    """One conversation: `s`ystem, `u`ser, `a`ssistant, `t`ool and `o`ther messages, in order.

    `calls` are names, and the places of arguments and results.
    """

    file: str
    roles: str
    tokens: tuple[int | None, int | None]
    model: str
    question: str
    answer: str
    calls: tuple[tuple[str, str, str], ...] = ()
    flags: tuple[str, ...] = ()


FRAMEWORKS = (
    # Two instrumentations record each call; 163 + 663 and 20 + 225 are the provider's tokens,
    # which the agent's own metrics state too. The outer spans' were estimated from the text.
    Framework(
        "agno-2025-06-11", "suata", (826, 245), "gpt-4o-mini",
        "1cffdf output/messages/1/content", "1cffdf output/content",
        (("duckduckgo_search", "6581e1 input", "6581e1 output"),),
    ),
    Framework(
        "autogen-2025-06-06", "sua", (41, 3), "gpt-4o", "trace input", "83517f output",
    ),
    # 1195 + 1988 + 2359; of the answers' tokens nothing is said. Thoughts and what tools gave are
    # one message in ReAct. The weather tool has no span of its own: the agent's reports tell it.
    Framework(
        "beeai-2025-08-01", "suaaa", (5542, None), "gpt-4o-mini", "cb4886 input", "bd2f10 output",
        (
            ("search.wikipedia", "49b16d metadata/attributes/tool.parameters", "49b16d output"),
            ("OpenMeteoTool", "6c9cab metadata/attributes/tool.parameters", "477d35 output"),
        ),
    ),
    Framework(
        "google-adk-2025-08-28", "suata", (67, 9), "gemini-2.0-flash",  # 28 + 39, 3 + 6
        "86cd49 input/new_message/parts/0/text", "bded67 output/content/parts/0/text",
        (
            (
                "say_hello",
                "04290e metadata/attributes/gcp.vertex.agent.tool_call_args",
                "04290e metadata/attributes/gcp.vertex.agent.tool_response",
            ),
        ),
    ),
    Framework(
        "google-gemini-2025-08-01", "ua", (6, 2055), "gemini-2.5-flash",
        "b7a63c input/contents", "b7a63c output/candidates/0/content/parts/0/text",
    ),
    # Five more messages declare tools: nobody said them.
    Framework(
        "google-vertex-tools-langchain-2025-09-19", "ssuaua", (1200, 15), "gemini-2.5-flash",
        "vertex input/2/content", "vertex output/content",
    ),
    Framework(
        "koog-2025-08-26", "suaatta", (215, 125), "gpt-4o",  # 47 + 168, 106 + 19
        "042f93 input/1/content", "e44e72 output/0/content",
        (
            ("HelloTool", "66f269 input", "66f269 output"),
            ("ByeTool", "331884 input", "331884 output"),
        ),
    ),
    # The system prompt was recorded under the role user.
    Framework(
        "langgraph-2025-08-22", "uuata", (168, 66), "gpt-4o-2024-08-06",  # 60 + 108, 15 + 51
        "4f6535 input/1/content", "5ba096 output/content",
        (("Web-Search", "214412 input", "214412 output/content"),),
    ),
    Framework(
        "llamaindex-2025-06-05", "ua", (13, 81), "gpt-4o", "7ca8b2 input/args/0", "7ca8b2 output",
    ),
    # The second call reads only the call of the first and its result.
    Framework(
        "microsoft-agent-2025-10-14", "uata", (656, 105), "gpt-4o",  # 25 + 631, 70 + 35
        "026d1c input/0/parts/0/content", "026d1c output/2/parts/0/content",
        (("get_weather", "7f845b input", "7f845b output"),),
    ),
    Framework(
        "openai-agents-2025-09-30", "suata", (140, 44), "gpt-4.1-2025-04-14",  # 55 + 85, 15 + 29
        "988700 input/0/content", "90d947 output/output/0/content/0/text",
        (("get_weather", "5b99c3 input", "5b99c3 output"),),
    ),
    # From before the first partition; three roots, and a span that never ended.
    Framework(
        "openai-assistants-2024-05-29", "aua", (49, 40), "gpt-4",
        "0d8f54 input/1/content", "0d8f54 output",
        flags=("time_moved", "two_roots", "unfinished_span"),
    ),
    # 265 + 417 + 502 + 131 and 73 + 53 + 14 + 69, the evaluator's own call among them; what it
    # reads and says is no part of the conversation, and its verdict no tool call.
    Framework(
        "pydantic-ai-tools-2025-12-04", "suatttauaoo", (1315, 209), "gpt-4o-mini-2024-07-18",
        "be64c2 input/1/parts/0/content", "8976b0 output/0/parts/0/content",
        (
            ("get_pun_suggestion", "99ec63 input", "99ec63 output"),
            ("get_dad_joke_suggestion", "02d776 input", "02d776 output"),
            ("get_one_liner_suggestion", "199eff input", "199eff output"),
        ),
    ),
)  # fmt: skip


@pytest.fixture(scope="module", params=FRAMEWORKS, ids=lambda framework: framework.file)
def framework(request: pytest.FixtureRequest) -> Framework:
    return request.param


@pytest.fixture(scope="module")
def raw(framework: Framework, shared_data: Path) -> Any:
    return read_json(shared_data / "langfuse-framework-traces" / f"{framework.file}.json")


@pytest.fixture(scope="module")
def trace(framework: Framework, shared_data: Path, tmp_path_factory: Any) -> dict[str, Any]:
    path = shared_data / "langfuse-framework-traces" / f"{framework.file}.json"
    found = recover(tmp_path_factory.mktemp("langfuse"), [path])
    assert found.reasons == []
    return found.only


def at(raw: Any, place: str) -> Any:
    """What stands at a place: `trace` or an observation's id, and a path, opening JSON texts."""
    whose, _, path = place.partition(" ")
    rows = [raw["trace"]] if whose == "trace" else raw["observations"]
    (value,) = rows if whose == "trace" else [r for r in rows if r["id"].startswith(whose)]
    for step in path.split("/"):
        value = opened(value)
        value = value[int(step)] if isinstance(value, list) else value[step]
    return opened(value)


def test_every_file_is_in_the_table(shared_data: Path) -> None:
    files = (shared_data / "langfuse-framework-traces").glob("*.json")
    assert {path.stem for path in files} == {framework.file for framework in FRAMEWORKS}


def test_every_turn_is_there_once_and_in_order(framework: Framework, trace: Any) -> None:
    assert roles(trace) == framework.roles
    assert_told_once(trace)


def test_the_question_and_the_answer(framework: Framework, trace: Any, raw: Any) -> None:
    question, answer = at(raw, framework.question), at(raw, framework.answer)
    assert isinstance(question, str)
    assert any(question in text for text in said(trace, "user"))
    assert said(trace, "assistant")[-1].strip() == answer.strip()


def test_tool_calls(framework: Framework, trace: Any, raw: Any) -> None:
    told = [(name, at(raw, a), at(raw, r)) for name, a, r in framework.calls]
    found = calls(trace)
    assert [name for name, _, _ in found] == [name for name, _, _ in told]
    for (_, arguments, result), (_, own, gave) in zip(found, told, strict=True):
        # BeeAI's agent says what it asked for, the tool what it was called with.
        assert set(own.items()) <= set(arguments.items())
        assert result == gave
    assert {call["status"] for call in trace["tool_calls"]} <= {"ok"}


def test_messages_show_what_the_tools_gave(framework: Framework, trace: Any) -> None:
    given = [opened(text) for text in said(trace, "tool")]
    assert given == ([result for _, _, result in calls(trace)] if "t" in framework.roles else [])


def test_tokens_model_and_how_it_went(framework: Framework, trace: Any) -> None:
    assert tokens(trace) == framework.tokens
    assert trace["models"] == [framework.model]
    assert (trace["status"], trace["error"]) == ("ok", None)
    assert tuple(trace["flags"]) == framework.flags
    assert trace["completeness"] == "complete"


def test_no_service_is_called_unknown(trace: Any) -> None:
    assert "unknown" not in (trace["service"] or "")


def test_costs_are_those_of_the_calls_that_count(trace: Any, raw: Any) -> None:
    # Where one span records another's call again, Langfuse charged both.
    rows = raw["observations"]
    outer = {row["parentObservationId"] for row in rows if row["type"] == "GENERATION"}
    paid = [
        row["totalCost"] or 0
        for row in rows
        if row["type"] == "GENERATION" and row["id"] not in outer
    ]
    assert trace["cost_usd"] == pytest.approx(sum(paid), abs=1e-8)
