"""A day's near-duplicates: which candidates are one case, and under which id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.ids import digest
from pipeline.promotion.candidates import Candidate
from pipeline.promotion.cases import case_id_of
from pipeline.promotion.twins import Fingerprint, fingerprint, group_twins

__all__ = ["Twin", "find_twins", "session_of"]


@dataclass(frozen=True)
class Twin:
    """The case a candidate belongs to: its id, its group, and the earliest trace it repeats."""

    case_id: str
    group: str
    prints: Fingerprint[int]
    twin_of: str


def find_twins(
    candidates: Sequence[Candidate], traces: Mapping[str, Mapping[str, Any]], similarity: float
) -> dict[tuple[str, str], Twin]:
    """Group the day's conversations; a group's case has the id of its earliest trace."""
    ordered = sorted(
        {one.trace_id for one in candidates}, key=lambda t: (traces[t]["started_at"], t)
    )
    said = [
        [m["content"] or "" for m in traces[t]["messages"] or () if m["role"] == "user"]
        for t in ordered
    ]
    prints = [fingerprint(texts) for texts in said]
    leader = group_twins(prints, similarity)
    place = {trace: position for position, trace in enumerate(ordered)}
    first: dict[tuple[int, str], str] = {}
    for one in sorted(candidates, key=lambda one: place[one.trace_id]):
        first.setdefault((leader[place[one.trace_id]], one.check), one.trace_id)
    twins = {}
    for one in candidates:
        position = place[one.trace_id]
        founder = first[leader[position], one.check]
        head = traces[ordered[leader[position]]]["content_digest"]
        twins[one.trace_id, one.check] = Twin(
            case_id_of(traces[founder]["content_digest"], one.check),
            digest("twins", head, size=8),
            prints[position],
            "" if founder == one.trace_id else founder,
        )
    return twins


def session_of(trace: Mapping[str, Any]) -> str:
    """A digest that the conversations of one session share; without a session one is its own."""
    session = trace.get("session_id")
    return digest("session", session or trace["trace_id"], size=8)
