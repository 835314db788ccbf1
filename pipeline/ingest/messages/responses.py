"""What a model answered, out of the envelopes that vendors put around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from pipeline.ingest.messages.roles import finish_reason
from pipeline.ingest.messages.turns import read_turn
from pipeline.ingest.messages.values import first
from pipeline.ingest.records import Message

__all__ = ["enclosed", "first_choice", "first_generations", "with_reason"]

_REASONS = ("finish_reason", "finishReason", "stop_reason", "stopReason", "done_reason")


def with_reason(messages: list[Message], raw: Mapping[str, Any]) -> list[Message]:
    """Give an answer the reason that its envelope states."""
    told = first(raw, _REASONS)
    incomplete = raw.get("incomplete_details")  # the Responses API
    if told is None and isinstance(incomplete, Mapping):
        told = incomplete.get("reason")
    reason, last = finish_reason(told), messages[-1]
    if reason is None or last.role != "assistant" or last.finish_reason is not None:
        return messages
    return [*messages[:-1], replace(last, finish_reason=reason)]


def enclosed(raw: Mapping[str, Any]) -> list[Message] | None:
    """A choice, a candidate, a model's response around one message."""
    for key in ("message", "content", "delta"):
        inner = raw.get(key)
        if not isinstance(inner, Mapping):
            continue
        spoken = {"role": "assistant", **inner} if key != "content" else inner
        if key == "content" and not isinstance(inner.get("parts"), list):
            continue
        reason = first(raw, _REASONS)
        if finish_reason(reason) and "finish_reason" not in inner:
            spoken = {**spoken, "finish_reason": reason}
        return read_turn(spoken, "assistant")
    return None


def first_choice(choices: list[Any]) -> list[Message] | None:
    """The first of several answers to one prompt: the conversation goes on with it."""
    chosen = choices[0] if choices else None
    if not isinstance(chosen, Mapping):
        return None
    if isinstance(chosen.get("text"), str):
        reason = finish_reason(first(chosen, ("finish_reason", "finishReason")))
        return [Message("assistant", chosen["text"], finish_reason=reason)]
    return enclosed(chosen) or read_turn(chosen, "assistant")


def first_generations(batches: list[Any]) -> list[Message]:
    """LangChain's LLMResult: of every prompt the first generation."""
    messages: list[Message] = []
    for batch in batches:
        chosen = batch[0] if isinstance(batch, list) and batch else batch
        if not isinstance(chosen, Mapping):
            continue
        info = chosen.get("generation_info")
        reason = first(info, ("finish_reason",)) if isinstance(info, Mapping) else None
        message = chosen.get("message")
        found = read_turn(message, "assistant") if isinstance(message, Mapping) else None
        if found is None and isinstance(chosen.get("text"), str):
            found = [Message("assistant", chosen["text"])]
        if found and found[-1].finish_reason is None:
            found[-1] = replace(found[-1], finish_reason=finish_reason(reason))
        messages += found or []
    return messages
