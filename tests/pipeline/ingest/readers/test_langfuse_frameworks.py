"""Thirteen agent frameworks as Langfuse exported them: what each file holds, read by hand.

The tables below were written from the files themselves: which observation calls a model, the roles
of what it heard and said, its tokens; which one runs a tool, and with what. The text is not
repeated here: the tests look it up in the file, at the place where it was read.
"""

from __future__ import annotations

import json
from ast import literal_eval
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipeline.ingest.dialects import read_span
from pipeline.ingest.messages import read_messages
from pipeline.ingest.readers import choose_reader
from pipeline.ingest.records import Call, Event, Message, Span
from pipeline.ingest.source import Source


@dataclass(frozen=True)
class Model:
    """A model call: `s`ystem, `u`ser, `a`ssistant and `t`ool messages; tokens in and out."""

    span: str
    heard: str
    said: str
    tokens: tuple[int | None, int | None]
    calls: tuple[str, ...] = ()
    """Names of the tools that the answer calls."""


@dataclass(frozen=True)
class Tool:
    """A tool run: `arguments` and `result` are places in the observation, `None` says nothing."""

    span: str
    name: str
    arguments: str
    result: str | None
    id: str | None = None


@dataclass(frozen=True)
class Framework:
    """What one file holds; `texts` are observations and places in them whose text is said."""

    file: str
    observations: int
    scores: int
    root: str
    models: tuple[Model, ...]
    tools: tuple[Tool, ...]
    texts: tuple[tuple[str, str], ...]


