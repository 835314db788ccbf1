"""What every judge is: cases in, judgements out, under one identity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.grading.conversation import Conversation
from pipeline.grading.rules import Verdict
from pipeline.registry import Axis, Intent

__all__ = ["Case", "Judge", "JudgeRefused", "Judgement", "PendingCalls"]


@dataclass(frozen=True)
class Case:
    """One conversation put before a judge, with the intent it was sampled under (None: unknown).

    `axes` names those it is to be graded on; None asks for all of the judge's.
    """

    conversation: Conversation
    intent: Intent | None
    intent_score: float | None = None
    axes: tuple[str, ...] | None = None

    def asked(self, axes: Sequence[Axis]) -> tuple[Axis, ...]:
        """Those of a judge's axes that the case is about, in the judge's order."""
        return tuple(axis for axis in axes if self.axes is None or axis.id in self.axes)


@dataclass(frozen=True)
class Judgement:
    """A judge's word on one axis; `reason` is a sentence of ours, never text of the trace.

    `snapshot` is a digest of the model and fingerprint that the provider says has answered; empty
    where it says nothing, and where there is no provider.
    """

    axis: str
    verdict: Verdict
    score: float | None
    reason: str
    evidence: tuple[str, ...] = ()
    subject: str | None = None
    error_class: str | None = None
    snapshot: str = ""


class Judge(Protocol):
    """Grades cases on the axes of the rubric it was made with."""

    @property
    def identity(self) -> str:
        """A digest of engine, model, prompt, rubric and parameters: what a verdict hangs on."""
        ...

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes it grades, in the rubric's order."""
        ...

    def judge(self, cases: Sequence[Case]) -> list[tuple[Judgement, ...]]:
        """Grade `cases`: for each, in order, one judgement an axis it asks for.

        Raises:
            PendingCalls: not all could be graded now; what was graded is kept.
            JudgeRefused: the judge cannot work at all as it is configured.
        """
        ...

    def missing(self, cases: Sequence[Case]) -> int:
        """How many calls `judge` would make for these cases; answers that are kept need none."""
        ...


class PendingCalls(RuntimeError):
    """Some cases are not graded yet: the budget ran out or the provider does not answer.

    What was paid for is in the ledger and will not be paid again.
    """

    def __init__(self, pending: int, kept: int, why: str) -> None:
        super().__init__(
            f"judge: calls pending: {pending} ({why}); answers kept in the ledger: {kept}; nothing "
            "was published. Run it again to resume: only the pending calls are made"
        )
        self.pending = pending
        self.why = why
        self.kept = kept


class JudgeRefused(RuntimeError):
    """The judge's configuration cannot work: no model, no price, no access."""
