"""Messages and tool calls out of the shapes that vendors write them in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from pipeline.ids import canonical_json
from pipeline.ingest.records import Call, Message

__all__ = [
    "as_id",
    "as_json_text",
    "as_text",
    "calls_from_messages",
    "genai_messages",
    "loads",
    "merge_history",
    "openai_message",
    "outcome",
]

_ERROR_TEXT = re.compile(r"\s*(error|exception|traceback)\b", re.IGNORECASE)
_TIMEOUT = re.compile(r"time(d)?[ _-]?out|deadline", re.IGNORECASE)
_ROLES = {"developer": "system", "model": "assistant", "function": "tool", "human": "user"}


def loads(text: Any) -> Any:
    """Parse JSON text; what is no JSON text is returned as it is."""
    if isinstance(text, str):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
    return text


def as_json_text(value: Any) -> str:
    """A value as JSON text; text that already is JSON stays, byte for byte."""
    if isinstance(value, str):
        return value
    return canonical_json({} if value is None else value).decode()


def as_text(value: Any) -> str | None:
    """The prose of a content field: a string, a list of parts, or JSON of anything else."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        texts = [_part_text(part) for part in value]
        return "\n".join(text for text in texts if text)
    return canonical_json(value).decode()


def as_id(value: Any) -> str | None:
    """An id or a name as text; None where it is a structure."""
    return str(value) if isinstance(value, str | int) and value != "" else None


def _part_text(part: Any) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, Mapping):
        for name in ("text", "content"):
            if isinstance(part.get(name), str):
                return str(part[name])
        return f"[{part.get('modality') or part.get('type') or 'part'}]"
    return ""


def openai_message(raw: Mapping[str, Any]) -> Message:
    """One OpenAI-style chat message.

    Raises:
        KeyError, TypeError, AttributeError: it is none.
    """
    role = raw["role"]
    if not isinstance(role, str):
        raise TypeError("role is no text")
    calls = [_openai_call(call) for call in raw.get("tool_calls") or ()]
    if isinstance(raw.get("function_call"), Mapping):
        calls.append(_openai_call({"function": raw["function_call"]}))
    return Message(
        role=_ROLES.get(role, role),
        content=as_text(raw.get("content")),
        tool_calls=tuple(calls),
        tool_call_id=as_id(raw.get("tool_call_id")),
        name=as_id(raw.get("name")),
        finish_reason=as_id(raw.get("finish_reason")),
    )


def _openai_call(raw: Mapping[str, Any]) -> Call:
    function = raw.get("function") or raw
    return Call(
        as_id(raw.get("id")), str(function["name"]), as_json_text(function.get("arguments"))
    )


def genai_messages(raw: Any) -> list[Message]:
    """Messages of the OTel GenAI conventions (`gen_ai.input.messages` and the like).

    A tool result may stand under `response` (the text of the conventions) or `result` (their
    examples). Reasoning is dropped: it is not what the user was told.
    """
    messages = []
    listed = loads(raw)
    for item in listed if isinstance(listed, list) else ():
        if not isinstance(item, Mapping) or not isinstance(item.get("role"), str):
            continue
        parts = item.get("parts")
        if not isinstance(parts, list):
            messages.append(openai_message(item))
            continue
        messages += _from_parts(item, [part for part in parts if isinstance(part, Mapping)])
    return messages


def _from_parts(item: Mapping[str, Any], parts: list[Mapping[str, Any]]) -> list[Message]:
    role = _ROLES.get(item["role"], item["role"])
    answers = [
        Message(
            "tool",
            as_text(part.get("response", part.get("result"))),
            tool_call_id=as_id(part.get("id")),
            name=as_id(item.get("name")),
        )
        for part in parts
        if part.get("type") == "tool_call_response"
    ]
    calls = tuple(
        Call(as_id(part.get("id")), str(part.get("name")), as_json_text(part.get("arguments")))
        for part in parts
        if part.get("type") == "tool_call"
    )
    unsaid = ("tool_call_response", "tool_call", "reasoning")
    prose = [part for part in parts if part.get("type") not in unsaid]
    if answers and not prose and not calls:
        return answers
    text = as_text(prose) if prose else None
    name, reason = as_id(item.get("name")), as_id(item.get("finish_reason"))
    return [*answers, Message(role, text, calls, None, name, reason)]


def merge_history(known: list[Message], later: Iterable[Message]) -> list[Message]:
    """Append to `known` what a later span's messages add to it.

    A span repeats the whole history, or gives only what is new. Where its first turn is the
    conversation's first, every message counts as often as it stands there beyond what is known;
    else all of it is new.
    """
    later = list(later)
    opening = next((m for m in known if m.role != "system"), None)
    fresh = next((m for m in later if m.role != "system"), None)
    if opening is None or fresh is None or fresh != opening:
        have_system = [m for m in known if m.role == "system"]
        return known + [m for m in later if m.role != "system" or m not in have_system]
    left = list(known)
    added = []
    for message in later:
        if message in left:
            left.remove(message)
        else:
            added.append(message)
    return known + added


def outcome(result: str | None) -> tuple[str, str | None]:
    """Status and error of a tool result that carries them in its text: ok, error or timeout."""
    value = loads(result)
    stated = value.get("error") if isinstance(value, Mapping) else None
    if stated or (isinstance(value, str) and _ERROR_TEXT.match(value)):
        timeout = bool(_TIMEOUT.search(str(stated or value)[:500]))
        return ("timeout", "timeout") if timeout else ("error", "tool_error")
    return "ok", None


def calls_from_messages(messages: Iterable[Message]) -> tuple[Call, ...]:
    """The tool calls that messages show, each with the result that answers its id, in order."""
    messages = list(messages)
    results: dict[str | None, list[str | None]] = {}
    for message in messages:
        if message.role == "tool":
            results.setdefault(message.tool_call_id, []).append(message.content)
    calls = []
    for call in (call for message in messages for call in message.tool_calls):
        waiting = results.get(call.id)
        result = waiting.pop(0) if waiting else None
        status, error = outcome(result)
        calls.append(
            Call(call.id, call.name, call.arguments, result=result, status=status, error=error)
        )
    return tuple(calls)
