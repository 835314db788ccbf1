"""A conversation out of messages that repeat it, and the tool calls it shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from pipeline.ingest.content import loads
from pipeline.ingest.messages import read_messages
from pipeline.ingest.records import Call, Message

__all__ = ["History", "calls_from_messages", "merge_history", "outcome"]

_ERROR_TEXT = re.compile(r"\s*(error|exception|traceback)\b", re.IGNORECASE)
_TIMEOUT = re.compile(r"time(d)?[ _-]?out|deadline", re.IGNORECASE)


_Turns = dict[tuple[object, ...], int]
"""How often each turn stands there."""


class History:
    """Collects what span after span tells of one conversation."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._system: Any = None
        self._heard: Any = None
        self._beyond: _Turns | None = None

    def hear(self, system: Any, heard: Any, said: Any) -> None:
        """Add what one model call read and wrote."""
        tail = self._tail(system, heard)
        answer = read_messages(said, "assistant")
        if tail is None:
            told = read_messages(heard)
            if not any(m.role == "system" for m in told):
                # OpenAI's responses repeat the instructions before what they say.
                stated = read_messages(system, "system") or [
                    m for m in answer if m.role == "system"
                ]
                told = [*(replace(m, role="system") for m in stated), *told]
            answer = [m for m in answer if m.role != "system"]
            begun = bool(self.messages)
            self.messages = merge_history(self.messages, told + answer)
            # What is known beyond what this call read; None where it did not start with it.
            same = not begun or _opening(told) == _opening(self.messages)
            self._beyond = _beyond(self.messages, told) if same else None
        elif self._beyond is not None:
            for message in tail:
                if not _take(self._beyond, _turn(message)):
                    self.messages.append(message)
            known = self._beyond.copy()
            for message in answer:
                turn = _turn(message)
                if not _take(known, turn):
                    self.messages.append(message)
                    self._beyond[turn] = self._beyond.get(turn, 0) + 1
        self._system, self._heard = system, heard

    def _tail(self, system: Any, heard: Any) -> list[Message] | None:
        """What a call read beyond what the one before it did, where the JSON text shows it.

        Most agents send the whole history with every call, so its text begins with the last
        call's: parsing only what follows halves the time that a long conversation takes.
        """
        before = self._heard
        if self._beyond is None or type(heard) is not str or type(before) is not str:
            return None
        border = len(before) - 1
        if system != self._system or before[:1] != "[" or before[border:] != "]":
            return None
        if heard == before:
            return []
        if heard[border : border + 1] != "," or not heard.startswith(before[:border]):
            return None
        return read_messages("[" + heard[border + 1 :])

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
    opening, fresh = _opening(known), _opening(later)
    if opening is None or fresh is None or fresh != opening:
        have_system = {_turn(m) for m in known if m.role == "system"}
        return known + [m for m in later if m.role != "system" or _turn(m) not in have_system]
    left = _beyond(known, ())
    return known + [message for message in later if not _take(left, _turn(message))]


def _beyond(known: Iterable[Message], told: Iterable[Message]) -> _Turns:
    """What stands in `known` more often than in `told`."""
    left: _Turns = {}
    for message in known:
        turn = _turn(message)
        left[turn] = left.get(turn, 0) + 1
    for message in told:
        _take(left, _turn(message))
    return left


def _take(turns: _Turns, turn: tuple[object, ...]) -> bool:
    """Take one such turn away, if there is one."""
    count = turns.get(turn, 0)
    if count:
        turns[turn] = count - 1
    return count > 0


def _opening(messages: Iterable[Message]) -> tuple[object, ...] | None:
    """The first turn that is no system prompt."""
    return next((_turn(m) for m in messages if m.role != "system"), None)


def _turn(message: Message) -> tuple[object, ...]:
    """What makes two messages the same turn, repeated: all but the finish reason."""
    return message.role, message.content, message.tool_calls, message.tool_call_id, message.name


def outcome(result: str | None) -> tuple[str, str | None]:
    """Status and error of a tool result that carries them in its text: ok, error or timeout."""
    if result is None or not ('"error"' in result or _ERROR_TEXT.match(result.lstrip('"'))):
        return "ok", None  # the usual case, told without parsing
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
