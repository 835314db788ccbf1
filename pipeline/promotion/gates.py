"""The decision on one candidate: what stands against it, and what that leads to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.promotion.candidate import Candidate
from pipeline.promotion.scores import ModeHistory, Scores
from pipeline.promotion.trials.birth import Birth
from pipeline.promotion.trials.mutations import Mutations
from pipeline.registry.settings import Promotion

__all__ = [
    "BLOCKS",
    "PATTERN_BLOCKS",
    "Block",
    "Decision",
    "Facts",
    "decide_one",
    "find_blocks",
]

Decision = Literal["promoted", "review", "rejected"]

PATTERN_BLOCKS = frozenset({"no_pattern", "covered"})
"""Blocks that only all days together can lift or lay: the suite decides them anew."""

BLOCKS: Mapping[str, str] = {
    "ignored": "a person set the mode to ignored",
    "injection_suspected": "may carry an injection",
    "residue": "may hold personal data",
    "symptom": "a symptom of another failure of the trace",
    "borderline": "the judge could not tell",
    "untrusted_judge": "only an untrusted judge says so",
    "partial_trace": "spans are missing",
    "unexplained": "no evidence where it failed",
    "not_replayable": "nothing to replay",
    "not_teachable": "no check fails on the recorded output",
    "fails_on_good": "its checks fail on the corrected output too",
    "weak_checks": "its checks miss what they are there to catch",
    "no_pattern": "no pattern yet",
    "low_score": "the mean score is too low",
    "covered": "the lesson has cases enough",
}
"""What keeps a candidate from being promoted by itself, by code, gravest first."""

_OF_BORDERLINE = frozenset(
    {"ignored", "injection_suspected", "residue", "borderline", "partial_trace"}
)
_GRAVE = 1.0  # risk-bearing: stakes and severity both high


@dataclass(frozen=True)
class Block:
    """One thing that keeps a candidate from being promoted by itself: a code and a sentence."""

    code: str
    reason: str


@dataclass(frozen=True)
class Facts:
    """What the gates ask about a candidate beside its scores.

    `untaught` says why no check teaches it, empty where one fails on the recorded output.
    `distrust` says why its judge is not trusted, empty for a rule or a trusted judge.
    `residue` are the entities of personal data that may show in the written case.
    `symptom_of` names a check that failed on the same trace and explains this one.
    """

    ignored: bool
    complete: bool
    evident: bool
    replayable: bool
    untaught: str
    birth: Birth
    residue: tuple[str, ...]
    distrust: str
    symptom_of: str


def find_blocks(
    candidate: Candidate, facts: Facts, history: ModeHistory, scores: Scores, limits: Promotion
) -> tuple[Block, ...]:
    """Everything that stands against promoting the candidate, gravest first."""
    found: list[Block] = []

    def block(holds: bool, code: str, reason: str) -> None:
        if holds:
            found.append(Block(code, reason))

    block(facts.ignored, "ignored", "A person set this failure mode to ignored.")
    block(
        candidate.injection,
        "injection_suspected",
        "The trace may carry an injection: a person has to look first.",
    )
    block(
        bool(facts.residue),
        "residue",
        f"The case may hold personal data ({', '.join(facts.residue)}): a person looks first.",
    )
    block(
        bool(facts.symptom_of),
        "symptom",
        f"Only a symptom: {facts.symptom_of} failed on the same trace and says why.",
    )
    block(
        candidate.origin == "borderline",
        "borderline",
        f"The judge could not tell on {candidate.axis}, and {candidate.asked_by}.",
    )
    block(bool(facts.distrust), "untrusted_judge", facts.distrust)
    block(not facts.complete, "partial_trace", "The trace is partial: spans are missing.")
    block(not facts.evident, "unexplained", "No evidence points to the place where it failed.")
    block(
        not facts.replayable, "not_replayable", "No turn of a user leads to it: nothing to replay."
    )
    block(bool(facts.untaught), "not_teachable", facts.untaught)
    tried, mutations = facts.birth.self_check, facts.birth.mutations
    block(
        tried.verdict == "fails_on_good",
        "fails_on_good",
        f"Its checks ({', '.join(tried.failed_on_good)}) fail on the corrected output too, so they "
        "cannot tell.",
    )
    block(
        mutations is not None and mutations.reliability < limits.mutation_floor,
        "weak_checks",
        _weakness(mutations),
    )
    many = history.traces < limits.recurrence
    block(
        many or history.lesson < limits.lesson_recurrence,
        "no_pattern",
        f"No pattern yet: {history.traces} of {limits.recurrence} traces of this mode seen."
        if many
        else f"No pattern yet: {history.lesson} of {limits.lesson_recurrence} traces of this mode "
        f"with intent {candidate.intent} seen.",
    )
    block(
        scores.mean < limits.threshold,
        "low_score",
        f"Its mean score {scores.mean:.2f} is below {limits.threshold:.2f}; "
        f"weakest: {' and '.join(scores.weakest)}.",
    )
    if candidate.origin == "borderline":
        # nobody said that it failed: what a failure would need is beside the point
        return tuple(one for one in found if one.code in _OF_BORDERLINE)
    return tuple(found)


def _weakness(mutations: Mutations | None) -> str:
    if mutations is None:
        return ""
    missed, owed = mutations.neglected, mutations.duties
    return (
        f"Its checks let {len(missed)} of the {len(owed)} corruptions pass that they are there to "
        f"catch: {', '.join(missed)}."
    )


def decide_one(blocks: Sequence[Block], scores: Scores, limits: Promotion) -> Decision:
    """Lead the blocks to a decision.

    Ignored modes, symptoms and scores under `review_threshold` are rejected. A suspected
    injection, possible personal data, a borderline trace and a one-off of high stakes and severity
    go to a person. Any other one-off is rejected until there is a pattern; what else is blocked
    goes to a person.
    """
    codes = {block.code for block in blocks}
    if not codes:
        return "promoted"
    if codes & {"ignored", "symptom"}:
        return "rejected"
    if codes & {"injection_suspected", "residue", "borderline"}:
        return "review"
    if scores.mean < limits.review_threshold or "covered" in codes:
        return "rejected"
    if "no_pattern" in codes:
        return "review" if scores.risk_bearing >= _GRAVE else "rejected"
    return "review"
