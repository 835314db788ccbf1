"""One day's decisions: which of its failures become tests, which a person sees, which wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from pipeline.failures.slow import SYMPTOMS
from pipeline.ids import canonical_json
from pipeline.promotion.candidate import Candidate
from pipeline.promotion.candidates import collect_candidates
from pipeline.promotion.expiry import VERSIONS
from pipeline.promotion.gates import Block, decide_one
from pipeline.promotion.grouping import find_twins, session_of
from pipeline.promotion.histories import Histories, Trust
from pipeline.promotion.residue import Residue, residue_finder
from pipeline.promotion.slow.creeps import Creeps
from pipeline.promotion.trials.mutations import Peers
from pipeline.promotion.trials.self_check import SELF_CHECKS, TRIED_OUT
from pipeline.promotion.weighing import Context, Weighed, weigh
from pipeline.provenance import Counts
from pipeline.registry import Registry
from pipeline.tables import PROMOTED_CASES
from pipeline.windows import Window

__all__ = ["Decisions", "decide"]


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
    residue: Residue | None = None,
    slow_before: pl.DataFrame | None = None,
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
        residue: finds what has the shape of personal data; None: as the default policy says.
        slow_before: `slow_failures` of the week before; None: nothing creeps up.
    """
    creeps = Creeps(slow_before, registry.settings.promotion.slow_share)
    pool = collect_candidates(clusters, grades, redacted, samples, registry, creeps)
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
        if one.layer == "rule" and _kind(one, registry) not in (*SYMPTOMS, "")
    }
    peers = Peers(grades, traces)
    look = residue or residue_finder()
    weighed = [
        weigh(
            one,
            traces[one.trace_id],
            Context(
                twins[one.trace_id, one.check],
                histories.of(one),
                pool.norms.get(one.intent),
                trust.doubt(one),
                one.mode_id in ignored,
                explained.get(one.trace_id, "") if _kind(one, registry) in SYMPTOMS else "",
                tuple(f"{creep.told()}." for creep in creeps.of_mode(one.mode_id)),
            ),
            peers,
            look,
            registry,
            window.first,
        )
        for one in known
    ]
    covered = _mark_covered(weighed, limits.cases_per_lesson)
    rows = [_row(one, traces[one.candidate.trace_id], registry) for one in covered]
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
        weighed, key=lambda one: (bool(one.twin.twin_of), -one.scores.mean, one.candidate.trace_id)
    ):
        lesson = (one.candidate.mode_id or one.candidate.check, one.candidate.intent)
        cases = kept.setdefault(lesson, [])
        if not one.blocks and one.twin.case_id not in cases:
            if len(cases) >= most:
                reason = (
                    f"Covered: this day has {len(cases)} better cases of the same mode and intent."
                )
                one = replace(one, blocks=(Block("covered", reason),))
            else:
                cases.append(one.twin.case_id)
        result.append(one)
    return result


def _row(one: Weighed, trace: Mapping[str, Any], registry: Registry) -> dict[str, Any]:
    candidate, twin, mutations = one.candidate, one.twin, one.birth.mutations
    decision = decide_one(one.blocks, one.scores, registry.settings.promotion)
    return {
        "case_id": twin.case_id,
        "trace_id": candidate.trace_id,
        "check": candidate.check,
        "layer": candidate.layer,
        "failure_mode_id": candidate.mode_id,
        "decision": decision,
        "reasons": _reasons(one, decision),
        **{name: getattr(one.scores, name) for name in one.scores.__dataclass_fields__},
        "split": one.case["split"],
        "category": one.case["category"],
        "severity": candidate.severity,
        "duplicate_group": twin.group,
        "session": session_of(trace),
        "fingerprint": list(twin.prints),
        "signature": candidate.signature,
        "user_key": candidate.user_key,
        "blocked_by": sorted(block.code for block in one.blocks),
        "self_check": one.birth.self_check.verdict,
        "mutations_caught": len(mutations.caught) if mutations else None,
        "mutations_tried": mutations.total if mutations else None,
        "mutations_missed": list(mutations.missed) if mutations else [],
        **{name: trace[name] for name in VERSIONS},
        "case": canonical_json(one.case).decode(),
        "intent": candidate.intent,
        "stakes": candidate.stakes,
        "release": candidate.release,
        "weight": candidate.weight,
    }


def _reasons(one: Weighed, decision: str) -> list[str]:
    """Why, in sentences that a person can argue with."""
    slow, history = one.candidate.slow, one.history
    reasons = [one.candidate.reason] if slow else []  # why it is a candidate at all
    reasons += [*(block.reason for block in one.blocks), *one.creeping]
    if decision == "promoted":
        since = f" since {history.first_seen}" if history.first_seen else " today"
        reasons.append(
            f"A pattern: a trend over {slow.creep.weeks} weeks, and {slow.traces} conversations "
            "of the day that show it."
            if slow
            else f"A pattern: {history.traces} traces of this mode{since}."
        )
        reasons.append(f"Its mean score is {one.scores.mean:.2f}.")
        reasons.append(f"{TRIED_OUT}: it {SELF_CHECKS[one.birth.self_check.verdict]}.")
    if one.twin.twin_of:
        reasons.append(
            f"A near-duplicate of trace {one.twin.twin_of}: it joins that case's history."
        )
    return reasons
