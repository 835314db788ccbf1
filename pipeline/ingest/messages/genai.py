"""Messages with parts, as the OTel GenAI conventions write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.ingest.content import loads
from pipeline.ingest.messages.roles import ROLES, finish_reason
from pipeline.ingest.messages.turns import read_turn
from pipeline.ingest.records import Message

__all__ = ["genai_messages", "one_text"]


def one_text(raw: Mapping[str, Any]) -> Message | None:
    """The message of one text part and nothing else: the common case, read without a detour."""
    parts, role = raw.get("parts"), raw.get("role")
    if type(parts) is not list or len(parts) != 1 or type(role) is not str or "name" in raw:
        return None
    part, known = parts[0], ROLES.get(role)
    if known is None or type(part) is not dict or part.get("type") != "text":
        return None
    text = part.get("content")
    if type(text) is not str or known == "tool":
        return None
    reason = raw.get("finish_reason")
    return Message(known, text, (), None, None, None if reason is None else finish_reason(reason))


def genai_messages(raw: Any) -> list[Message]:
    """Messages of the OTel GenAI conventions (`gen_ai.input.messages` and the like).

    A tool result may stand under `response` (the text of the conventions) or `result` (their
    examples). Reasoning is dropped: it is not what the user was told.
    """
    listed = loads(raw)
    messages: list[Message] = []
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict) and isinstance(item.get("role"), str):
            message = one_text(item)
            messages += [message] if message is not None else read_turn(item) or []
    return messages
