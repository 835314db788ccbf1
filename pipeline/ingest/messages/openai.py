"""Chat messages as OpenAI's completions API writes them: the shape most others borrow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.ingest.messages.roles import ROLES
from pipeline.ingest.messages.turns import read_turn
from pipeline.ingest.records import Message

__all__ = ["openai_message", "plain_message"]


def plain_message(raw: Mapping[str, Any]) -> Message | None:
    """The message of an object with a role and a text and nothing else: the common case."""
    if len(raw) != 2:
        return None
    role, content = raw.get("role"), raw.get("content")
    if type(role) is not str or type(content) is not str or content.startswith("[{"):
        return None
    known = ROLES.get(role)
    return Message(known, content) if known is not None else None


def openai_message(raw: Mapping[str, Any]) -> Message:
    """One OpenAI-style chat message.

    Raises:
        KeyError, TypeError, AttributeError: it is none.
    """
    if not isinstance(raw["role"], str):
        raise TypeError("role is no text")
    turns = plain_message(raw) or read_turn(raw)
    if isinstance(turns, Message):
        return turns
    if not turns:
        raise TypeError("a message that says nothing")
    return turns[-1]
