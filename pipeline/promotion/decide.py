"""One day's decisions: which of its failures become tests, which a person sees, which wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from pipeline.promotion.candidates import Candidate, collect_candidates
from pipeline.promotion.cases import category_of, split_of, write_case
from pipeline.promotion.gates import Block, decide_one
from pipeline.promotion.grouping import find_twins, session_of
from pipeline.promotion.histories import Histories, Trust
from pipeline.promotion.weighing import Weighed, weigh
from pipeline.provenance import Counts
from pipeline.registry import Registry
from pipeline.tables import PROMOTED_CASES
from pipeline.windows import Window

__all__ = ["Decisions", "decide"]

_SYMPTOMS = ("complaint",)  # kinds of rules that tell that something is wrong, not what


@dataclass(frozen=True)
class Decisions:
    """A day's decisions: `frame` fits `promoted_cases`, `counts` are candidates.

    Near-duplicates of one day have rows of their own under one `case_id`: to count cases, count
    distinct ids.
    """

    frame: pl.DataFrame
    counts: Counts


def decide(
    clusters: pl.DataFrame,
    grades: pl.DataFrame,
    redacted: pl.DataFrame,
    samples: pl.DataFrame,
    modes_before: pl.DataFrame | None,
    calibration_before: pl.DataFrame | None,
    registry: Registry,
    window: Window,
) -> Decisions:
    """Decide on every candidate of one day.

    Args:
        clusters: the day's `failure_mode_clusters`.
        grades: the day's `grades`.
        redacted: the day's `redacted_traces`.
        samples: the day's `stratified_samples`.
        modes_before: `failure_modes` of the week before, or None.
        calibration_before: `judge_calibration_reports` of the week before; None: no judge is
            trusted.
        registry: rules, intents, rubric, named modes and settings.
        window: the day.
    """
    pool = collect_candidates(clusters, grades, redacted, samples, registry)
    traces = {row["trace_id"]: row for row in redacted.iter_rows(named=True)}
    known = [one for one in pool.found if one.trace_id in traces]
    limits = registry.settings.promotion
    twins = find_twins(known, traces, limits.duplicate_similarity)
    histories = Histories(known, modes_before, registry)
    trust = Trust(calibration_before)
    ignored = {mode.id for mode in registry.failure_modes if mode.state == "ignored"}
    explained = {
        one.trace_id: one.check
        for one in reversed(known)
        if one.layer == "rule" and _kind(one, registry) not in (*_SYMPTOMS, "")
    }
    weighed = [
        weigh(
            one,
            traces[one.trace_id],
            twins[one.trace_id, one.check],
            histories.of(one),
            pool.norms.get(one.intent),
            trust.doubt(one),
            one.mode_id in ignored,
            explained.get(one.trace_id, "") if _kind(one, registry) in _SYMPTOMS else "",
            registry,
            window.first,
        )
        for one in known
    ]
    covered = _mark_covered(weighed, limits.cases_per_lesson)
    rows = [_row(one, traces[one.candidate.trace_id], registry, window) for one in covered]
    frame = pl.DataFrame(rows, schema=PROMOTED_CASES.schema) if rows else PROMOTED_CASES.empty()
    missing = len(pool.found) - len(known)
    return Decisions(
        PROMOTED_CASES.conform(frame),
        Counts(
            "candidates",
            pool.records_in,
            frame.height,
            duplicates=pool.records_in - len(pool.found),
            filtered={"trace_not_redacted": missing} if missing else {},
        ),
    )


def _kind(candidate: Candidate, registry: Registry) -> str:
    rule = next((rule for rule in registry.rules if rule.id == candidate.check), None)
    return rule.kind if rule else ""


def _mark_covered(weighed: Sequence[Weighed], most: int) -> list[Weighed]:
    """Block what a day has enough of: cases of one mode and intent beyond `most`, best first.

    Twins count once, with their founder.
    """
    kept: dict[tuple[str, str], list[str]] = {}
    result = []
    for one in sorted(
        weighed, key=lambda one: (bool(one.twin_of), -one.scores.mean, one.candidate.trace_id)
    ):
        lesson = (one.candidate.mode_id or one.candidate.check, one.candidate.intent)
        cases = kept.setdefault(lesson, [])
        if not one.blocks and one.case_id not in cases:
            if len(cases) >= most:
                reason = (
                    f"Covered: this day has {len(cases)} better cases of the same mode and intent."
                )
                one = replace(one, blocks=(Block("covered", reason),))
            else:
                cases.append(one.case_id)
        result.append(one)
    return result


def _row(
    one: Weighed, trace: Mapping[str, Any], registry: Registry, window: Window
) -> dict[str, Any]:
    limits = registry.settings.promotion
    candidate = one.candidate
    decision = decide_one(one.blocks, one.scores, limits)
    category = category_of(candidate, one.rule, one.episode)
    split = split_of(one.group, limits)
    return {
        "case_id": one.case_id,
        "trace_id": candidate.trace_id,
        "check": candidate.check,
        "layer": candidate.layer,
        "failure_mode_id": candidate.mode_id,
        "decision": decision,
        "reasons": _reasons(one, decision),
        **{name: getattr(one.scores, name) for name in one.scores.__dataclass_fields__},
        "split": split,
        "category": category,
        "severity": candidate.severity,
        "duplicate_group": one.group,
        "session": session_of(trace),
        "fingerprint": list(one.prints),
        "signature": candidate.signature,
        "user_key": candidate.user_key,
        "blocked_by": sorted(block.code for block in one.blocks),
        "case": write_case(
            case_id=one.case_id,
            candidate=candidate,
            trace=trace,
            episode=one.episode,
            recorded=one.recorded,
            plan=one.plan,
            category=category,
            split=split,
            duplicate_group=one.group,
            day=window.key,
            twin_of=one.twin_of,
        ),
        "intent": candidate.intent,
        "stakes": candidate.stakes,
        "release": candidate.release,
        "weight": candidate.weight,
    }


def _reasons(one: Weighed, decision: str) -> list[str]:
    """Why, in sentences that a person can argue with."""
    reasons = [block.reason for block in one.blocks]
    if decision == "promoted":
        history = one.history
        since = f" since {history.first_seen}" if history.first_seen else " today"
        reasons.append(f"A pattern: {history.traces} traces of this mode{since}.")
        reasons.append(f"Its mean score is {one.scores.mean:.2f}.")
        reasons.append("A check made from it fails on the recorded output.")
    if one.twin_of:
        reasons.append(f"A near-duplicate of trace {one.twin_of}: it joins that case's history.")
    return reasons
