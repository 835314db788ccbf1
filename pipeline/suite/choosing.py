"""Which folded candidates are cases, and why the others are none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pipeline.promotion.gates import PATTERN_BLOCKS
from pipeline.promotion.placing import functions_of
from pipeline.promotion.trials.birth import try_again
from pipeline.promotion.trials.case_format import CaseError
from pipeline.registry import Registry
from pipeline.registry.settings import Promotion
from pipeline.suite.folding import Entry, Fold
from pipeline.suite.lessons import Chosen, fill_lessons
from pipeline.suite.likeness import Likeness
from pipeline.suite.patterns import Patterns
from pipeline.suite.people import Voices

__all__ = ["choose_cases"]

_HARD = frozenset({"ignored", "not_replayable", "residue"})  # no person's word makes these a case
_DOUBTS = frozenset({"untrusted_judge"})  # whether it failed: any verdict settles that


def choose_cases(
    folds: Sequence[Fold],
    entries: Sequence[Entry],
    published: Mapping[str, Mapping[str, Any]],
    voices: Voices,
    registry: Registry,
    likeness: Likeness,
) -> tuple[list[Chosen], dict[str, int], set[str]]:
    """Choose the folds that are cases; the rest is counted by reason, rejected ids are named.

    What is published stays, and what a person asked for with the case in view comes in; the rest
    waits for room in its lesson (see `lessons.fill_lessons`).
    """
    limits = registry.settings.promotion
    closed = {mode.id for mode in registry.failure_modes if mode.state != "open"}
    patterns = Patterns(entries, published)
    chosen: list[Chosen] = []
    filtered: Counter[str] = Counter()
    gone: set[str] = set()
    waiting: list[Chosen] = []
    functions = functions_of(registry)
    for fold in folds:
        # a trace that moved to another day stands in both until that day is run again
        voted_on = {(e.trace_id, e.check, e.layer) for e in fold.entries}
        votes = sum(voices.on(*one) for one in voted_on)
        traces = {trace for trace, _, _ in voted_on}
        asked_for = any(map(voices.asks, traces))
        head, reason = _head(fold, votes, asked_for, published, patterns, limits)
        if not fold.published:
            fold = replace(fold, case_id=head.case_id)
        tells, birth = _tried_again(head, voices, functions)
        shut = head.mode_id in closed
        if voices.take_out(votes, traces) or (votes < 0 and not fold.published):
            gone.add(fold.case_id)
            filtered["rejected_by_person"] += len(fold.entries)
        elif fold.published:
            chosen.append(Chosen(fold, head, not shut, birth))
        elif shut:
            filtered["mode_closed"] += len(fold.entries)
        elif reason:
            filtered[reason] += len(fold.entries)
        elif not tells:
            filtered["waiting_for_review"] += len(fold.entries)
        elif votes > 0 and asked_for:
            chosen.append(Chosen(fold, head, True, birth))
        else:
            waiting.append(Chosen(fold, head, True, birth))
    filtered["covered"] += fill_lessons(chosen, waiting, likeness, limits)
    return chosen, {reason: n for reason, n in sorted(filtered.items()) if n}, gone


def _tried_again(
    head: Entry, voices: Voices, functions: frozenset[str]
) -> tuple[bool, Mapping[str, Any] | None]:
    """Whether the case tells good from bad in the light of a correction, and how it did."""
    corrected = voices.correction(head.trace_id)
    if corrected is None:
        return True, None
    try:
        found, birth = try_again(head.case, corrected, functions)
    except CaseError:  # it has no turn to correct
        return True, None
    return found.verdict != "fails_on_good", birth


def _head(
    fold: Fold,
    votes: int,
    asked_for: bool,
    published: Mapping[str, Mapping[str, Any]],
    patterns: Patterns,
    limits: Promotion,
) -> tuple[Entry, str]:
    """The candidate that a case is written from, and why the fold is no case (empty: it is)."""
    if fold.published:
        origin = published[fold.case_id].get("provenance")
        source = origin.get("trace_id") if isinstance(origin, dict) else None
        same = [e for e in fold.entries if e.trace_id == source]
        return (same or list(fold.entries))[0], ""
    settled = _DOUBTS if votes > 0 else frozenset()
    ready = [
        e for e in fold.entries if e.decision == "promoted" or patterns.lift(e, settled, limits)
    ]
    if votes > 0 and asked_for:
        ready = ready or [e for e in fold.entries if not e.blocked_by & _HARD]
    if ready:
        return ready[0], ""
    first = fold.entries[0]
    if any(e.decision == "review" for e in fold.entries):
        return first, "waiting_for_review"
    # what a person would have to lift is told first, a low score last
    codes = sorted(
        first.blocked_by, key=lambda code: (code == "low_score", code in PATTERN_BLOCKS, code)
    )
    return first, codes[0] if codes else "rejected"
