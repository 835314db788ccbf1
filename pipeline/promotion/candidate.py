"""One trace and check that asks for a decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.registry import UNKNOWN

__all__ = ["COSTLY_PASS", "Candidate", "from_grade"]

COSTLY_PASS = "costly_pass"
"""The check of a conversation that passed at too high a cost."""


@dataclass(frozen=True)
class Candidate:
    """One trace and check that asks for a decision."""

    origin: Literal["failure", "borderline", "costly_pass"]
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


def from_grade(
    origin: Literal["failure", "borderline", "costly_pass"],
    grade: Mapping[str, Any],
    sampled: Mapping[str, Mapping[str, Any]],
    *,
    cluster: Mapping[str, Any] | None = None,
    graders: tuple[str, ...] = (),
    asked_by: str = "",
) -> Candidate:
    """A candidate from its row of `grades`; `cluster` is its row of `failure_mode_clusters`."""
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
    )
