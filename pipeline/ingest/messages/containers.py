"""Objects and lists that hold messages: requests, responses, states, batches, in- and outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.ingest.messages.genai import one_text
from pipeline.ingest.messages.kinds import are_parts, kind_of
from pipeline.ingest.messages.openai import plain_message
from pipeline.ingest.messages.parts import read_parts
from pipeline.ingest.messages.responses import (
    enclosed,
    first_choice,
    first_generations,
    with_reason,
)
from pipeline.ingest.messages.roles import ROLES
from pipeline.ingest.messages.texts import opened, spoken_lines
from pipeline.ingest.messages.turns import read_turn
from pipeline.ingest.messages.values import first, json_text
from pipeline.ingest.records import Message

__all__ = ["recognised"]

_DEEPEST = 12  # envelopes around envelopes
_SYSTEM = (
    *("system", "instructions", "system_instruction", "systemInstruction", "system_prompt"),
    *("systemPrompt", "system_message", "preamble", "developer_instructions"),
)
_HISTORY = ("chat_history", "history", "message_history", "chatHistory", "conversation_history")
_HEARD = (
    *("messages", "contents", "input_messages", "new_message", "input", "inputs", "question"),
    *("query", "prompt", "prompts", "user_input", "user_message", "user_prompt", "task", "goal"),
    *(
        "new_messages",
        "chat_messages",
        "user_query",
        "instruction",
        "request",
        "str_or_query_bundle",
    ),
)
_SAID = (
    *("choices", "candidates", "generations", "output", "outputs", "answer", "response"),
    *("result", "completion", "final_output", "finalOutput", "final_answer", "generated_text"),
    *("reply", "raw", "output_text", "object", "return_values", "generation", "all_messages"),
)
_NEUTRAL = ("message", "content", "text", "value", "data", "parts", "kwargs", "args")
# Items of the Responses API stand for themselves: history gives them in any order.
_ITEMS = ("function_call", "function_call_output", "reasoning", "message", "item_reference")


def recognised(value: Any, role: str, depth: int = 0) -> list[Message] | None:
    """The messages of a value in which some known shape shows; None where none does."""
    if depth > _DEEPEST:
        return None
    if isinstance(value, str):
        value = opened(value)
        if isinstance(value, str):
            return None
    if isinstance(value, Mapping):
        return _of_object(value, role, depth)
    return _of_list(value, role, depth) if isinstance(value, list) else None


def _of_list(items: list[Any], role: str, depth: int) -> list[Message] | None:
    if not items:
        return []
    if all(isinstance(item, str) for item in items):
        pair = len(items) == 2 and items[0] in ROLES
        if pair:
            return [Message(ROLES[items[0]], items[1])]
        turns = spoken_lines(items)
        return _of_list(turns, role, depth) if turns else _each(items, role, depth)
    if all(isinstance(item, list) for item in items):
        batches = [recognised(item, role, depth + 1) for item in items]
        known = all(batch is not None for batch in batches)
        return [message for batch in batches for message in batch or ()] if known else None
    messages: list[Message] = []
    spoken = False
    for item in items:
        found = _of_item(item, depth)
        if found is None:
            found = [] if item is None else _left_over(item, role)
        else:
            spoken = True
        messages += found
    if spoken:
        return messages
    return read_parts(items, role) if are_parts(items) else None


def _of_item(item: Any, depth: int) -> list[Message] | None:
    """A message in a list of them; bare parts are none."""
    if isinstance(item, Mapping):
        message = one_text(item) or plain_message(item)
        if message is not None:
            return [message]
        turn = read_turn(item)
        if turn is not None:
            return turn
        if item.get("type") in _ITEMS and kind_of(item) in ("call", "result", "dropped"):
            return read_parts([item], "assistant")
        inner = first(item, ("message", "messages", "choices", "generations", "raw_message"))
        if isinstance(inner, Mapping | list):
            return _of_object(item, "assistant", depth + 1)
    if isinstance(item, list):
        return recognised(item, "user", depth + 1)
    return None


def _left_over(item: Any, role: str) -> list[Message]:
    """What stands among messages and is none: a part by its kind, anything else as it is."""
    if isinstance(item, Mapping) and kind_of(item) is not None:
        return read_parts([item], role)
    return [Message(role, json_text(item))]


def _each(items: Iterable[Any], role: str, depth: int) -> list[Message] | None:
    """Every one of a batch, a text where it is nothing else."""
    messages: list[Message] = []
    for item in items:
        found = recognised(item, role, depth + 1)
        if found is None:
            found = [Message(role, json_text(item))] if item not in ("", "None", "null") else []
        messages += found
    return messages


def _of_object(raw: Mapping[str, Any], role: str, depth: int) -> list[Message] | None:
    if set(raw) == {"args", "kwargs"} and not raw["args"] and not raw["kwargs"]:
        return []
    turn = read_turn(raw)
    if turn is not None:
        return turn
    if kind_of(raw) is not None and kind_of(raw) != "media" and "type" in raw:
        return read_parts([raw], role)
    if "toolCalls" in raw or "tool_calls" in raw:
        return read_turn(raw, "assistant")
    answered = enclosed(raw)
    if answered is not None:
        return answered
    history = _side(raw, _HISTORY, "user", depth)
    messages = [
        *history,
        *_side(raw, (*_HEARD, "message") if history else _HEARD, "user", depth),
        *_side(raw, _SAID, "assistant", depth),
    ] or _side(raw, _NEUTRAL, role, depth)
    if messages:
        return [*_system(raw, depth), *with_reason(messages, raw)]
    return _only_value(raw, role, depth)


def _side(raw: Mapping[str, Any], names: Iterable[str], role: str, depth: int) -> list[Message]:
    """What the first telling field of several holds."""
    for name in names:
        value = raw.get(name)
        if value is None or value == "" or isinstance(value, bool | int | float):
            continue
        if name == "object" and isinstance(value, str):  # the kind of an OpenAI resource
            continue
        found = None
        if name in ("choices", "candidates") and isinstance(value, list):
            found = first_choice(value)
        elif name == "generations" and isinstance(value, list):
            found = first_generations(value)
        elif name == "args" and not (isinstance(value, list) and len(value) == 1):
            continue
        if found is None:
            found = recognised(value, role, depth + 1)
            if found is None and (name not in _NEUTRAL or isinstance(value, str)):
                found = [Message(role, json_text(value))]
        if found:
            return found
    return []


def _system(raw: Mapping[str, Any], depth: int) -> list[Message]:
    told = _side(raw, _SYSTEM, "system", depth)
    config = raw.get("config")
    if not told and isinstance(config, Mapping):
        told = _side(config, _SYSTEM, "system", depth)
    return [Message("system", message.content) for message in told if message.content is not None]


def _only_value(raw: Mapping[str, Any], role: str, depth: int) -> list[Message] | None:
    """What is in the one field of an envelope, as in LangGraph's updates by node."""
    if len(raw) != 1:
        return None
    inner = next(iter(raw.values()))
    return recognised(inner, role, depth + 1) if isinstance(inner, Mapping | list) else None
