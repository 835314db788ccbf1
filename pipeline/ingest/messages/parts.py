"""The messages that the parts of one message make up, whatever the vendor calls the parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.ingest.messages.calls import CALL_IDS, TOOL_NAMES, read_call
from pipeline.ingest.messages.kinds import kind_of
from pipeline.ingest.messages.prose import result_text, shown
from pipeline.ingest.messages.values import call_id, first, joined, json_text, label
from pipeline.ingest.records import Call, Message

__all__ = ["read_parts"]

_RESULTS = (
    *("response", "result", "output", "content", "server_tool_call_response", "Result"),
    *("results", "tools", "error", "errorText", "outcome"),
)
_RESULT_WRAPPERS = (
    *("toolResult", "functionResponse", "function_response", "tool_call_result"),
    *("toolInvocation", "code_execution_result", "codeExecutionResult"),
)


class _Turn:
    """The messages that parts make up, in the order in which they were said."""

    def __init__(self, role: str, name: str | None, answered: str | None) -> None:
        self.role, self.name, self.answered = role, name, answered
        self.messages: list[Message] = []
        self.texts: list[str] = []
        self.calls: list[Call] = []

    def close(self, reason: str | None = None) -> None:
        """End the message under way, if anything was said in it."""
        if self.texts or self.calls or reason is not None:
            role = "assistant" if self.calls else self.role
            text = joined(self.texts) if self.texts else None
            if self.calls and not text:
                text = None
            answered = self.answered if role == "tool" else None
            self.messages.append(
                Message(role, text, tuple(self.calls), answered, self.name, reason)
            )
        self.texts, self.calls = [], []

    def answer(self, part: Mapping[str, Any]) -> None:
        """Add a tool's result as a message of its own."""
        self.close()
        inner: Any = part
        for key in _RESULT_WRAPPERS:
            if isinstance(part.get(key), Mapping):
                inner = part[key]
        origin = inner.get("origin")
        told = {**inner, **origin, **part} if isinstance(origin, Mapping) else {**part, **inner}
        identity = call_id(first(told, CALL_IDS)) or self.answered
        name = label(first(told, TOOL_NAMES)) or _named_by_type(part) or self.name
        value = first(inner, _RESULTS)
        content = result_text(value) if value is not None else _silent(inner)
        self.messages.append(Message("tool", content, (), identity, name))


def _named_by_type(part: Mapping[str, Any]) -> str | None:
    """Vercel's page names a tool by its part's type: `tool-weather`."""
    kind = part.get("type")
    if not isinstance(kind, str) or not kind.startswith("tool-") or "state" not in part:
        return None
    return kind.removeprefix("tool-") or None


def _is_answered(call: Any) -> bool:
    ends = ("output", "result", "errorText")
    return isinstance(call, Mapping) and any(call.get(key) is not None for key in ends)


def _is_feedback(part: Mapping[str, Any]) -> bool:
    """Whether Pydantic AI asks the model to try again on account of its text, not of a tool."""
    retry = "retry-prompt" in (part.get("part_kind"), part.get("kind"))
    return retry and part.get("tool_name") is None


def _silent(part: Mapping[str, Any]) -> str | None:
    return "" if any(part.get(key) == "" for key in _RESULTS) else None


def read_parts(
    parts: Iterable[Any],
    role: str,
    name: str | None = None,
    answered: str | None = None,
    reason: str | None = None,
) -> list[Message]:
    """The messages that a message's parts make up: a tool's result is a message of its own.

    Reasoning is dropped, since nobody was told it; so is a message of nothing else.

    Args:
        parts: strings and objects; what is no part stays as JSON text.
        role: whose message it is.
        name: the speaker's name, or the tool's.
        answered: the id of the call that a tool's message answers.
        reason: why the model stopped.
    """
    turn = _Turn(role, name, answered)
    for part in parts:
        if not isinstance(part, Mapping):
            if part is not None:
                turn.texts.append(json_text(part))
            continue
        kind = kind_of(part)
        if kind in ("call", "both"):
            named = label(part.get("type"))
            own = named.removesuffix("_call").removeprefix("tool-") if named else None
            call = read_call(part, own)
            if call is not None:
                turn.calls.append(call)
            inner = part.get("toolInvocation", part)
            if kind == "both" and _is_answered(inner):
                turn.answer(part)
        elif kind == "result" and not _is_feedback(part):
            turn.answer(part)
        elif kind == "result":
            turn.texts.append(result_text(part.get("content")) or "")
        elif kind in ("system", "user"):
            if turn.role != kind:
                turn.close()
                turn.role = kind
            turn.texts.append(shown(part))
        elif kind is None:
            turn.texts.append(json_text(part))
        elif kind != "dropped":
            turn.texts.append(shown(part))
    if reason is not None and turn.messages and not turn.texts and not turn.calls:
        reason = None
    turn.close(reason)
    return turn.messages
