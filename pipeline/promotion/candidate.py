"""One trace and check that asks for a decision."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.promotion.scores import ModeHistory
from pipeline.promotion.slow.creeps import Creep
from pipeline.registry import UNKNOWN

__all__ = ["COSTLY_PASS", "SLOW_FAILURE", "Candidate", "Origin", "Showing", "from_grade"]

Origin = Literal["failure", "borderline", "slow_failure", "costly_pass"]

COSTLY_PASS = "costly_pass"
"""The check of a conversation that passed at too high a cost."""

SLOW_FAILURE = "slow_failure"
"""How the checks of conversations begin that passed and show what creeps up; the metric ends it."""


@dataclass(frozen=True)
class Showing:
    """How a conversation that passed every check shows what creeps up.

    Attributes:
        creep: what creeps up.
        value: what the conversation took of it.
        before: what its intent took before.
        limit: what the conversation had to take more than, to show it.
        most_tokens: the ceiling of tokens, where they stand for a cost; None: they do not.
        traces: conversations of the day that show it; `users` of them.
    """

    creep: Creep
    value: float
    before: float
    limit: float
    most_tokens: int | None
    traces: int
    users: int

    @property
    def ratio(self) -> float:
        """What it took over what its intent took before; infinite where that was nothing."""
        return self.value / self.before if self.before > 0 else math.inf

    @property
    def history(self) -> ModeHistory:
        """What is known of its mode: each week of the trend counts as a day that saw a trace."""
        weeks = self.creep.weeks
        seen = self.traces + weeks
        return ModeHistory(seen, self.users + 1, 1 + weeks, seen, self.creep.since)


@dataclass(frozen=True)
class Candidate:
    """One trace and check that asks for a decision."""

    origin: Origin
    trace_id: str
    check: str
    layer: str
    axis: str
    mode_id: str | None
    mode_name: str
    signature: str | None
    description: str
    reason: str
    evidence: tuple[str, ...]
    subject: str | None
    error_class: str | None
    severity: str
    intent: str
    stakes: str
    release: str | None
    weight: float | None
    user_key: str | None
    injection: bool
    grader_ids: tuple[str, ...]
    turns: int | None
    tokens: int | None
    signals: tuple[str, ...]
    asked_by: str
    slow: Showing | None = None


def from_grade(
    origin: Origin,
    grade: Mapping[str, Any],
    sampled: Mapping[str, Mapping[str, Any]],
    *,
    cluster: Mapping[str, Any] | None = None,
    graders: tuple[str, ...] = (),
    asked_by: str = "",
    slow: Showing | None = None,
) -> Candidate:
    """A candidate from its row of `grades`; `cluster` is its row of `failure_mode_clusters`.

    `slow` says how it shows what creeps up, where that is why it is one.
    """
    seen = sampled.get(grade["trace_id"], {})
    return Candidate(
        origin=origin,
        trace_id=grade["trace_id"],
        check=grade["check"],
        layer=grade["layer"],
        axis=grade["axis"] or grade["check"],
        mode_id=cluster["failure_mode_id"] if cluster else None,
        mode_name=cluster["name"] if cluster else origin.replace("_", " "),
        signature=cluster["signature"] if cluster else None,
        description=cluster["description"] if cluster else grade["reason"] or "",
        reason=grade["reason"] or "",
        evidence=tuple(grade["evidence"] or ()),
        subject=grade["subject"],
        error_class=grade["error_class"],
        severity=grade["severity"] or "low",
        intent=grade["intent"] or UNKNOWN,
        stakes=grade["stakes"] or "low",
        release=grade["release"],
        weight=grade["weight"],
        user_key=grade["user_key"],
        injection=bool(grade["injection_suspected"]),
        grader_ids=graders or (grade["grader_id"],),
        turns=seen.get("turns"),
        tokens=seen.get("total_tokens"),
        signals=tuple(seen.get("signals") or ()),
        asked_by=asked_by,
        slow=slow,
    )
