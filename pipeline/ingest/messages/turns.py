"""One message as an object: whose it is, what it says, which tools it calls or answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.ingest.content import loads
from pipeline.ingest.messages.calls import CALL_IDS, read_call, read_calls
from pipeline.ingest.messages.kinds import are_parts, kind_of
from pipeline.ingest.messages.parts import read_parts
from pipeline.ingest.messages.prose import body_text, result_text
from pipeline.ingest.messages.roles import finish_reason, role_of
from pipeline.ingest.messages.unwrapping import unwrapped
from pipeline.ingest.messages.values import call_id, first, label
from pipeline.ingest.records import Call, Message

__all__ = ["read_turn"]

_BODY = (
    *("parts", "content", "contents", "blocks", "items", "text", "message", "value", "_content"),
    *("Items", "Content"),
)
_SAYS = (*_BODY, "tool_calls", "toolCalls", "function_call", "tool_call_id")
_NAMES = ("name", "tool_name", "toolName", "agent_name", "_name")
_ROLES = ("role", "_role", "Role", "author_role")
_REASONS = ("finish_reason", "finishReason", "stop_reason", "stopReason")
_REQUESTS = {  # Pydantic AI
    "request": "user",
    "ModelRequest": "user",
    "response": "assistant",
    "ModelResponse": "assistant",
}


def read_turn(raw: Mapping[str, Any], default: str | None = None) -> list[Message] | None:
    """The messages of one message object; None where it is none.

    Most often one message. A tool's result inside it is a message of its own; none are left of a
    message of nothing but reasoning or declared tools.

    Args:
        raw: an object that names its speaker.
        default: whose it is where it does not.
    """
    raw = unwrapped(raw)
    role = _speaker(raw) or default
    if role is None or not any(key in raw for key in _SAYS):
        return None
    body = _body(raw)
    extra = raw.get("additional_kwargs")
    extra = extra if isinstance(extra, Mapping) else {}
    name = label(first(raw, _NAMES)) or label(extra.get("name"))
    if name is None and role == "tool":
        name = label(raw.get("function"))
    answered = None
    if role == "tool":
        answered = call_id(first(raw, CALL_IDS[:6])) or call_id(first(extra, CALL_IDS[:6]))
        answered = answered or call_id(raw.get("id"))
    reason = finish_reason(first(raw, _REASONS)) or _reason_told(raw)
    calls = _calls(raw, extra)
    if isinstance(body, list) and ("parts" in raw or _holds_parts(body, role)):
        messages = read_parts(body, role, name, answered, reason)
        return _with_calls(messages, calls, role, name, reason)
    if _declares(body):
        return []
    text = result_text(body) if role == "tool" else body_text(body)
    if calls:
        return [Message("assistant", text or None, tuple(calls), None, name, reason)]
    return [Message(role, text, (), answered, name, reason)]


def _speaker(raw: Mapping[str, Any]) -> str | None:
    told = first(raw, _ROLES)
    if isinstance(told, str | Mapping):
        return role_of(told)
    kind = raw.get("kind", raw.get("__class__"))
    if isinstance(kind, str) and kind in _REQUESTS and isinstance(raw.get("parts"), list):
        return _REQUESTS[kind]
    author = raw.get("author")
    if isinstance(author, Mapping) and isinstance(author.get("role"), str):
        return role_of(author["role"])
    return None


def _body(raw: Mapping[str, Any]) -> Any:
    """What is said; a JSON text of parts is opened, since some SDKs write parts as text."""
    body = first(raw, _BODY)
    if body is None:
        return "" if any(raw.get(key) == "" for key in _BODY) else None
    if isinstance(body, Mapping):
        if isinstance(body.get("parts"), list):
            return body["parts"]
        return [body] if kind_of(body) is not None and "type" in body else body
    if isinstance(body, str) and body.startswith("[{"):
        opened = loads(body)
        if are_parts(opened):
            return opened
    return body


def _holds_parts(body: list[Any], role: str) -> bool:
    """Whether a list is of parts; a tool's result may be any data, told by its own shape."""
    if role == "tool":
        return bool(body) and are_parts(body)
    return not body or any(
        isinstance(part, str) or (isinstance(part, Mapping) and kind_of(part) is not None)
        for part in body
    )


def _declares(body: Any) -> bool:
    """Whether this is a tool's declaration, which LangChain's callback lists as a message."""
    function = body.get("function") if isinstance(body, Mapping) else None
    return isinstance(function, Mapping) and "parameters" in function and "name" in function


def _reason_told(raw: Mapping[str, Any]) -> str | None:
    """LangChain keeps what the vendor said beside the message."""
    told = raw.get("response_metadata")
    return finish_reason(first(told, _REASONS)) if isinstance(told, Mapping) else None


def _calls(raw: Mapping[str, Any], extra: Mapping[str, Any]) -> list[Call]:
    """The calls beside the text; the vendor's own field has the arguments as they were written."""
    calls = read_calls(first(raw, ("tool_calls", "toolCalls")))
    written = read_calls(extra.get("tool_calls") or extra.get("function_call"))
    calls = written if len(written) >= len(calls) else calls
    legacy = raw.get("function_call")
    if isinstance(legacy, Mapping) and (call := read_call(legacy)) is not None:
        calls.append(call)
    return calls


def _with_calls(
    messages: list[Message], calls: list[Call], role: str, name: str | None, reason: str | None
) -> list[Message]:
    """Add the calls that the parts do not show already."""
    shown = {call.id or call.name for message in messages for call in message.tool_calls}
    left = tuple(call for call in calls if (call.id or call.name) not in shown)
    if not left:
        return messages
    if messages and messages[-1].role == role == "assistant":
        last = messages.pop()
        said = last.content or None
        return [*messages, Message(role, said, last.tool_calls + left, None, name, reason)]
    return [*messages, Message("assistant", None, left, None, name, reason)]
