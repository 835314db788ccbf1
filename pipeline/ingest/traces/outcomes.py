"""Tool calls as messages show them, and how they ended."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pipeline.ingest.content import loads
from pipeline.ingest.records import Call, Message

__all__ = ["calls_from_messages", "outcome"]

_ERROR_TEXT = re.compile(r"\s*(error|exception|traceback)\b", re.IGNORECASE)
_DATA = ("{", "[")
_TIMEOUT = re.compile(r"time(d)?[ _-]?out|deadline", re.IGNORECASE)


def outcome(result: str | None) -> tuple[str, str | None]:
    """Status and error of a tool result that carries them in its text: ok, error or timeout."""
    if result is None or not (
        '"error"' in result or (result[:1] not in _DATA and _ERROR_TEXT.match(result.lstrip('"')))
    ):
        return "ok", None  # the usual case, told without parsing
    value = loads(result)
    stated = value.get("error") if isinstance(value, Mapping) else None
    if stated or (isinstance(value, str) and _ERROR_TEXT.match(value)):
        timeout = bool(_TIMEOUT.search(str(stated or value)[:500]))
        return ("timeout", "timeout") if timeout else ("error", "tool_error")
    return "ok", None


def calls_from_messages(messages: Iterable[Message]) -> tuple[Call, ...]:
    """The tool calls that messages show, each with the result that answers its id, in order.

    What others say beside the conversation, an evaluator's verdict as a call, is none.
    """
    messages = [message for message in messages if message.role != "other"]
    results: dict[str | None, list[str | None]] = {}
    for message in messages:
        if message.role == "tool":
            results.setdefault(message.tool_call_id, []).append(message.content)
    for answers in results.values():
        answers.reverse()
    calls = []
    for call in (call for message in messages for call in message.tool_calls):
        waiting = results.get(call.id)
        result = waiting.pop() if waiting else None
        status, error = outcome(result)
        calls.append(
            Call(call.id, call.name, call.arguments, result=result, status=status, error=error)
        )
    return tuple(calls)
