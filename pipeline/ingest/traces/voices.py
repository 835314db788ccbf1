"""Who speaks in a model call: the agent that the user talks to, one that works for it, a judge."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum

from pipeline.ingest.records import Content, Span
from pipeline.ingest.traces.structure import nearest_above

__all__ = ["Voice", "voices_of"]

_JUDGING = ("openinference.span.kind", "langfuse.observation.type", "langsmith.span.kind")
_JUDGES = ("evaluator", "guardrail")
_NAMES = ("gen_ai.agent.name", "agent.name", "agent_name")
_JUDGE = re.compile(r"evaluat(or|ion)|guardrail|grader|scorer|judge(?!ment)", re.IGNORECASE)


class Voice(Enum):
    """Who speaks aside from the conversation with the user."""

    SUB_AGENT = "sub_agent"
    EVALUATOR = "evaluator"


def voices_of(
    calls: Sequence[str], by_id: Mapping[str, Span], contents: Mapping[str, Content]
) -> dict[str, Voice]:
    """The model calls that do not speak with the user, by their ids.

    A sub-agent works below an agent that calls models itself, or within a tool or a retrieval;
    agents side by side take turns. An evaluator, a judge or a guardrail is told by the kind of its
    span or its agent's name. Where no call is left, all of them speak with the user.

    Args:
        calls: ids of model calls.
        by_id: the tree.
        contents: what each span says.
    """
    owners = nearest_above(
        calls, by_id, lambda span_id: contents[span_id].kind in ("agent", "tool", "retrieval")
    )
    judges = {i for i, span in by_id.items() if _is_judge(span, contents[i])}
    judged = nearest_above(calls, by_id, judges.__contains__) if judges else {}
    voices = {i: Voice.EVALUATOR for i in calls if judged.get(i) is not None}
    if len(voices) == len(calls):
        voices = {}
    rest = {i: owners[i] for i in calls if i not in voices}
    aside = _working_for_others(rest, by_id, contents)
    if len(aside) < len(rest):
        voices |= dict.fromkeys(aside, Voice.SUB_AGENT)
    return voices


def _working_for_others(
    owners: Mapping[str, str | None], by_id: Mapping[str, Span], contents: Mapping[str, Content]
) -> list[str]:
    """Calls whose owner works for another one that calls models, or is no agent at all."""
    speaking = dict.fromkeys(owner for owner in owners.values() if owner is not None)
    bosses = nearest_above(speaking, by_id, speaking.__contains__)
    return [
        span_id
        for span_id, owner in owners.items()
        if owner is not None and (bosses[owner] is not None or contents[owner].kind != "agent")
    ]


def _is_judge(span: Span, content: Content) -> bool:
    values = span.attributes
    for name in _JUDGING:
        kind = values.get(name)
        if isinstance(kind, str) and kind.lower() in _JUDGES:
            return True
    if content.kind != "agent":
        return False
    names = [value for name in _NAMES if isinstance(value := values.get(name), str)]
    return any(_JUDGE.search(name) for name in names or [span.name])
