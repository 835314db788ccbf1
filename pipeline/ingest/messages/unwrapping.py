"""Envelopes around one message: LangChain's constructors, OpenInference's prefixes, reprs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.ingest.messages.roles import ROLES

__all__ = ["unwrapped"]

# AutoGen names the kind of a message; who speaks stands in `source`.
_AUTOGEN = {
    "TextMessage", "ToolCallRequestEvent", "ToolCallExecutionEvent", "ToolCallSummaryMessage",
    "StopMessage", "HandoffMessage", "MultiModalMessage", "StructuredMessage", "ThoughtEvent",
}  # fmt: skip
_PREFIXES = ("message.", "message_content.")


def unwrapped(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """A message object with `role` and its content in plain fields, as far as it can be told."""
    kwargs = raw.get("kwargs")
    if raw.get("lc") is not None and isinstance(kwargs, Mapping):
        named = raw.get("id")
        kind = named[-1] if isinstance(named, list) and named else None
        raw = {"type": kind, **kwargs} if isinstance(kind, str) else kwargs
    elif any(isinstance(key, str) and key.startswith(_PREFIXES) for key in raw):
        raw = {_bare(key): value for key, value in raw.items()}
    if "contents" in raw and isinstance(raw["contents"], list):
        raw = {**raw, "contents": [_content(part) for part in raw["contents"]]}
    if "role" in raw:
        return raw
    return _with_role(raw)


def _with_role(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    kind = raw.get("type") if isinstance(raw.get("type"), str) else raw.get("__class__")
    data = raw.get("data")
    if isinstance(data, Mapping) and "content" in data and isinstance(kind, str):
        raw = {**data, "type": kind}  # LangChain's messages_to_dict
    if not isinstance(kind, str):
        return _by_source(raw)
    source = raw.get("source")
    if kind in _AUTOGEN or (kind in ("UserMessage", "AssistantMessage") and source is not None):
        return _autogen(raw, kind)
    if kind == "chat" and isinstance(raw.get("role"), str):
        return raw
    known = ROLES.get(kind) or ROLES.get(kind.lower())
    if known is not None and ("content" in raw or "tool_calls" in raw):
        return {**raw, "role": known}
    return _by_source(raw)


def _by_source(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """ShareGPT's and AutoGen's speakers; a retrieved document has a source, too."""
    if isinstance(raw.get("from"), str) and isinstance(raw.get("value"), str):
        told = {"gpt": "assistant"}.get(raw["from"], raw["from"])
        return {**raw, "role": told}
    if isinstance(raw.get("source"), str) and "content" in raw and "models_usage" in raw:
        return _autogen(raw, "")
    return raw


def _autogen(raw: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    source = raw.get("source")
    role = ROLES.get(source, "assistant") if isinstance(source, str) else "assistant"
    if kind == "ThoughtEvent":
        return {"role": role, "parts": [{"type": "thinking"}]}
    if kind == "ToolCallSummaryMessage":  # repeats the calls it sums up
        raw = {key: value for key, value in raw.items() if key not in ("tool_calls", "results")}
    named = {} if role == "user" or not isinstance(source, str) else {"name": source}
    return {**raw, **named, "role": "tool" if kind == "ToolCallExecutionEvent" else role}


def _bare(key: str) -> str:
    for prefix in _PREFIXES:
        key = key.removeprefix(prefix)
    return key


def _content(part: Any) -> Any:
    """One of OpenInference's contents, out of its prefix or its envelope."""
    if not isinstance(part, Mapping):
        return part
    inner = part.get("message_content")
    if isinstance(inner, Mapping):
        return {**inner, **{key: value for key, value in part.items() if key != "message_content"}}
    return {_bare(key): value for key, value in part.items() if isinstance(key, str)}