FRAMEWORKS = (
    Framework(
        # Two instrumentations record each call: OpenInference's (the outer one, whose tokens
        # Langfuse counted itself from the text) and the SDK's (the provider's tokens, no calls).
        "agno-2025-06-11",
        observations=6,
        scores=0,
        root="1cffdfa6fe3412e6",
        models=(
            Model("ca136de468e156c9", "su", "a", (542, 235), ("duckduckgo_search",)),
            Model("1f883bb9668167c0", "su", "", (163, 20)),
            Model("b38a82eaa62b551e", "suat", "a", (1568, 423)),
            Model("fc7f61b57ecebbaf", "sut", "a", (663, 225)),
        ),
        tools=(Tool("6581e147aec6793a", "duckduckgo_search", "input", "output"),),
        texts=(
            ("1cffdfa6fe3412e6", "output/messages/1/content"),
            ("1cffdfa6fe3412e6", "output/content"),
        ),
    ),
    Framework(
        "autogen-2025-06-06",
        observations=2,
        scores=0,
        root="95f4f51edeb603d9",
        models=(Model("83517f9062f5ada4", "su", "a", (41, 3)),),
        tools=(),
        texts=(("83517f9062f5ada4", "output"),),
    ),
    Framework(
        # Spans of events (start, update, success) rather than of work; ReAct in the messages.
        # Of the answers only the end of the last one was kept, by the limit of 128 attributes.
        "beeai-2025-08-01",
        observations=29,
        scores=2,
        root="cb4886242bf214b8",
        models=(
            Model("1f956cbea34725bd", "su", "", (1195, None)),
            Model("52df0f7f9dad6b23", "sua", "", (1988, None)),
            Model("4c5c5a7936ca24bc", "suaa", "", (2359, None)),
        ),
        tools=(
            Tool(
                "49b16d9910843ef4",
                "search.wikipedia",
                "metadata/attributes/tool.parameters",
                "output",
            ),
        ),
        texts=(
            ("cb4886242bf214b8", "input"),
            ("bd2f100ab98514d4", "output"),
            ("322299e937be4455", "output/content/0/text"),
        ),
    ),
    Framework(
        "google-adk-2025-08-28",
        observations=5,
        scores=2,
        root="86cd4912944ddc41",
        models=(
            Model("f6e4c65297e40c96", "su", "a", (28, 3), ("say_hello",)),
            Model("bded677884f031ce", "suat", "a", (39, 6)),
        ),
        tools=(
            Tool(
                "04290e4d82aba1bc",
                "say_hello",
                "metadata/attributes/gcp.vertex.agent.tool_call_args",
                "metadata/attributes/gcp.vertex.agent.tool_response",
                "adk-8bd8dc65-717d-4102-858b-3a1dd6b75a00",
            ),
        ),
        texts=(
            ("86cd4912944ddc41", "input/new_message/parts/0/text"),
            ("bded677884f031ce", "output/content/parts/0/text"),
        ),
    ),
    Framework(
        "google-gemini-2025-08-01",
        observations=1,
        scores=2,
        root="b7a63ca7e1d083bc",
        models=(Model("b7a63ca7e1d083bc", "u", "a", (6, 2055)),),  # 1104 of them reasoning
        tools=(),
        texts=(
            ("b7a63ca7e1d083bc", "input/contents"),
            ("b7a63ca7e1d083bc", "output/candidates/0/content/parts/0/text"),
        ),
    ),
    Framework(
        # The tools' definitions stand among the messages, as messages of role tool.
        "google-vertex-tools-langchain-2025-09-19",
        observations=1,
        scores=0,
        root="vertex-gemini-obs-001",
        models=(Model("vertex-gemini-obs-001", "ssuau", "a", (1200, 15)),),
        tools=(),
        texts=(
            ("vertex-gemini-obs-001", "input/2/content"),
            ("vertex-gemini-obs-001", "output/content"),
        ),
    ),
    Framework(
        # A call is written as the content of a message; two answers, one call each.
        "koog-2025-08-26",
        observations=11,
        scores=0,
        root="1b7200380e3316e7",
        models=(
            Model("042f9350c3729147", "su", "aa", (47, 106), ("HelloTool", "ByeTool")),
            Model("e44e72cf2d221781", "suatat", "a", (168, 19)),
        ),
        tools=(
            Tool("33188493784a060d", "ByeTool", "input", "output", "call_dOeEHJDI0liHrCdFWTpkTsuO"),
            Tool(
                "66f269083a2fff81", "HelloTool", "input", "output", "call_n2HaWg9KFP0BZDqXv6G4b3nJ"
            ),
        ),
        texts=(
            ("042f9350c3729147", "input/1/content"),
            ("e44e72cf2d221781", "output/0/content"),
        ),
    ),
    Framework(
        # The system prompt was recorded under the role user.
        "langgraph-2025-08-22",
        observations=9,
        scores=2,
        root="b024c7ee7680b708",
        models=(
            Model("4f6535aaebcda355", "uu", "a", (60, 15), ("Web-Search",)),
            Model("5ba09605e0929d78", "uuat", "a", (108, 51)),
        ),
        # The tool's span says only that it is a span; what came out of it is a tool's message.
        tools=(
            Tool(
                "21441266a9f21251",
                "Web-Search",
                "input",  # as Python writes it
                "output/content",
                "call_1oGK863sxQHlPreFhDdEs3yl",
            ),
        ),
        texts=(
            ("4f6535aaebcda355", "input/1/content"),
            ("5ba09605e0929d78", "output/content"),
        ),
    ),
    Framework(
        "llamaindex-2025-06-05",
        observations=2,
        scores=0,
        root="3344aabdd4e66110",
        models=(Model("7ca8b22f6628d0c7", "u", "a", (13, 81)),),
        tools=(),
        texts=(("7ca8b22f6628d0c7", "input/args/0"), ("7ca8b22f6628d0c7", "output")),
    ),
    Framework(
        # The agent's own tokens are those of its last model call, not a sum.
        "microsoft-agent-2025-10-14",
        observations=4,
        scores=2,
        root="026d1c61bcaa1743",
        models=(
            Model("c6b8d4db5f0eac82", "u", "a", (25, 70), ("get_weather",)),
            Model("3c2d6f2f26930c50", "at", "a", (631, 35)),
        ),
        tools=(
            Tool(
                "7f845be8c0da22f3",
                "get_weather",
                "input",
                "output",
                "call_Sz1QP8T7fuJkIECGDLFWOorq",
            ),
        ),
        texts=(
            ("026d1c61bcaa1743", "input/0/parts/0/content"),
            ("026d1c61bcaa1743", "output/2/parts/0/content"),
        ),
    ),
    Framework(
        # The Responses API: instructions stand in the answer.
        "openai-agents-2025-09-30",
        observations=5,
        scores=2,
        root="e5a76f27f51ad40e",
        models=(
            Model("98870087af69bf06", "su", "a", (55, 15), ("get_weather",)),
            Model("90d94774e8e3724d", "suat", "a", (85, 29)),
        ),
        tools=(Tool("5b99c3e3411ed17b", "get_weather", "input", "output"),),
        texts=(
            ("98870087af69bf06", "input/0/content"),
            ("90d94774e8e3724d", "output/output/0/content/0/text"),
        ),
    ),
    Framework(
        # Four observations, three of them roots; no score was ever taken.
        "openai-assistants-2024-05-29",
        observations=4,
        scores=0,
        root="be59b862-98dd-4b0e-b92e-c150b9777c2f",
        models=(Model("0d8f5427-c91a-44c8-86c5-e12d806edd57", "au", "a", (49, 40)),),
        tools=(),
        texts=(
            ("0d8f5427-c91a-44c8-86c5-e12d806edd57", "input/1/content"),
            ("0d8f5427-c91a-44c8-86c5-e12d806edd57", "output"),
        ),
    ),
    Framework(
        # Two agents, one of them twice; the evaluator answers by a call of its output tool.
        "pydantic-ai-tools-2025-12-04",
        observations=12,
        scores=0,
        root="00d3f40ee8e3b716",
        models=(
            Model(
                "be64c23f44dd98be",
                "su",
                "a",
                (265, 73),
                ("get_pun_suggestion", "get_dad_joke_suggestion", "get_one_liner_suggestion"),
            ),
            Model("00d2804abb764b1b", "suattt", "a", (417, 53)),
            Model("8976b072313c51f2", "suatttau", "a", (502, 14)),
            Model("eb0cc14cf7943ad5", "su", "a", (131, 69), ("final_result",)),
        ),
        tools=(
            Tool(
                "99ec63d0b5ecdbf5",
                "get_pun_suggestion",
                "input",
                "output",
                "call_X0OSgjUukT5inyEQvuZQnHrk",
            ),
            Tool(
                "02d7769b76595f0b",
                "get_dad_joke_suggestion",
                "input",
                "output",
                "call_WxZcCvSDhGT4RJHlcU01k10x",
            ),
            Tool(
                "199eff9980ea8b99",
                "get_one_liner_suggestion",
                "input",
                "output",
                "call_aRaObiWKKt6GzgDkkUl3bu1Q",
            ),
        ),
        texts=(
            ("be64c23f44dd98be", "input/1/parts/0/content"),
            ("8976b072313c51f2", "output/0/parts/0/content"),
        ),
    ),
)


