"""Whatever stands under the known names, reading a span does not raise."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ingest.dialects import (
    aliases,
    labels_of,
    read_any,
    read_span,
    score_of,
    session_of,
    trace_scores,
    user_of,
)
from tests.pipeline.ingest.dialects.one_span import span

_NAMES = sorted(
    {
        name
        for table in vars(aliases).values()
        if isinstance(table, tuple | dict)
        for entry in table
        for name in (entry if isinstance(entry, tuple) else (entry,))
        if isinstance(name, str)
    }
    | {
        f"{prefix}.{rest}"
        for prefix in (
            *aliases.INDEXED_HEARD,
            *aliases.INDEXED_SAID,
            *aliases.INDEXED_DOCUMENTS,
            *aliases.INDEXED_SCORES,
        )
        for rest in (
            "0",
            "x",
            "0.message",
            "0.message.role",
            "0.message.content",
            "0.message.contents",
            "0.message.contents.0.message_content.type",
            "0.message.tool_calls.0.tool_call.function.name",
            "0.message.tool_calls.0",
            "0.role",
            "0.content",
            "0.tool_calls.1.name",
            "3.document.content",
            "3.document",
            "0.annotation.name",
            "0.evaluation.score",
            "999999999999999999999",
        )
    }
)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_WRITTEN = ("chat", "LLM", "TOOL", "execute_tool", "retrieval", "tool", "span", "generation")
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.sampled_from((10**30, -(10**30), 10**4000))
    | st.floats()
    | st.just("half \ud800 a character")
    | _TEXT
    | st.sampled_from(
        (*_WRITTEN, "{}", "[]", "null", "[[]]", "[{}]", "[1]", '{"messages": 1}', "{'a'")
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                (
                    *("role", "content", "parts", "messages", "tool_calls", "function", "name"),
                    *("input", "output", "kwargs", "args", "type", "id", "text", "metadata"),
                    *("usage", "anthropic", "total", "documents", "node", "message"),
                )
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
_ANY = _VALUES | _VALUES.map(json.dumps) | _VALUES.map(repr)
_ATTRIBUTES = st.dictionaries(st.sampled_from(_NAMES), _ANY, max_size=8)
_EVENTS = st.lists(
    st.tuples(
        st.sampled_from(
            (
                *("gen_ai.user.message", "gen_ai.tool.message", "gen_ai.choice", "exception"),
                *("gen_ai.content.prompt", "gen_ai.client.inference.operation.details"),
                *("gen_ai.evaluation.result", "db.query.result", "tool.output"),
            )
        ),
        st.dictionaries(
            st.sampled_from(
                (
                    *("content", "message", "body", "role", "id", "tool_calls", "exception.type"),
                    *("gen_ai.event.content", "gen_ai.input.messages", "gen_ai.output.messages"),
                    *("gen_ai.evaluation.score.value", "gen_ai.evaluation.name"),
                )
            ),
            _ANY,
            max_size=4,
        ),
    ),
    max_size=2,
)


@settings(max_examples=400)
@given(_ATTRIBUTES, _EVENTS)
def test_no_value_makes_reading_raise(
    values: dict[str, Any], events: list[tuple[str, dict[str, Any]]]
) -> None:
    one = span(values, "span", *events)
    content = read_span(one)
    assert content.kind in ("llm", "tool", "retrieval", "agent", "other")
    assert content == read_span(one)
    for text in (content.model, content.provider):
        assert text is None or isinstance(text, str)
    assert labels_of(values) == labels_of(values)
    assert session_of(values) is None or isinstance(session_of(values), str)
    assert user_of(values) is None or isinstance(user_of(values), str)
    assert isinstance(trace_scores(values), tuple)
    assert score_of(values).source in ("user", "human", "model", "code")


@settings(max_examples=100)
@given(_ATTRIBUTES)
def test_the_order_of_attributes_does_not_matter(values: dict[str, Any]) -> None:
    turned = dict(reversed(values.items()))
    assert repr(read_span(span(values))) == repr(read_span(span(turned)))
    assert labels_of(values) == labels_of(turned)


_CURRENT = st.fixed_dictionaries(
    {
        "gen_ai.operation.name": st.sampled_from(
            ("chat", "text_completion", "execute_tool", "invoke_agent", "embeddings", "", "plan")
        )
    },
    optional={
        "gen_ai.system_instructions": _ANY | st.just('[{"type": "text", "content": "x"}]'),
        "gen_ai.input.messages": _ANY | st.just('[{"role": "user", "parts": []}]'),
        "gen_ai.output.messages": _ANY | st.just('[{"role": "assistant", "parts": []}]'),
        "gen_ai.tool.name": _ANY | st.just("track"),
        "gen_ai.tool.call.id": _ANY | st.just("c1"),
        "gen_ai.tool.call.arguments": _ANY | st.just('{"a": 1}'),
        "gen_ai.tool.call.result": _ANY | st.sampled_from(("depot", '{"error": "x"}', "{}")),
        "gen_ai.response.model": _ANY | st.just("gpt-4o"),
        "gen_ai.request.model": _ANY | st.just("gpt-4o"),
        "gen_ai.provider.name": _ANY | st.just("openai"),
        "gen_ai.usage.input_tokens": _ANY | st.integers(0, 99),
        "gen_ai.usage.output_tokens": _ANY | st.integers(0, 99),
        "gen_ai.usage.cache_read.input_tokens": st.integers(0, 99),
        "gen_ai.conversation.id": _TEXT,
        "gen_ai.agent.name": _TEXT,
        "gen_ai.prompt.2.content": _TEXT,
        "error.type": st.just("KeyError"),
        "tool.success": st.booleans(),
        "http.method": _TEXT,
    },
)


@settings(max_examples=400)
@given(_CURRENT)
def test_the_short_way_and_the_long_way_read_the_same(values: dict[str, Any]) -> None:
    one = span(values, "execute_tool track")
    # repr, since a NaN is not equal to itself.
    assert repr(read_span(one)) == repr(read_any(one))
