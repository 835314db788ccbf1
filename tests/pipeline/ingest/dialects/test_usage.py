"""Tokens with their cached part, and dollars."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pipeline.ingest.dialects.one_span import read

READ, WRITTEN = "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_creation.input_tokens"


@pytest.mark.parametrize(
    ("values", "tokens"),
    [
        pytest.param(
            # OpenAI: 80 of the 100 were cached.
            {
                "gen_ai.provider.name": "openai",
                "gen_ai.usage.input_tokens": 100,
                READ: 80,
                "gen_ai.usage.output_tokens": 10,
            },
            (100, 10, 80),
            id="within by the convention",
        ),
        pytest.param(
            # Anthropic's own numbers: 20 fresh + 70 read + 10 written = 100, though the
            # convention would have had them summed; 80 of 20 cannot be.
            {
                "gen_ai.provider.name": "anthropic",
                "gen_ai.usage.input_tokens": 20,
                READ: 70,
                WRITTEN: 10,
                "gen_ai.usage.output_tokens": 10,
            },
            (100, 10, 70),
            id="a part is no larger than the whole",
        ),
        pytest.param(
            {
                "gen_ai.provider.name": "anthropic",
                "gen_ai.usage.input_tokens": 100,
                READ: 70,
                WRITTEN: 10,
                "gen_ai.usage.output_tokens": 10,
            },
            (100, 10, 70),
            id="summed by a conforming instrumentation",
        ),
        pytest.param(
            # Hand-written from Anthropic's answer: 100 + 50 + 30.
            {
                "gen_ai.system": "anthropic",
                "gen_ai.usage.input_tokens": 100,
                "gen_ai.usage.cache_read_input_tokens": 50,
                "gen_ai.usage.cache_creation_input_tokens": 30,
                "gen_ai.usage.output_tokens": 10,
            },
            (180, 10, 50),
            id="beside by the provider",
        ),
        pytest.param(
            # OpenLLMetry sums, and its total shows it: 180 + 10 = 190.
            {
                "gen_ai.system": "anthropic",
                "gen_ai.usage.input_tokens": 180,
                "gen_ai.usage.cache_read_input_tokens": 50,
                "gen_ai.usage.cache_creation_input_tokens": 30,
                "gen_ai.usage.output_tokens": 10,
                "llm.usage.total_tokens": 190,
            },
            (180, 10, 50),
            id="within by the total",
        ),
        pytest.param(
            # Strands over Bedrock: 100 + 50 + 30 + 10 = 190.
            {
                "gen_ai.system": "strands-agents",
                "gen_ai.usage.input_tokens": 100,
                "gen_ai.usage.cache_read_input_tokens": 50,
                "gen_ai.usage.cache_write_input_tokens": 30,
                "gen_ai.usage.output_tokens": 10,
                "gen_ai.usage.total_tokens": 190,
            },
            (180, 10, 50),
            id="beside by the total",
        ),
        pytest.param(
            {
                "openinference.span.kind": "LLM",
                "llm.provider": "anthropic",
                "llm.token_count.prompt": 180,
                "llm.token_count.prompt_details.cache_read": 50,
                "llm.token_count.prompt_details.cache_write": 30,
                "llm.token_count.completion": 10,
            },
            (180, 10, 50),
            id="openinference sums",
        ),
        pytest.param(
            # Version 5 adds input + output, whatever the provider left out of the input.
            {
                "ai.operationId": "ai.generateText.doGenerate",
                "ai.model.provider": "anthropic.messages",
                "ai.usage.inputTokens": 100,
                "ai.usage.cachedInputTokens": 50,
                "ai.usage.outputTokens": 10,
                "ai.usage.totalTokens": 110,
            },
            (150, 10, 50),
            id="vercel 5",
        ),
        pytest.param(
            {
                "ai.operationId": "ai.generateText.doGenerate",
                "ai.model.provider": "anthropic.messages",
                "ai.usage.inputTokens": 150,
                "ai.usage.cachedInputTokens": 50,
                "ai.usage.inputTokenDetails.cacheReadTokens": 50,
                "ai.usage.outputTokens": 10,
                "ai.usage.totalTokens": 160,
            },
            (150, 10, 50),
            id="vercel 6",
        ),
        pytest.param(
            {
                "ai.operationId": "ai.generateText.doGenerate",
                "ai.model.provider": "anthropic.messages",
                "ai.usage.inputTokens": 20,
                "ai.usage.outputTokens": 10,
                "ai.response.providerMetadata": '{"anthropic": {"usage": {"input_tokens": 20, '
                '"cache_read_input_tokens": 50, "cache_creation_input_tokens": 30}}}',
            },
            (100, 10, 50),
            id="vercel with the provider's own usage",
        ),
        pytest.param(
            {
                "span.type": "llm_request",
                "input_tokens": 100,
                "cache_read_tokens": 50,
                "cache_creation_tokens": 30,
                "output_tokens": 10,
            },
            (180, 10, 50),
            id="claude code",
        ),
        pytest.param(
            # Langfuse's types do not overlap: 20 + 50 + 30.
            {
                "langfuse.observation.type": "GENERATION",
                "langfuse.observation.usage_details": {
                    "input": 20,
                    "input_cached_tokens": 50,
                    "input_cache_creation": 30,
                    "output": 4,
                    "output_reasoning_tokens": 6,
                    "total": 110,
                },
            },
            (100, 10, 50),
            id="langfuse",
        ),
        pytest.param(
            {
                "langfuse.observation.type": "GENERATION",
                "langfuse.observation.usage_details": '{"input": 100, "output": 10, "total": 110, '
                '"input_cache_read": 50, "output_reasoning": 6}',
            },
            (100, 10, 50),
            id="langfuse with parts that overlap",
        ),
        pytest.param(
            {
                "langsmith.span.kind": "llm",
                "langsmith.usage_metadata": {
                    "input_tokens": 100,
                    "output_tokens": 10,
                    "input_token_details": {"cache_read": 50},
                },
            },
            (100, 10, 50),
            id="langchain",
        ),
        pytest.param(
            # Google ADK: 6 said + 4 thought.
            {
                "gen_ai.system": "gcp.vertex.agent",
                "gen_ai.usage.input_tokens": 100,
                "gen_ai.usage.output_tokens": 6,
                "gen_ai.usage.experimental.reasoning_tokens": 4,
            },
            (100, 10, None),
            id="google's thoughts",
        ),
        pytest.param(
            {
                "gen_ai.usage.input_tokens": 100,
                "gen_ai.usage.output_tokens": 10,
                "gen_ai.usage.reasoning.output_tokens": 4,
            },
            (100, 10, None),
            id="reasoning within",
        ),
        pytest.param(
            {"openinference.span.kind": "EMBEDDING", "llm.token_count.total": 9},
            (9, None, None),
            id="an embedding's total is its input",
        ),
    ],
)
def test_tokens_include_the_cached(values: dict[str, Any], tokens: tuple[int, ...]) -> None:
    content = read(values)
    assert (content.input_tokens, content.output_tokens, content.cached_tokens) == tokens


@pytest.mark.parametrize("odd", [-1, float("nan"), 10**30, "many", True, [3], {"a": 1}, "9" * 50])
def test_nonsense_is_no_count_and_no_cost(odd: Any) -> None:
    content = read({"gen_ai.usage.input_tokens": odd, "gen_ai.usage.cost": odd})
    assert (content.input_tokens, content.cost_usd) == (None, None)


@pytest.mark.parametrize(
    ("values", "dollars"),
    [
        ({"gen_ai.usage.cost": 0.5}, 0.5),
        ({"gen_ai.usage.total_cost": "0.5"}, 0.5),
        ({"operation.cost": "0.5"}, 0.5),
        ({"llm.cost.total": 0.5, "llm.cost.prompt": 0.1}, 0.5),
        ({"llm.cost.prompt": 0.25, "llm.cost.completion": 0.25}, 0.5),
        ({"gen_ai.usage.input_cost": 0.25, "gen_ai.usage.output_cost": "0.25"}, 0.5),
        ({"langfuse.observation.cost_details": {"input": 0.1, "total": 0.5}}, 0.5),
        ({"langfuse.observation.cost_details": '{"input": 0.25, "output": 0.25}'}, 0.5),
        ({"langsmith.total_cost": "0.5"}, 0.5),
        ({"mlflow.llm.cost": '{"input_cost": 0.1, "total_cost": 0.5}'}, 0.5),
        ({}, None),
    ],
)
def test_cost_is_a_total_or_the_sum_of_its_parts(
    values: dict[str, Any], dollars: float | None
) -> None:
    assert read(values).cost_usd == dollars
