"""Tokens of one span, whoever counted: cached input and reasoning are included."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from pipeline.ingest.content import loads
from pipeline.ingest.dialects.aliases import (
    CACHE_READ,
    CACHE_WRITE,
    INPUT_TOKENS,
    MODEL,
    OUTPUT_TOKENS,
    PROVIDER,
    REASONING,
    TOTAL_TOKENS,
)
from pipeline.ingest.dialects.lookup import (
    count,
    first_count,
    first_text,
)

__all__ = ["Usage", "usage_of"]

# Anthropic and Bedrock count what was read from and written to the cache beside the input.
_ADDITIVE_INPUT = ("anthropic", "bedrock", "claude")
# Where these stand, the input was defined to include the cache, whoever the provider is.
_INCLUSIVE = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.details.cache_read_tokens",
    "gen_ai.usage.details.cache_write_tokens",
    "gen_ai.usage.prompt_tokens_details.cached_tokens",
    "gen_ai.usage.input_tokens_details.cached_tokens",
    "gen_ai.aggregated_usage.cache_read.input_tokens",
    "llm.token_count.prompt_details.cache_read",
    "llm.token_count.prompt_details.cache_write",
    "ai.usage.inputTokenDetails.cacheReadTokens",
    "ai.usage.inputTokenDetails.cacheWriteTokens",
)
# Claude Code counts as Anthropic does, and names no provider.
_ADDITIVE = ("cache_read_tokens", "cache_creation_tokens")
# Google's own count of candidates leaves the thoughts out; ADK passes both on.
_ADDITIVE_REASONING = ("gen_ai.usage.experimental.reasoning_tokens",)
_VERCEL_VERSION = re.compile(r"ai/(\d{1,3})\.")
# Where a platform keeps its counts as one structure.
_STRUCTURES = ("langsmith.usage_metadata", "mlflow.chat.tokenUsage", "mlflow.trace.tokenUsage")


class Usage(msgspec.Struct, frozen=True):
    """Tokens of one span; `input` includes `cached`, `output` includes reasoning."""

    input: int | None = None
    output: int | None = None
    cached: int | None = None


def usage_of(values: Mapping[str, Any]) -> Usage:
    """Tokens, with cached ones in the input and reasoning in the output.

    Providers differ. OpenAI and Gemini count cached tokens within the input; Anthropic and Bedrock
    count them beside it. The OTel GenAI conventions ask that `gen_ai.usage.input_tokens` include
    them (registry, notes on `input_tokens` and `cache_read.input_tokens`); the OpenInference and
    OpenLLMetry instrumentations, LangChain, MLflow, Pydantic AI and the Vercel AI SDK from version
    6 do sum them, while Strands, Claude Code, Vercel before 6 and hand-written code hand the
    provider's numbers on. In order:

    1. the provider's own usage, where the Vercel AI SDK keeps it, is added up;
    2. more cached tokens than input, or a total that equals input + cached + output, prove them
       beside it; a total that equals input + output proves them within (but for Vercel's, which
       adds up what it has);
    3. a name defined as part of the input settles it;
    4. else the provider or the model does: Anthropic and Bedrock beside, all others within.

    Reasoning is part of the output but where a total, or more reasoning than output, proves it
    beside, or where the name is Google ADK's.
    """
    given = first_count(values, INPUT_TOKENS)
    said = first_count(values, OUTPUT_TOKENS)
    if given is None and said is None and (counted := _structured(values)) is not None:
        return counted
    read = first_count(values, CACHE_READ)
    written = first_count(values, CACHE_WRITE)
    total = first_count(values, TOTAL_TOKENS)
    if given is None and said is None:
        # Embeddings and rerankers give a total alone, and all of it is input.
        total = total if total is not None else first_count(values, ("ai.usage.tokens",))
        return Usage(total, None, read)
    if "ai.response.providerMetadata" in values:
        told = _from_provider(values["ai.response.providerMetadata"])
        if told is not None:
            return Usage(told.input or given, said, told.cached)
    cached = (read or 0) + (written or 0)
    if given is not None and cached and _beside(values, given, said, cached, total):
        given += cached
    reasoning = first_count(values, REASONING) or 0
    if said is not None and reasoning:
        proven = total is not None and given is not None and total == given + said + reasoning
        if proven or reasoning > said or any(name in values for name in _ADDITIVE_REASONING):
            said += reasoning
    return Usage(given, said, read)


def _beside(
    values: Mapping[str, Any], given: int, said: int | None, cached: int, total: int | None
) -> bool:
    """Whether cached tokens stand beside the input rather than in it; see `usage_of`."""
    if cached > given:
        return True
    if total is not None and said is not None:
        if total == given + cached + said:
            return True
        if total == given + said and "ai.usage.totalTokens" not in values:
            return False
    if any(name in values for name in _INCLUSIVE):
        return False
    if any(name in values for name in _ADDITIVE):
        return True
    agent = values.get("ai.request.headers.user-agent")
    version = _VERCEL_VERSION.search(agent) if isinstance(agent, str) else None
    if version is not None and int(version.group(1)) >= 6:
        return False
    names = (first_text(values, PROVIDER), first_text(values, MODEL))
    return any(word in (name or "").lower() for name in names for word in _ADDITIVE_INPUT)


def _from_provider(metadata: Any) -> Usage | None:
    """Input and cached tokens as Anthropic itself counted them, in the Vercel AI SDK's span."""
    told = loads(metadata)
    own = told.get("anthropic") if isinstance(told, Mapping) else None
    usage = own.get("usage") if isinstance(own, Mapping) else None
    if not isinstance(usage, Mapping):
        return None
    fresh = count(usage.get("input_tokens"))
    read = count(usage.get("cache_read_input_tokens"))
    written = count(usage.get("cache_creation_input_tokens"))
    if fresh is None or (read is None and written is None):
        return None
    return Usage(fresh + (read or 0) + (written or 0), None, read)