@dataclass(frozen=True)
class Read:
    """A file as the reader yields it, and its raw observations by id."""

    raw: Mapping[str, Any]
    trace: Mapping[str, Any]
    envelope: Span
    spans: Mapping[str, Span]
    scores: Sequence[Event]


@cache
def read(path: Path) -> Read:
    source = Source(path)
    reader = choose_reader(source)
    assert reader is not None
    assert reader.name == "langfuse"
    records = list(reader.read(source))
    spans = [record for record in records if isinstance(record, Span)]
    (envelope,) = (span for span in spans if span.envelope)
    document = json.loads(path.read_text())
    scores = [record for record in records if isinstance(record, Event)]
    assert len(records) == len(spans) + len(scores)  # nothing is malformed
    return Read(
        {row["id"]: row for row in document["observations"]},
        document["trace"],
        envelope,
        {span.span_id: span for span in spans if not span.envelope},
        scores,
    )


@pytest.fixture(params=FRAMEWORKS, ids=lambda framework: framework.file)
def framework(request: pytest.FixtureRequest) -> Framework:
    found = request.param
    assert isinstance(found, Framework)
    return found


@pytest.fixture
def found(framework: Framework, shared_data: Path) -> Read:
    return read(shared_data / "langfuse-framework-traces" / f"{framework.file}.json")


def heard(span: Span) -> list[Message]:
    content = read_span(span)
    system = read_messages(content.system, "system")
    return [*system, *read_messages(content.heard, "user")]


def said(span: Span) -> list[Message]:
    return read_messages(read_span(span).said, "assistant")


