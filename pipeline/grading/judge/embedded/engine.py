"""The embedded judge: deterministic, needs no key, and says unknown when the evidence is silent.

It is no model and has no taste. It knows only what can be checked in the trace: see the functions
of `faithfulness`, `helpfulness`, `completeness` and `tone`, one a signal. On each axis evidence
against outweighs evidence in favour; without either the verdict is `unknown`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from pipeline.grading.judge.embedded import completeness, faithfulness, helpfulness, tone
from pipeline.grading.judge.embedded.signals import Signal
from pipeline.grading.judge.interface import Case, Judgement
from pipeline.grading.lexicons import vocabulary_digest
from pipeline.grading.sense import sense_identity
from pipeline.ids import digest
from pipeline.registry import Axis

__all__ = ["EMBEDDED_VERSION", "EmbeddedJudge"]

EMBEDDED_VERSION: Final = "3"
"""Changes whenever a signal may speak otherwise for the same trace."""

_Gather = Callable[[Case, Axis], Iterator[Signal]]


def _faithfulness(case: Case, axis: Axis) -> Iterator[Signal]:
    yield from faithfulness.claimed_actions(case.conversation)
    yield from faithfulness.facts_supported(case.conversation)
    yield from faithfulness.contradicted_by_user(case.conversation)


def _helpfulness(case: Case, axis: Axis) -> Iterator[Signal]:
    yield from helpfulness.user_reaction(case.conversation)
    yield from helpfulness.deflection(case.conversation)
    yield from helpfulness.results_used(case.conversation)
    yield from helpfulness.without_substance(case.conversation)


def _completeness(case: Case, axis: Axis) -> Iterator[Signal]:
    yield from completeness.requests_answered(case.conversation)


def _tone(case: Case, axis: Axis) -> Iterator[Signal]:
    sure = case.intent_score is None or case.intent_score >= axis.sure_intent_score
    shown = any(call.name in axis.apology_tools for call in case.conversation.calls)
    owed = case.intent is not None and case.intent.id in axis.apology_intents and (sure or shown)
    owed = owed or any(call.name in axis.apology_proof for call in case.conversation.calls)
    yield from tone.harsh_words(case.conversation)
    yield from tone.apology_owed(case.conversation, owed)
    yield from tone.apology_loop(case.conversation)
    yield from tone.courtesy(case.conversation)


_GATHER: Final[dict[str, _Gather]] = {
    "faithfulness": _faithfulness,
    "helpfulness": _helpfulness,
    "completeness": _completeness,
    "tone": _tone,
}


class EmbeddedJudge:
    """Judges by checkable evidence alone; axes that users added to the rubric are `unknown`.

    Args:
        rubric: the axes to grade; its digest is part of the identity.
    """

    def __init__(self, rubric: Sequence[Axis]) -> None:
        self._axes = tuple(rubric)
        self._identity = "embedded-" + digest(
            "embedded",
            EMBEDDED_VERSION,
            vocabulary_digest(),
            sense_identity(),
            [axis.model_dump(mode="json") for axis in rubric],
            size=6,
        )

    @property
    def identity(self) -> str:
        """Digest of engine, version and rubric."""
        return self._identity

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes of the rubric."""
        return self._axes

    def missing(self, cases: Sequence[Case]) -> int:
        """None: it asks nobody."""
        return 0

    def judge(self, cases: Sequence[Case]) -> list[tuple[Judgement, ...]]:
        """Grade every case on the axes it asks for; no case depends on its neighbours."""
        return [tuple(_judge(case, axis) for axis in case.asked(self._axes)) for case in cases]


def _judge(case: Case, axis: Axis) -> Judgement:
    gather = _GATHER.get(axis.id)
    if gather is None or not case.conversation.answered:
        return Judgement(axis.id, "unknown", None, "The embedded judge has no evidence for this.")
    signals = list(gather(case, axis))
    bad = next((signal for signal in signals if not signal.favourable), None)
    good = [signal for signal in signals if signal.favourable]
    if bad:
        score = round(len(good) / len(signals), 6) * 0.5
        return Judgement(axis.id, "fail", score, bad.sentence, bad.evidence, bad.subject, bad.code)
    if good:
        evidence = tuple(dict.fromkeys(ref for signal in good for ref in signal.evidence))
        return Judgement(axis.id, "pass", 1.0, good[0].sentence, evidence)
    return Judgement(axis.id, "unknown", None, "The trace holds no evidence on this axis.")