def _structured(values: Mapping[str, Any]) -> Usage | None:
    """Counts that a platform keeps as one structure, often JSON text."""
    details = loads(values.get("langfuse.observation.usage_details"))
    if isinstance(details, Mapping) and (usage := _langfuse(details)) is not None:
        return usage
    for name in _STRUCTURES:
        told = loads(values.get(name))
        if isinstance(told, Mapping) and (usage := _plain_counts(told, values)) is not None:
            return usage
    return None


def _langfuse(details: Mapping[str, Any]) -> Usage | None:
    """Langfuse's usage types: `input` and `input_*` do not overlap, nor do `output` and `output_*`.

    Its intake subtracts cached and reasoning tokens from what SDKs report (source: its
    OtelIngestionProcessor). A total that equals input + output alone says that they overlap.
    """
    if "input" not in details and "output" not in details:
        return _plain_counts(details, {})
    counts = {
        str(name): number for name, raw in details.items() if (number := count(raw)) is not None
    }
    given, said = counts.get("input"), counts.get("output")
    if given is None and said is None:
        return None
    beside = {n: c for n, c in counts.items() if n.startswith(("input_", "cache_"))}
    more = {n: c for n, c in counts.items() if n.startswith("output_")}
    cached = [
        number
        for name, number in counts.items()
        if "cache" in name and "creation" not in name and "write" not in name
    ]
    if counts.get("total") != (given or 0) + (said or 0):
        given = given if given is None and not beside else (given or 0) + sum(beside.values())
        said = said if said is None and not more else (said or 0) + sum(more.values())
    return Usage(given, said, max(cached, default=None))


def _plain_counts(told: Mapping[str, Any], values: Mapping[str, Any]) -> Usage | None:
    """LangChain's `usage_metadata`, MLflow's `tokenUsage`, or an OpenAI or Anthropic `usage`."""
    given = first_count(told, ("input_tokens", "prompt_tokens", "inputTokens", "promptTokens"))
    said = first_count(
        told, ("output_tokens", "completion_tokens", "outputTokens", "completionTokens")
    )
    if given is None and said is None:
        return None
    details = _mapping(told, "input_token_details", "input_tokens_details", "prompt_tokens_details")
    read = first_count(told, ("cache_read_input_tokens", "cached_input_tokens"))
    read = first_count(details, ("cache_read", "cached_tokens")) if read is None else read
    written = first_count(told, ("cache_creation_input_tokens",))
    written = first_count(details, ("cache_creation",)) if written is None else written
    cached = (read or 0) + (written or 0)
    total = first_count(told, ("total_tokens", "totalTokens"))
    if (
        given is not None
        and cached
        and (cached > given or (said is not None and total == given + cached + said))
    ):
        given += cached
    return Usage(given, said, read)


def _mapping(told: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    return next((v for n in names if isinstance(v := told.get(n), Mapping)), {})
