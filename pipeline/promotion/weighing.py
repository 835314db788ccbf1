"""Weighs one candidate: its turn, its checks, its scores, its case and what stands against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.grading.conversation import read_conversation
from pipeline.promotion.candidate import Candidate
from pipeline.promotion.cases import category_of, split_of, write_case
from pipeline.promotion.costs import Norm, cost_ratio
from pipeline.promotion.gates import Block, Facts, find_blocks
from pipeline.promotion.grouping import Twin
from pipeline.promotion.placing import find_place, make_plan
from pipeline.promotion.residue import Residue, case_texts
from pipeline.promotion.scores import ModeHistory, Scores, score
from pipeline.promotion.teaching.synthesis import Plan
from pipeline.promotion.trials.birth import Birth, try_case
from pipeline.promotion.trials.mutations import Peers
from pipeline.registry import Registry

__all__ = ["Context", "Weighed", "weigh"]


@dataclass(frozen=True)
class Context:
    """What a day and the weeks before say of one candidate.

    Attributes:
        twin: the case it belongs to.
        history: of its mode.
        norm: of its intent, where the day has enough traces of it.
        distrust: why its judge is not trusted; empty: it is, or a rule spoke.
        ignored: a person set its mode to ignored.
        symptom_of: a check that failed on the same trace and explains it, or empty.
        creeping: how the traces of its mode creep up, in sentences.
    """

    twin: Twin
    history: ModeHistory
    norm: Norm | None
    distrust: str
    ignored: bool
    symptom_of: str
    creeping: tuple[str, ...] = ()


@dataclass(frozen=True)
class Weighed:
    """A candidate with all that the decision rests on; `case` is as it would be written.

    `creeping` says how its mode creeps up.
    """

    candidate: Candidate
    twin: Twin
    scores: Scores
    history: ModeHistory
    birth: Birth
    blocks: tuple[Block, ...]
    case: Mapping[str, Any]
    creeping: tuple[str, ...] = ()


def weigh(
    one: Candidate,
    trace: Mapping[str, Any],
    context: Context,
    peers: Peers,
    residue: Residue,
    registry: Registry,
    today: date,
) -> Weighed:
    """Weigh one candidate.

    Args:
        one: the candidate.
        trace: its row of `redacted_traces`.
        context: what is known of it beside its trace.
        peers: the day's conversations in which nothing failed.
        residue: finds what has the shape of personal data.
        registry: rules, intents, rubric and settings.
        today: the day.
    """
    limits = registry.settings.promotion
    conversation = read_conversation(trace)
    feedback = trace["feedback"] or {}
    rule = next((rule for rule in registry.rules if rule.id == one.check), None)
    place = find_place(one, conversation, rule, registry)
    plan = make_plan(one, place.recorded, context.norm, registry)
    birth = try_case(
        plan.checks,
        place.recorded,
        feedback.get("correction") if place.episode and place.episode.is_last else None,
        peers.outcomes(one.check, one.intent),
    )
    complete = trace["completeness"] == "complete"
    scores = score(
        history=context.history,
        stakes=one.stakes,
        severity=one.severity,
        ratio=max(
            cost_ratio(one.turns, one.tokens, trace["latency_ms"], context.norm),
            one.slow.ratio if one.slow else 1.0,
        ),
        handed_over=bool(feedback.get("escalated")),
        creeping=bool(context.creeping),
        complete=complete,
        evident=bool(one.evidence),
        teachable=_teachable(birth, plan),
        today=today,
        settings=limits,
    )
    case = write_case(
        case_id=context.twin.case_id,
        candidate=one,
        trace=trace,
        episode=place.episode,
        recorded=place.recorded,
        plan=plan,
        birth=birth,
        category=category_of(one, rule, place.episode),
        split=split_of(context.twin.group, limits),
        duplicate_group=context.twin.group,
        day=today.isoformat(),
        twin_of=context.twin.twin_of,
    )
    facts = Facts(
        ignored=context.ignored,
        complete=complete,
        evident=bool(one.evidence),
        replayable=place.episode is not None,
        untaught=plan.untaught if birth.self_check.verdict == "passes_on_bad" else "",
        birth=birth,
        residue=tuple(sorted(residue(case_texts(case)))),
        distrust=context.distrust,
        symptom_of=context.symptom_of,
    )
    blocks = find_blocks(one, facts, context.history, scores, limits)
    return Weighed(
        one, context.twin, scores, context.history, birth, blocks, case, context.creeping
    )


def _teachable(birth: Birth, plan: Plan) -> float:
    """1 where the checks tell, one half where only a judge could, else 0."""
    if birth.self_check.tells:
        return 1.0
    return 0.5 if any(check.kind == "rubric" for check in plan.checks) else 0.0
