"""Prompts and answers of the Vercel AI SDK (`ai.*`), outer and inner spans, versions 4 to 6."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pipeline.ingest.content import loads
from pipeline.ingest.dialects.lookup import first
from pipeline.ingest.messages.values import json_text

__all__ = ["exchange"]

T = TypeVar("T")


def exchange(values: Mapping[str, Any], make: Callable[[Any, Any, Any], T]) -> T:
    """System, heard and said of a `generateText`, `streamText` or `generateObject` span."""
    prompt = loads(values.get("ai.prompt"))
    system = None
    heard: Any = first(values, ("ai.prompt.messages",))
    if isinstance(prompt, Mapping):
        system = first(prompt, ("system",))
        heard = heard if heard is not None else first(prompt, ("messages", "prompt"))
    elif heard is None:
        heard = first(values, ("ai.prompt",))
    return make(system, heard, _answer(values))


def _answer(values: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The answer as one assistant message: text or object, and tool calls."""
    text = first(
        values, ("ai.response.text", "ai.response.object", "ai.result.text", "ai.result.object")
    )
    calls = loads(first(values, ("ai.response.toolCalls", "ai.result.toolCalls")))
    if text is None and not isinstance(calls, list):
        return None
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if isinstance(calls, list):
        message["tool_calls"] = [_call(call) for call in calls if isinstance(call, Mapping)]
    reason = first(values, ("ai.response.finishReason", "ai.finishReason"))
    if isinstance(reason, str):
        message["finish_reason"] = reason
    return [message]


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    arguments = first(call, ("input", "args", "arguments"))
    return {
        "id": first(call, ("toolCallId", "id")),
        "type": "function",
        "function": {
            "name": first(call, ("toolName", "name")) or "",
            "arguments": json_text({} if arguments is None else arguments),
        },
    }