def roles(messages: Sequence[Message]) -> str:
    return "".join(message.role[0] for message in messages)


def at(row: Any, place: str) -> Any:
    for name in place.split("/"):
        row = row[int(name)] if isinstance(row, list) else row[name]
    return row


def same(text: str | None, value: Any) -> bool:
    """Whether text is the value, as it stands or as JSON."""
    if isinstance(value, str):
        return text == value
    return text is not None and json.loads(text) == value


def test_every_observation_and_score_is_there(framework: Framework, found: Read) -> None:
    assert set(found.spans) == set(found.raw)
    assert len(found.spans) == framework.observations
    assert len(found.scores) == framework.scores
    # all of them are verdicts of Langfuse's own evaluators
    assert {s.attributes["caselaw.score.source"] for s in found.scores} <= {"model"}
    assert {s.trace_id for s in found.scores} <= {found.trace["id"]}


def test_the_tree_stands(framework: Framework, found: Read) -> None:
    parents = {id_: row["parentObservationId"] for id_, row in found.raw.items()}
    assert {id_: span.parent_id for id_, span in found.spans.items()} == parents
    assert found.spans[framework.root].parent_id is None
    assert {span.trace_id for span in found.spans.values()} == {found.envelope.trace_id}
    assert found.envelope.span_id == found.trace["id"]


def test_whose_trace_it_is(framework: Framework, found: Read) -> None:
    told = found.envelope.attributes
    assert told.get("session.id") == found.trace["sessionId"]
    assert told.get("user.id") == found.trace["userId"]
    assert told.get("langfuse.trace.tags", []) == found.trace["tags"]
    assert told["langfuse.environment"] == "default"


def test_model_calls_hear_say_and_count(framework: Framework, found: Read) -> None:
    for model in framework.models:
        span = found.spans[model.span]
        content = read_span(span)
        assert content.kind == "llm", model
        assert (roles(heard(span)), roles(said(span))) == (model.heard, model.said), model
        calls = tuple(call.name for message in said(span) for call in message.tool_calls)
        assert calls == model.calls, model
        assert (content.input_tokens, content.output_tokens) == model.tokens, model
        assert content.model == found.raw[model.span]["model"]
        cost = found.raw[model.span]["totalCost"]
        assert content.cost_usd == pytest.approx(cost, rel=1e-6)


def test_no_other_observation_passes_for_a_model_call(framework: Framework, found: Read) -> None:
    spans = {id_ for id_, span in found.spans.items() if read_span(span).kind == "llm"}
    beside = {"b7b9a79830fe5c6b", "f50f7bbf13112df9"}  # BeeAI's finish and success of the last
    assert spans - beside == {model.span for model in framework.models}


def test_tool_calls_have_names_arguments_and_results(framework: Framework, found: Read) -> None:
    calls = {
        id_: call for id_, span in found.spans.items() if (call := read_span(span).call) is not None
    }
    assert set(calls) == {tool.span for tool in framework.tools}
    for tool in framework.tools:
        call, row = calls[tool.span], found.raw[tool.span]
        assert isinstance(call, Call)
        assert (call.name, call.id, call.status) == (tool.name, tool.id, "ok")
        own = at(row, tool.arguments)
        own = literal_eval(own) if isinstance(own, str) else own
        assert json.loads(call.arguments) == own
        if tool.result is not None:
            assert same(call.result, at(row, tool.result))


def test_the_conversation_is_said_word_for_word(framework: Framework, found: Read) -> None:
    told = {
        message.content
        for span in found.spans.values()
        for message in (*heard(span), *said(span))
        if message.role in ("user", "assistant")
    }
    for span_id, place in framework.texts:
        assert at(found.raw[span_id], place) in told, (span_id, place)


def test_calls_in_messages_are_answered_by_their_id(framework: Framework, found: Read) -> None:
    """A tool's message names the call it answers, wherever its source does."""
    for model in framework.models:
        messages = heard(found.spans[model.span])
        made = {call.id for message in messages for call in message.tool_calls} - {None}
        answered = {m.tool_call_id for m in messages if m.role == "tool"} - {None}
        assert answered <= made
