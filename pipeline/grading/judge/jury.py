"""A jury: several judges grade the same cases, and the majority of them decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from pipeline.grading.judge.interface import Case, Judge, Judgement
from pipeline.ids import digest
from pipeline.registry import Axis

__all__ = ["Jury", "jury_identity"]


def jury_identity(members: Sequence[str]) -> str:
    """The identity of a jury of judges with these identities, whatever their order."""
    return "jury-" + digest(sorted(members), size=6)


class Jury:
    """Judges of one rubric; each grades every case.

    Args:
        members: two or more.
    """

    def __init__(self, members: Sequence[Judge]) -> None:
        self._members = tuple(members)

    @property
    def identity(self) -> str:
        """Digest of the members' identities."""
        return jury_identity([member.identity for member in self._members])

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes of the rubric."""
        return self._members[0].axes

    def judge(self, cases: Sequence[Case]) -> list[tuple[Judgement, ...]]:
        """Grade `cases`: on each axis the verdict of more than half of the jury, else unknown.

        Raises:
            PendingCalls: a member could not grade all; what it was paid for is kept.
            JudgeRefused: a member cannot work as it is configured.
        """
        ballots = [member.judge(cases) for member in self._members]
        return [
            tuple(_decide(votes) for votes in zip(*by_member, strict=True))
            for by_member in zip(*ballots, strict=True)
        ]

    def missing(self, cases: Sequence[Case]) -> int:
        """The calls that all members would make."""
        return sum(member.missing(cases) for member in self._members)


def _decide(votes: Sequence[Judgement]) -> Judgement:
    """The word of the majority: its first member's grounds, the mean of its scores."""
    told = [vote.snapshot for vote in votes]
    snapshot = digest(*told, size=3) if any(told) else ""
    for verdict in ("fail", "pass", "error"):
        side = [vote for vote in votes if vote.verdict == verdict]
        if len(side) > len(votes) / 2:
            scores = [vote.score for vote in side if vote.score is not None]
            score = round(fmean(scores), 6) if scores else None
            return replace(side[0], score=score, snapshot=snapshot)
    tally = ", ".join(
        f"{sum(v.verdict == name for v in votes)} {name}"
        for name in ("fail", "pass", "unknown", "error")
        if any(v.verdict == name for v in votes)
    )
    reason = f"The jury is divided: {tally}."
    return Judgement(votes[0].axis, "unknown", None, reason, snapshot=snapshot)
