"""What a span is: a model call, a tool call, a retrieval, an agent, or something else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipeline.ingest.content import loads
from pipeline.ingest.dialects.aliases import KINDS
from pipeline.ingest.dialects.lookup import first
from pipeline.ingest.records import Span

__all__ = ["kind_of"]

_TOOL = (
    "gen_ai.tool.name",
    "gen_ai.tool.call.id",
    "gcp.vertex.agent.tool_call_args",
    "lk.function_tool.name",
    "tool.name",
    "tool_name",
    "tool_arguments",
    "tool_response",
    "openai.agents.function.name",
)
_AGENT = (
    "pydantic_ai.all_messages",
    "all_messages_events",
    "gen_ai.agent.name",
    "agent.name",
    "agent_name",
    "lk.agent_name",
    "lk.user_transcript",
    "lk.chat_ctx",
    "ai.prompt",
)
_MODEL = (
    "gen_ai.request.model",
    "gen_ai.response.model",
    "llm.model_name",
    "llm.request.model",
    "llm.response.model",
    "llm.model",
    "mlflow.llm.model",
    "langfuse.observation.model.name",
)
_RETRIEVAL = ("gen_ai.retrieval.documents", "gen_ai.retrieval.query.text", "retrieval.query")
_MODEL_EVENTS = (
    "gen_ai.choice",
    "gen_ai.user.message",
    "gen_ai.content.prompt",
    "gen_ai.content.completion",
)
# Speech is heard and said, but no model call of the conversation.
_SPEECH = ("lk.tts.label", "lk.tts.streaming", "lk.input_text", "lk.pii.input_text")
_DATABASES = ("chroma", "pinecone", "qdrant", "weaviate", "milvus", "marqo", "lancedb", "vespa")
_BEEAI = re.compile(r"tool\..+\.(start|finish)")
_SEARCHES = ("query", "search", "query_points", "similarity_search", "search_batch", "near_text")


def kind_of(span: Span) -> str:
    """llm, tool, retrieval, agent, other, or mute: other, and no part of the conversation.

    What an attribute says it is comes first; then what only such a span carries.
    """
    values = span.attributes
    if values.get("gen_ai.tool.name") == "(merged tools)":
        # Google ADK repeats tools that ran side by side in one more span.
        return "mute"
    if isinstance(values.get("target"), str) and _BEEAI.fullmatch(values["target"]):
        # BeeAI's first instrumentation made a span of every event; `success` holds the tool's run.
        return "mute"
    for name, meanings in KINDS.items():
        value = values.get(name)
        if isinstance(value, str) and (kind := meanings.get(value.strip('"').lower())) is not None:
            return kind
    operation = values.get("operation.name")
    if isinstance(operation, str) and operation.startswith("ai."):
        # The Vercel AI SDK puts the function's id behind the operation.
        kind = KINDS["ai.operationId"].get(operation.partition(" ")[0].lower())
        if kind is not None:
            return kind
    return _inferred(span, values)


def _inferred(span: Span, values: Mapping[str, Any]) -> str:
    if first(values, _TOOL) is not None or _answers_a_call(values):
        return "tool"
    if first(values, ("gcp.vertex.agent.llm_request", "gen_ai.input.messages")) is not None:
        return "agent" if "gen_ai.agent.name" in values and not _has_model(values) else "llm"
    if any(name in values for name in _SPEECH):
        return "mute"
    if first(values, ("pydantic_ai.all_messages", "all_messages_events")) is not None:
        return "agent"
    if _has_model(values) or any(name in _MODEL_EVENTS for name, _ in span.events):
        return "llm"
    if first(values, _AGENT) is not None:
        return "agent"
    if any(name in values for name in _RETRIEVAL) or _searches(span, values):
        return "retrieval"
    spread = ("gen_ai.prompt.0.role", "gen_ai.prompt.0.content", "gen_ai.prompt")
    if any(name in values for name in (*spread, "llm.input_messages.0.message.role")):
        return "llm"
    documents = ("retrieval.documents.0.document.content", "retrieval.documents.0.document.id")
    return "retrieval" if any(name in values for name in documents) else "other"


def _answers_a_call(values: Mapping[str, Any]) -> bool:
    """Whether what came out is one tool message: a tool of LangGraph in a span without a type."""
    told = loads(first(values, ("langfuse.observation.output", "output.value")))
    return isinstance(told, Mapping) and told.get("type") == "tool" and "tool_call_id" in told


def _has_model(values: Mapping[str, Any]) -> bool:
    return first(values, _MODEL) is not None


def _searches(span: Span, values: Mapping[str, Any]) -> bool:
    """Whether the span is a search in a vector database, as OpenLLMetry records them."""
    if any(name in ("db.query.result", "db.search.result") for name, _ in span.events):
        return True
    system = first(values, ("db.system", "db.system.name"))
    if not isinstance(system, str) or not system.lower().startswith(_DATABASES):
        return False
    operation = first(values, ("db.operation", "db.operation.name")) or span.name
    return isinstance(operation, str) and operation.lower().rpartition(".")[2] in _SEARCHES
