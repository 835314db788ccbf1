"""The two commonest shapes straight from their JSON text: GenAI messages with parts, and OpenAI's.

A million spans hold several million messages: what deviates in anything raises at once and is
read by the general way, which says the same of what is read here.
"""

from __future__ import annotations

from typing import Any

import msgspec

from pipeline.ingest.messages.prose import result_text
from pipeline.ingest.messages.roles import ROLES, finish_reason
from pipeline.ingest.messages.values import call_id, joined, json_text
from pipeline.ingest.records import Call, Message

__all__ = [
    "DEVIATES",
    "decode_instructions",
    "decode_messages",
    "decode_turns",
    "turn_message",
]


class _Part(msgspec.Struct, gc=False):
    type: str
    content: str | None = None
    id: str | None = None
    name: str | None = None
    arguments: Any = None
    response: Any = None
    result: Any = None


class Turn(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A GenAI message as it was written."""

    role: str
    parts: list[_Part]
    finish_reason: str | None = None
    name: str | None = None


class _Function(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    name: str
    arguments: str


class _Call(msgspec.Struct, gc=False):
    function: _Function
    id: str | None = None


class _OpenAI(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    role: str
    content: str | None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None
    name: str | None = None
    refusal: None = None


class _Text(msgspec.Struct, gc=False, forbid_unknown_fields=True, tag="text", tag_field="type"):
    content: str


_TEXTS = msgspec.json.Decoder(list[_Text])
_GENAI = msgspec.json.Decoder(list[Turn])
_OPENAI = msgspec.json.Decoder(list[_OpenAI])
DEVIATES = (msgspec.DecodeError, LookupError, RecursionError, UnicodeError)
"""What is raised at a text in neither of the two shapes."""


def decode_messages(text: str) -> list[Message] | None:
    """The messages of a JSON text in one of the two shapes; None where it is in neither."""
    if not text.startswith('[{"'):
        return None
    try:
        if _has_parts(text):
            return [turn_message(turn) for turn in _GENAI.decode(text)]
        return [_openai(message) for message in _OPENAI.decode(text)]
    except DEVIATES:
        return None


def decode_turns(text: str) -> list[Turn]:
    """The GenAI messages of a JSON text, not yet read; `turn_message` reads one.

    Raises:
        one of DEVIATES: it holds something else.
    """
    if not (text.startswith('[{"') and _has_parts(text)):
        raise LookupError
    turns: list[Turn] = _GENAI.decode(text)
    return turns


def _has_parts(text: str) -> bool:
    return text.find('"parts"', 0, 4096) > 0


def decode_instructions(text: str) -> list[Message] | None:
    """The system prompt of the GenAI conventions, if it is a list of nothing but texts."""
    try:
        parts = _TEXTS.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return None
    said = joined(part.content for part in parts if part.content)
    return [Message("system", said)] if said else []


def turn_message(raw: Turn) -> Message:
    """One message with parts.

    Raises:
        LookupError: it is more than one message, or holds a part of another kind.
    """
    role, parts = ROLES[raw.role], raw.parts
    reason = None if raw.finish_reason is None else finish_reason(raw.finish_reason)
    if len(parts) == 1:
        part = parts[0]
        if part.type == "text" and part.content is not None and role != "tool":
            return Message(role, part.content, (), None, raw.name or None, reason)
        if part.type == "tool_call_response" and reason is None:
            value = part.response if part.response is not None else part.result
            if value is not None and value != "":
                name = part.name or raw.name or None
                return Message("tool", result_text(value), (), call_id(part.id), name)
        if part.type == "tool_call" and part.name and part.arguments not in (None, ""):
            call = Call(call_id(part.id), part.name, json_text(part.arguments))
            return Message("assistant", None, (call,), None, raw.name or None, reason)
    texts = [part.content for part in parts if part.type == "text"]
    calls = tuple(
        Call(call_id(part.id), part.name, json_text(part.arguments))
        for part in parts
        if part.type == "tool_call" and part.name and part.arguments not in (None, "")
    )
    if not calls or len(texts) + len(calls) != len(parts) or None in texts:
        raise LookupError
    text = joined(text for text in texts if text)
    return Message("assistant", text or None, calls, None, raw.name or None, reason)


def _openai(raw: _OpenAI) -> Message:
    """One chat message.

    Raises:
        LookupError: its content may be something other than text.
    """
    role, content = ROLES[raw.role], raw.content
    if content is None or content == "":
        if not raw.tool_calls:
            raise LookupError
        content = None
    elif content[0] == "[" or (role == "tool" and content[0] == '"'):
        raise LookupError
    if not raw.tool_calls:
        answered = raw.tool_call_id if role == "tool" else None
        if answered is not None:
            answered = call_id(answered)
        return Message(role, content, (), answered, raw.name or None)
    calls = tuple(
        Call(call_id(call.id), call.function.name, call.function.arguments)
        for call in raw.tool_calls
        if call.function.name and call.function.arguments
    )
    if len(calls) != len(raw.tool_calls):
        raise LookupError
    return Message("assistant", content, calls, None, raw.name or None)
