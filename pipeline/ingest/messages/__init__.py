"""Messages out of every shape that frameworks and vendors write them in."""

from __future__ import annotations

from typing import Any

from pipeline.ingest.messages.containers import recognised
from pipeline.ingest.messages.direct import decode_instructions, decode_messages
from pipeline.ingest.messages.genai import genai_messages
from pipeline.ingest.messages.openai import openai_message
from pipeline.ingest.messages.texts import opened
from pipeline.ingest.messages.values import json_text
from pipeline.ingest.records import Message

__all__ = ["genai_messages", "openai_message", "read_messages", "read_text"]

_SILENT = ("", "null", "None", "[]", "{}")


def read_messages(value: Any, role: str = "user") -> list[Message]:
    """The messages that a value holds, whatever its shape; none where it holds none.

    A value in which no known shape shows is one message: its text, or its JSON text. Reasoning is
    dropped; images, sounds and files are named by placeholders, never kept.

    Args:
        value: a list of messages, one message, an object that holds them, JSON text or the Python
            repr of any of these, or plain text.
        role: whose plain text it is, where the value does not say.
    """
    if value is None:
        return []
    if isinstance(value, str):
        direct = decode_instructions(value) if role == "system" else decode_messages(value)
        if direct is not None:
            return direct
    shown = opened(value) if isinstance(value, str) else value
    if not isinstance(shown, str):
        messages = recognised(shown, role)
        if messages is not None:
            return messages
    elif isinstance(value, str):
        value = shown
    text = json_text(value)
    return [] if text.strip() in _SILENT else [Message(role, text)]


def read_text(value: Any) -> str | None:
    """The prose of an output: what the assistant says in it; None where it says nothing."""
    texts = [m.content for m in read_messages(value, "assistant") if m.role == "assistant"]
    return "\n".join(text for text in texts if text) or None
