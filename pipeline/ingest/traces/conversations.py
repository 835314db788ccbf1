"""Joins one-turn traces into the conversation they belong to: the unit of everything after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from pipeline.ingest.records import Call, Message, Trace
from pipeline.ingest.traces.history import merge_history

__all__ = ["join_members"]


def join_members(members: Sequence[Trace]) -> Trace:
    """One conversation out of its traces, in order; it carries the first one's id."""
    first, last = members[0], members[-1]
    ids = tuple(member.trace_id for member in members)
    if len(members) == 1:
        return replace(first, members=ids)
    messages: list[Message] = []
    for member in members:
        messages = merge_history(messages, member.messages)
    attributes: dict[str, Any] = {}
    for member in reversed(members):
        attributes |= dict(member.attributes)
    failed = [member for member in members if member.status == "error"]
    return replace(
        first,
        members=ids,
        ended_at=max(member.ended_at for member in members),
        messages=tuple(messages),
        calls=_calls(members),
        retrievals=tuple(r for member in members for r in member.retrievals),
        # The release that answered last is the one that the outcome is charged to.
        release=last.release,
        agent_version=last.agent_version,
        prompt_version=last.prompt_version,
        policy_version=last.policy_version,
        user_id=next((m.user_id for m in members if m.user_id), None),
        models=frozenset().union(*(member.models for member in members)),
        opted_out=any(member.opted_out for member in members),
        input_tokens=_total([member.input_tokens for member in members]),
        output_tokens=_total([member.output_tokens for member in members]),
        cost_usd=_total([member.cost_usd for member in members]),
        status="error" if failed else "ok",
        error=failed[0].error if failed else None,
        scores=tuple(score for member in members for score in member.scores),
        complete=all(member.complete for member in members),
        flags=frozenset().union(*(member.flags for member in members)),
        attributes=attributes,
        files=frozenset().union(*(member.files for member in members)),
        records=sum(member.records for member in members),
    )


def _calls(members: Sequence[Trace]) -> tuple[Call, ...]:
    """Every call once: a later turn shows the calls of earlier ones in its history."""
    found: dict[object, Call] = {}
    for call in (call for member in members for call in member.calls):
        key = call.id or call.span_id or call
        if key not in found or (found[key].span_id is None and call.span_id is not None):
            found[key] = call
    return tuple(found.values())


def _total(values: Sequence[Any]) -> Any:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
