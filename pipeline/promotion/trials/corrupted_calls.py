"""Corruptions of what an agent called, and of what the conversation took."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import orjson

from pipeline.grading.conversation import Call
from pipeline.promotion.check_kinds import Check
from pipeline.promotion.outcome import Outcome

__all__ = ["ON_CALLS", "Change"]

_AGAIN = 6  # times more that a call is made
_TIMES = 1000  # as large as it was

Change = Callable[[Outcome, Outcome, tuple[Check, ...]], Outcome | None]
"""From a good outcome, the recorded bad one and the checks: the corrupted one, None if no other."""


def _with_calls(good: Outcome, calls: list[Call] | None) -> Outcome | None:
    if calls is None or tuple(calls) == good.calls:
        return None
    return good.with_turn(calls=calls, finish_reason=good.finish_reason)


def _removed_calls(good: Outcome, bad: Outcome, checks: tuple[Check, ...]) -> Outcome | None:
    return _with_calls(good, [])


def _wrong_tool(good: Outcome, bad: Outcome, checks: tuple[Check, ...]) -> Outcome | None:
    return _with_calls(good, [replace(call, name=f"{call.name}_other") for call in good.calls])


def _recorded_calls(good: Outcome, bad: Outcome, checks: tuple[Check, ...]) -> Outcome | None:
    return _with_calls(good, [*good.calls, *bad.calls])


def _repeated_call(good: Outcome, bad: Outcome, checks: tuple[Check, ...]) -> Outcome | None:
    return _with_calls(good, [*good.calls, *good.calls[-1:] * _AGAIN])


def _higher_arguments(good: Outcome, bad: Outcome, checks: tuple[Check, ...]) -> Outcome | None:
    return _with_calls(good, [_raised(call) for call in good.calls])


def _raised(call: Call) -> Call:
    """The call with every number among its arguments a thousand times as large."""
    given = call.arguments if isinstance(call.arguments, dict) else {}
    raised = {
        name: value * 1000
        if isinstance(value, int | float) and not isinstance(value, bool)
        else value
        for name, value in given.items()
    }
    if raised == given:
        return call
    return replace(call, arguments=raised, arguments_text=orjson.dumps(raised).decode())


def _more_effort(good: Outcome, bad: Outcome, checks: tuple[Check, ...]) -> Outcome | None:
    if good.turns is None and good.tokens is None:
        return None
    return replace(good, turns=(good.turns or 0) * 10, tokens=(good.tokens or 0) * 10)


ON_CALLS: Mapping[str, Change] = {
    "removed_calls": _removed_calls,
    "wrong_tool": _wrong_tool,
    "recorded_calls": _recorded_calls,
    "repeated_call": _repeated_call,
    "higher_arguments": _higher_arguments,
    "more_effort": _more_effort,
}
