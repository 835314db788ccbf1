"""The case itself: what a test gives the agent, what it expects, and where it came from."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pipeline.ids import digest, unit_interval
from pipeline.promotion.candidate import Candidate
from pipeline.promotion.episodes import Episode
from pipeline.promotion.expiry import expires_when
from pipeline.promotion.outcome import Outcome
from pipeline.promotion.teaching.synthesis import Plan
from pipeline.promotion.trials.birth import Birth
from pipeline.registry import UNKNOWN, Rule
from pipeline.registry.settings import Promotion

__all__ = ["case_id_of", "category_of", "split_of", "write_case"]

Split = Literal["regression", "example", "holdout"]
_ADVERSARIAL = ("injection", "leaked_prompt")
_DRIFT = ("forgotten_constraint", "register")


def case_id_of(content_digest: str, check: str) -> str:
    """The stable id of a case: neither day, redactor nor surrogate key has a part in it."""
    return f"case-{digest(content_digest, check, size=6)}"


def split_of(duplicate_group: str, limits: Promotion) -> Split:
    """The split by hash of the duplicate group, so that no near-duplicate leaks into another."""
    place = unit_interval("split", duplicate_group)
    if place < limits.holdout_share:
        return "holdout"
    return "example" if place < limits.holdout_share + limits.example_share else "regression"


def category_of(
    candidate: Candidate, rule: Rule | None, episode: Episode | None
) -> Literal["happy_path", "edge_case", "adversarial", "drift"]:
    """What sort of case it is.

    Adversarial where an injection is suspected or tested for; drift where something is lost over
    the turns; an edge case where the intent is unknown, a tool failed or found nothing, or the
    trace was anomalous; else a happy path, which the agent should simply have got right.
    """
    kind = rule.kind if rule else ""
    if candidate.injection or kind in _ADVERSARIAL:
        return "adversarial"
    late = kind == "language" and candidate.error_class == "language_drift"
    if kind in _DRIFT or late:
        return "drift"
    calls = episode.turn.calls if episode else ()
    odd = any(call.failed or call.empty for call in calls) or bool(candidate.signals)
    return "edge_case" if odd or candidate.intent == UNKNOWN else "happy_path"


def write_case(
    *,
    case_id: str,
    candidate: Candidate,
    trace: Mapping[str, Any],
    episode: Episode | None,
    recorded: Outcome,
    plan: Plan,
    birth: Birth,
    category: str,
    split: str,
    duplicate_group: str,
    day: str,
    twin_of: str,
) -> dict[str, Any]:
    """Write the case, a JSON object (docs/cases.md); all text in it is redacted already.

    The agent's own system prompt is left out: the case tests the agent as it is then. Messages
    go up to the user's turn that the failing turn answers; results of tools and documents are
    fixtures, so that it replays.
    """
    cut = episode.cut if episode else 0
    by_turn = recorded.conversation is not None  # else the whole conversation is at fault
    messages = [_message(m) for m in (trace["messages"] or [])[:cut] if m["role"] != "system"]
    calls = [*recorded.earlier_calls, *recorded.calls]
    place = dict.fromkeys(filter(None, (candidate.intent, candidate.subject)))
    return {
        "id": case_id,
        "title": f"{_capital(candidate.mode_name)} ({', '.join(place)})",
        "mode": {"id": candidate.mode_id, "name": candidate.mode_name},
        "check": candidate.check,
        "intent": candidate.intent,
        "stakes": candidate.stakes,
        "severity": candidate.severity,
        "category": category,
        "split": split,
        "status": "active",
        "input": {"messages": messages},
        "tools": {
            "sequence": [call.name for call in calls],
            "fixtures": [
                {
                    "name": call.name,
                    "arguments": call.arguments_text,
                    "result": call.result_text,
                    "status": call.status,
                }
                for call in calls
            ],
            "documents": _documents(trace["retrievals"] or (), episode if by_turn else None),
        },
        "recorded": {
            "answer": recorded.answer,
            "said_before": list(recorded.texts[:-1]),
            "calls": [call.name for call in recorded.calls],
            "calls_after_answer": _calls_after_answer(trace, episode),
            "last_turn": episode.is_last if episode else False,
            "finish_reason": recorded.finish_reason,
            "turns": recorded.turns,
            "tokens": recorded.tokens,
        },
        "expected": plan.expected,
        "checks": [check.model_dump(mode="json", exclude_none=True) for check in plan.checks],
        "provenance": {
            "trace_id": candidate.trace_id,
            "day": day,
            "release": candidate.release,
            "prompt_version": trace["prompt_version"],
            "policy_version": trace["policy_version"],
            "graders": list(candidate.grader_ids),
            "reason": candidate.reason,
            "evidence": list(candidate.evidence),
            "duplicate_group": duplicate_group,
            "twin_of": twin_of or None,
        },
        "expires_when": expires_when(plan, trace),
        "birth": birth.told(),
    }


def _calls_after_answer(trace: Mapping[str, Any], episode: Episode | None) -> int:
    """How many calls of the failing turn came after its last text: it then ended unheard."""
    answer = episode.turn.answer if episode else None
    if answer is None:
        return 0
    later = (trace["messages"] or [])[answer.index + 1 :]
    own = itertools.takewhile(lambda message: message["role"] != "user", later)
    return sum(len(message["tool_calls"] or ()) for message in own)


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    kept = {
        name: message[name]
        for name in ("role", "content", "tool_call_id", "name")
        if message[name] is not None
    }
    asked = [dict(call) for call in message["tool_calls"] or ()]
    return kept | ({"tool_calls": asked} if asked else {})


def _documents(
    retrievals: Sequence[Mapping[str, Any]], episode: Episode | None
) -> list[dict[str, Any]]:
    """What was found up to the failing turn: later searches are no part of what it knew."""
    later = episode.conversation.turns[episode.turn.number + 1 :] if episode else ()
    after = {query for turn in later for query in turn.queries}
    after -= {
        query
        for turn in (episode.conversation.turns[: episode.turn.number + 1] if episode else ())
        for query in turn.queries
    }
    return [
        {
            "query": search["query"],
            "documents": [
                {"id": d["id"], "content": d["content"], "score": d["score"]}
                for d in search["documents"] or ()
            ],
        }
        for search in retrievals
        if (search["query"] or "") not in after
    ]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
