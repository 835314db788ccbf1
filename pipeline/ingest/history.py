"""A conversation out of messages that repeat it, and the tool calls it shows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.ingest.content import as_text, loads
from pipeline.ingest.messages import read_messages
from pipeline.ingest.records import Call, Message

__all__ = ["History", "calls_from_messages", "merge_history", "outcome"]

_ERROR_TEXT = re.compile(r"\s*(error|exception|traceback)\b", re.IGNORECASE)
_TIMEOUT = re.compile(r"time(d)?[ _-]?out|deadline", re.IGNORECASE)


class History:
    """Collects what span after span tells of one conversation."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def hear(self, system: Any, heard: Any, said: Any) -> None:
        """Add what one model call read and wrote."""
        told = read_messages(heard)
        prompt = as_text(loads(system))
        if prompt and not any(m.role == "system" for m in told):
            told = [Message("system", prompt), *told]
        told += read_messages(said, "assistant")
        self.messages = merge_history(self.messages, told)

    def add(self, message: Message) -> None:
        """Add a message of an aside, unless it stands there."""
        if _turn(message) not in map(_turn, self.messages):
            self.messages.append(message)


def merge_history(known: list[Message], later: Iterable[Message]) -> list[Message]:
    """Append to `known` what a later span's messages add to it.

    A span repeats the whole history, or gives only what is new. Where its first turn is the
    conversation's first, every message counts as often as it stands there beyond what is known;
    else all of it is new.
    """
    later = list(later)
    opening = next((_turn(m) for m in known if m.role != "system"), None)
    fresh = next((_turn(m) for m in later if m.role != "system"), None)
    if opening is None or fresh is None or fresh != opening:
        have_system = {_turn(m) for m in known if m.role == "system"}
        return known + [m for m in later if m.role != "system" or _turn(m) not in have_system]
    left = Counter(map(_turn, known))
    added = []
    for message in later:
        turn = _turn(message)
        if left[turn] > 0:
            left[turn] -= 1
        else:
            added.append(message)
    return known + added


def _turn(message: Message) -> tuple[object, ...]:
    """What makes two messages the same turn, repeated: all but the finish reason."""
    return message.role, message.content, message.tool_calls, message.tool_call_id, message.name


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
