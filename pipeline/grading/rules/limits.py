"""Rules about limits: amounts, days since an event, turns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from datetime import date
from typing import Any

from pipeline.grading.conversation import Call, Conversation
from pipeline.grading.facts import facts_of
from pipeline.grading.rules.kinds import PASS, SKIPPED, Finding, Scope, checks, failed
from pipeline.grading.rules.reading import argument, key_of, values_under
from pipeline.registry.rules import AmountLimit, DateLimit, TurnLimit

__all__: list[str] = []


@checks(AmountLimit)
def amount_limit(conversation: Conversation, params: AmountLimit, scope: Scope) -> Finding:
    """Calls of the tool stay at or under the limit, added up by `per` where that is set."""
    sums: dict[str, float] = defaultdict(float)
    refs: dict[str, list[str]] = defaultdict(list)
    for call in conversation.calls:
        amount = _number(call, params.argument)
        if call.name != params.tool or amount is None:
            continue
        group = str(argument(call, params.per)) if params.per else call.ref
        refs[group].append(call.ref)
        # A call that failed moved nothing; asked for beyond the limit it is a breach all the same.
        sums[group] = max(sums[group], amount) if call.failed else sums[group] + amount
    if not sums:
        return SKIPPED
    over = [group for group in sums if sums[group] > params.most + 1e-9]
    if not over:
        return PASS
    return failed(
        f"The tool was called with more than the limit of {params.most:g}.",
        *refs[over[0]],
        subject=f"{params.tool}.{params.argument}",
        error_class="limit_exceeded",
    )


def _number(call: Call, name: str) -> float | None:
    value = argument(call, name)
    if isinstance(value, str):
        value = next((f.value for f in facts_of(value) if isinstance(f.value, float)), None)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


@checks(DateLimit)
def date_limit(conversation: Conversation, params: DateLimit, scope: Scope) -> Finding:
    """No call of the tools comes later than `days` after the date that a look-up gave.

    The day that counts is the one on which the conversation started. Of several dates the latest
    counts; a call before any look-up gave one is not judged here (see the kind `tool_order`).
    """
    today = conversation.started_on
    latest: dict[Hashable, tuple[date, Call]] = {}
    seen = False
    for call in conversation.calls:
        about = key_of(argument(call, params.same)) if params.same else None
        if call.name in params.tools and today is not None:
            if about not in latest:
                continue
            seen = True
            told, look_up = latest[about]
            if (today - told).days > params.days:
                return failed(
                    f"The tool was called more than {params.days} days after the date that counts.",
                    look_up.ref,
                    call.ref,
                    subject=call.name,
                    error_class="too_late",
                )
        elif not call.failed:
            days = [d for d in map(_day, values_under(call.result, params.since)) if d is not None]
            if days and (about not in latest or max(days) > latest[about][0]):
                latest[about] = (max(days), call)
    return PASS if seen else SKIPPED


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


@checks(TurnLimit)
def turn_limit(conversation: Conversation, params: TurnLimit, scope: Scope) -> Finding:
    """The user spoke, and tools were called, no more often than the limits."""
    spoken = [turn.user for turn in conversation.turns if turn.user]
    if params.turns is not None and len(spoken) > params.turns:
        return failed(
            f"The user spoke more than {params.turns} times.",
            spoken[params.turns].ref,
            error_class="too_many_turns",
        )
    if params.calls is not None and len(conversation.calls) > params.calls:
        return failed(
            f"More than {params.calls} tools were called.",
            conversation.calls[params.calls].ref,
            error_class="too_many_calls",
        )
    return PASS
