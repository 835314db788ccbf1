"""Weighs one candidate: its turn, its checks, its scores and what stands against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.grading.conversation import Conversation, read_conversation
from pipeline.promotion.candidates import COSTLY_PASS, Candidate
from pipeline.promotion.episodes import Episode, find_episode, recorded_outcome, recorded_whole
from pipeline.promotion.gates import Block, Facts, find_blocks
from pipeline.promotion.grouping import Twin
from pipeline.promotion.outcome import Outcome
from pipeline.promotion.scores import ModeHistory, Scores, cost_ratio, score
from pipeline.promotion.synthesis import Failing, Plan, plan_checks, plan_effort, teaches
from pipeline.promotion.twins import Fingerprint
from pipeline.registry import Registry, Rule
from pipeline.registry.rules import PythonFunction
from pipeline.sampling import UsualEffort

__all__ = ["Weighed", "weigh"]

_OF_THE_WHOLE = frozenset({"too_many_turns", "excess_turns", "excess_tokens"})
"""Codes of failures that no turn of the conversation is to blame for."""


@dataclass(frozen=True)
class Weighed:
    """A candidate with all that the decision rests on."""

    candidate: Candidate
    case_id: str
    group: str
    prints: Fingerprint
    twin_of: str
    scores: Scores
    history: ModeHistory
    blocks: tuple[Block, ...]
    episode: Episode | None
    recorded: Outcome
    plan: Plan
    rule: Rule | None


def weigh(
    one: Candidate,
    trace: Mapping[str, Any],
    twin: Twin,
    history: ModeHistory,
    norm: UsualEffort | None,
    distrust: str,
    ignored: bool,
    symptom_of: str,
    registry: Registry,
    today: date,
) -> Weighed:
    """Weigh one candidate.

    Args:
        one: the candidate.
        trace: its row of `redacted_traces`.
        twin: the case it belongs to.
        history: of its mode.
        norm: of its intent, where the day has enough traces of it.
        distrust: why its judge is not trusted; empty: it is, or a rule spoke.
        ignored: a person set its mode to ignored.
        symptom_of: a check that failed on the same trace and explains it, or empty.
        registry: rules, intents, rubric and settings.
        today: the day.
    """
    limits = registry.settings.promotion
    conversation = read_conversation(trace)
    rule = next((rule for rule in registry.rules if rule.id == one.check), None)
    episode, recorded = _place(one, conversation, rule, _functions(registry))
    plan = _plan(one, recorded, norm, registry)
    taught = teaches(plan, recorded)
    complete = trace["completeness"] == "complete"
    evident = bool(one.evidence)
    scores = score(
        history=history,
        stakes=one.stakes,
        severity=one.severity,
        ratio=cost_ratio(one.turns, one.tokens, norm),
        handed_over=bool((trace["feedback"] or {}).get("escalated")),
        complete=complete,
        evident=evident,
        teachable=1.0 if taught else 0.5 if _needs_judge(plan) else 0.0,
        today=today,
        settings=limits,
    )
    facts = Facts(
        ignored=ignored,
        complete=complete,
        evident=evident,
        replayable=episode is not None,
        untaught="" if taught else plan.untaught,
        distrust=distrust,
        symptom_of=symptom_of,
    )
    blocks = find_blocks(one, facts, history, scores, limits)
    return Weighed(
        one, twin.case_id, twin.group, twin.prints, twin.twin_of, scores, history, blocks,
        episode, recorded, plan, rule,
    )  # fmt: skip


def _place(
    one: Candidate, conversation: Conversation, rule: Rule | None, functions: frozenset[str]
) -> tuple[Episode | None, Outcome]:
    """The failing turn and what was recorded there; where the effort failed, the conversation."""
    if one.origin == "costly_pass" or one.error_class in _OF_THE_WHOLE:
        asked = [turn for turn in conversation.turns if turn.user]
        start = asked[0] if asked else None
        episode = (
            Episode(conversation, start, start.user.index + 1) if start and start.user else None
        )
        return episode, recorded_whole(conversation, one.tokens)
    first = rule is not None and rule.kind == "expected_tool"
    episode = find_episode(conversation, one.evidence, first=first)
    if episode is None:
        return None, recorded_whole(conversation, one.tokens)
    return episode, recorded_outcome(episode, one.tokens, functions)


def _functions(registry: Registry) -> frozenset[str]:
    """The functions that the registry's own rules name."""
    every = (rule.params for rule in registry.rules)
    return frozenset(params.function for params in every if isinstance(params, PythonFunction))


def _plan(one: Candidate, recorded: Outcome, norm: UsualEffort | None, registry: Registry) -> Plan:
    if one.check == COSTLY_PASS and norm is not None:
        factor = registry.settings.promotion.costly_factor
        return plan_effort(int(factor * norm.turns), int(factor * norm.tokens))
    intent = next((intent for intent in registry.intents if intent.id == one.intent), None)
    failing = Failing(one.subject, one.error_class, intent, norm)
    return plan_checks(one.check, failing, recorded, registry.rules, registry.rubric)


def _needs_judge(plan: Plan) -> bool:
    return any(check.kind == "rubric" for check in plan.checks)
