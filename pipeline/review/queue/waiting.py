"""Cases that wait for a person: near-duplicates folded into one, what people have settled left out.

A candidate waits when its day sent it to review, the suite holds neither its case nor a twin of it,
its failure mode is open, and people have not settled it: one of them voted, or two where it is one
of those that two people see. Where as many say good as bad, or all say partial, one more is asked.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pipeline.ids import unit_interval
from pipeline.promotion import BLOCKS
from pipeline.promotion.twins import group_twins
from pipeline.registry.settings import Review
from pipeline.review.queue.material import Material
from pipeline.suite.people import Voices, hear_people

__all__ = ["Reviewed", "WaitingCase", "find_all", "find_waiting", "reviewers_wanted"]

_LEVEL = {"low": 0.2, "medium": 0.6, "high": 1.0}


@dataclass(frozen=True)
class WaitingCase:
    """A case, and all near-duplicates that wait with it.

    Attributes:
        trace_id: the newest of its traces that is still there: the one that is shown.
        traces: all of them, oldest first.
        since: the day of the oldest.
        category: code of the gravest thing that keeps it from the suite; `disagreement` where
            people are divided.
        risk: of stakes and severity, 0 to 1.
        reviewers: who has said something of it.
        wanted: how many people should.
    """

    case_id: str
    trace_id: str
    traces: tuple[str, ...]
    since: date
    check: str
    layer: str
    mode_id: str | None
    mode_name: str | None
    category: str
    reasons: tuple[str, ...]
    severity: str
    risk: float
    reviewers: frozenset[str]
    wanted: int

    @property
    def lesson(self) -> str:
        """What quotas and frequencies count by: the mode, else the check."""
        return self.mode_id or self.check


@dataclass(frozen=True)
class Reviewed:
    """What people said of each trace that still stands.

    Attributes:
        people: who gave a verdict, by trace.
        words: by trace, all that was said: good, bad, partial, and "axis=pass" or "axis=fail".
        voices: their votes, as the suite counts them.
    """

    people: Mapping[str, frozenset[str]]
    words: Mapping[str, frozenset[str]]
    voices: Voices

    @classmethod
    def of(cls, verdicts: pl.DataFrame) -> Reviewed:
        """Read verdicts (schema `ANNOTATIONS`)."""
        people: dict[str, set[str]] = defaultdict(set)
        words: dict[str, set[str]] = defaultdict(set)
        for row in verdicts.iter_rows(named=True):
            people[row["trace_id"]].add(row["annotator_id"])
            words[row["trace_id"]].add(row["verdict"])
            words[row["trace_id"]] |= {f"{a['axis']}={a['verdict']}" for a in row["axes"] or ()}
        return cls(
            {trace: frozenset(who) for trace, who in people.items()},
            {trace: frozenset(said) for trace, said in words.items()},
            hear_people(verdicts),
        )

    def by(self, traces: Iterable[str]) -> frozenset[str]:
        """Everybody who gave a verdict on one of the traces."""
        return frozenset().union(*(self.people.get(trace, frozenset()) for trace in traces))

    def settled(self, traces: Sequence[str], check: str, layer: str) -> bool:
        """Whether more people speak against a case than for it, or the other way round."""
        return sum(self.voices.on(trace, check, layer) for trace in traces) != 0

    def divided(self, traces: Sequence[str], check: str, layer: str) -> bool:
        """Whether as many people speak against a case as for it, and both do."""
        said = frozenset().union(*(self.words.get(trace, frozenset()) for trace in traces))
        both = {"good", "bad"} <= said or {f"{check}=pass", f"{check}=fail"} <= said
        return both and not self.settled(traces, check, layer)


def reviewers_wanted(trace_id: str, review: Review) -> int:
    """One, or two for the share of traces on which agreement is measured."""
    return 1 + (unit_interval("double", review.seed, trace_id) < review.double_share)


def find_waiting(material: Material, reviewed: Reviewed) -> list[WaitingCase]:
    """Find what waits, oldest first; traces that are gone (erased, say) are left out.

    A case that one person has brought into the suite waits on where two are to look: agreement
    would else be measured on what was rejected alone.
    """
    folds = _folds(material)
    seconds = [rows for rows in folds if _by_people(rows, material)]
    waiting = _cases(material, reviewed, [r for r in folds if not _in_suite(r, material)])
    waiting += [case for case in _cases(material, reviewed, seconds) if case.reviewers]
    waiting.sort(key=lambda case: (case.since, case.case_id))
    return [case for case in waiting if len(case.reviewers) < case.wanted]


def find_all(material: Material) -> list[WaitingCase]:
    """Find all cases that a day sent to review or that are published, settled or not."""
    nothing_said = Reviewed.of(material.annotations.frame.clear())
    return _cases(material, nothing_said, _folds(material))


def _in_suite(rows: Sequence[Mapping[str, Any]], material: Material) -> bool:
    return any(row["case_id"] in material.published for row in rows)


def _by_people(rows: Sequence[Mapping[str, Any]], material: Material) -> bool:
    """Whether a case is in the suite although no day promoted it by itself."""
    return _in_suite(rows, material) and all(row["decision"] == "review" for row in rows)


def _cases(
    material: Material, reviewed: Reviewed, folds: Iterable[list[dict[str, Any]]]
) -> list[WaitingCase]:
    there = set(material.traces["trace_id"])
    closed = {m.id for m in material.registry.failure_modes if m.state != "open"}
    found = []
    for rows in folds:
        mode = material.merged.get(rows[0]["failure_mode_id"], rows[0]["failure_mode_id"])
        traces = tuple(dict.fromkeys(row["trace_id"] for row in rows))
        shown = [row for row in rows if row["trace_id"] in there]
        if shown and mode not in closed:
            found.append(_case(shown[-1], rows, traces, mode, material, reviewed))
    return sorted(found, key=lambda case: (case.since, case.case_id))


def _folds(material: Material) -> list[list[dict[str, Any]]]:
    """The rows of each case with those of its twins, oldest first."""
    published = pl.col("case_id").is_in(sorted(material.published))
    kept = material.candidates.filter(published | (pl.col("decision") == "review"))
    units: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in kept.sort("day", "trace_id", "check").iter_rows(named=True):
        units[row["case_id"]].append(row)
    # what is published leads, then the oldest: the suite folds in the same order
    order = sorted(units, key=lambda one: (one not in material.published, _age(units[one][0])))
    prints = [array("I", units[one][0]["fingerprint"] or ()) for one in order]
    leaders = group_twins(prints, material.registry.settings.promotion.duplicate_similarity)
    folds: dict[tuple[int, str], list[dict[str, Any]]] = defaultdict(list)
    for leader, name in zip(leaders, order, strict=True):
        folds[leader, units[name][0]["check"]] += units[name]
    return [sorted(rows, key=_age) for rows in folds.values()]


def _age(row: Mapping[str, Any]) -> tuple[date, str, str]:
    return row["day"], row["trace_id"], row["check"]


def _case(
    row: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    traces: tuple[str, ...],
    mode: str | None,
    material: Material,
    reviewed: Reviewed,
) -> WaitingCase:
    review = material.registry.settings.review
    people = reviewed.by(traces)
    about = (traces, row["check"], row["layer"])
    divided = reviewed.divided(*about)
    undecided = bool(people) and not reviewed.settled(*about)
    wanted = max(reviewers_wanted(traces[0], review), len(people) + undecided)
    codes = row["blocked_by"] or ()
    category = next((code for code in BLOCKS if code in codes), "other")
    risk = row["risk_bearing"]
    if risk is None:
        levels = [_LEVEL.get(row[name], 0.2) for name in ("stakes", "severity")]
        risk = sum(levels) / len(levels)
    reasons = tuple(row["reasons"] or ())
    return WaitingCase(
        case_id=row["case_id"],
        trace_id=row["trace_id"],
        traces=traces,
        since=rows[0]["day"],
        check=row["check"],
        layer=row["layer"],
        mode_id=mode,
        mode_name=material.modes.get(mode) if mode else None,
        category="disagreement" if divided else category,
        reasons=("People are divided on it.", *reasons) if divided else reasons,
        severity=row["severity"] or "low",
        risk=risk,
        reviewers=people,
        wanted=wanted,
    )
