"""Puts a case on stage again: its conversation, with what an agent did in the last turn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import Any

from pipeline.grading.conversation import read_conversation
from pipeline.promotion.episodes import Episode, recorded_outcome
from pipeline.promotion.outcome import Outcome
from pipeline.promotion.trials.case_format import Case, CaseMessage, Fixture
from pipeline.tables import REDACTED_TRACES

__all__ = ["Step", "recorded_of", "stage"]


Step = str | Fixture
"""What an agent does in a turn: it says something, or calls a tool that answers so."""


def recorded_of(case: Case, functions: frozenset[str] = frozenset()) -> Outcome:
    """The outcome that was recorded in production: what a case's checks must fail on."""
    was = case.recorded
    last = max(len(case.calls_recorded) - was.calls_after_answer, 0)
    answer = [was.answer] if was.answer else []
    return stage(
        case,
        (*was.said_before, *case.calls_recorded[:last], *answer, *case.calls_recorded[last:]),
        finish_reason=was.finish_reason,
        turns=was.turns,
        tokens=was.tokens,
        functions=functions,
    )


def stage(
    case: Case,
    steps: Sequence[Step],
    *,
    finish_reason: str | None = "stop",
    turns: int | None = None,
    tokens: int | None = None,
    system: str = "",
    functions: frozenset[str] = frozenset(),
) -> Outcome:
    """The outcome of a turn in which an agent took `steps`.

    Args:
        case: what came before, and what there was to find.
        steps: what the agent said and called, in order.
        finish_reason: how the model stopped.
        turns: the user's turns of the whole conversation, where somebody played the user.
        tokens: what the whole conversation took, where it is known.
        system: the agent's prompt now; what it says supports an answer.
        functions: of rules of the kind `python`, those that may run.
    """
    row: dict[str, Any] = dict.fromkeys(REDACTED_TRACES.columns)
    before = [_message(message) for message in case.input.messages]
    prompt = [_said("system", system)] if system else []
    spans = [_span(fixture, None, f"b{n}") for n, fixture in enumerate(case.calls_before)]
    done: list[dict[str, Any]] = []
    for number, step in enumerate(steps):
        if isinstance(step, str):
            done.append(_said("assistant", step) | {"finish_reason": finish_reason})
            continue
        name = f"call-{number}"
        asked = {"id": name, "name": step.name, "arguments": step.arguments}
        done.append(_said("assistant", None) | {"tool_calls": [asked]})
        done.append(_said("tool", step.result) | {"tool_call_id": name})
        spans.append(_span(step, name, f"t{number}"))
    day = case.provenance.day
    row |= {
        "trace_id": case.id,
        "messages": [*prompt, *before, *done],
        "tool_calls": spans,
        "retrievals": [
            {
                "span_id": f"s{number}",
                "query": search.query,
                "documents": [document.model_dump() for document in search.documents],
            }
            for number, search in enumerate(case.tools.documents)
        ],
        "started_at": datetime.combine(day, time(12), UTC) if day else None,
    }
    talk = read_conversation(row)
    if not talk.turns:
        return Outcome((), (), turns=turns, tokens=tokens, functions=functions)
    episode = Episode(talk, talk.turns[-1], len(prompt) + len(before))
    outcome = recorded_outcome(episode, tokens, functions)
    return outcome.taking(turns=turns, finish_reason=finish_reason)


def _message(message: CaseMessage) -> dict[str, Any]:
    return _said(message.role, message.content) | {
        "tool_calls": [call.model_dump() for call in message.tool_calls],
        "tool_call_id": message.tool_call_id,
        "name": message.name,
    }


def _said(role: str, content: str | None) -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(("tool_call_id", "name", "finish_reason"))
    return {"role": role, "content": content, "tool_calls": []} | empty


def _span(call: Fixture, call_id: str | None, span_id: str) -> dict[str, Any]:
    return {
        "span_id": span_id,
        "call_id": call_id,
        "name": call.name,
        "arguments": call.arguments,
        "result": call.result,
        "status": call.status,
    }
