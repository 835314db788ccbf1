"""Which folded candidates are cases, and why the others are none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from pipeline.promotion.gates import PATTERN_BLOCKS
from pipeline.promotion.scores import ModeHistory, enduring, patterned
from pipeline.registry import Registry
from pipeline.registry.settings import Promotion
from pipeline.suite.folding import Entry, Fold
from pipeline.suite.likeness import Crowd, Likeness, Turns, turns_of
from pipeline.suite.people import Voices

__all__ = ["Chosen", "choose_cases"]

_HARD = frozenset({"ignored", "not_replayable"})  # not even a person's word makes these a case


@dataclass(frozen=True)
class Chosen:
    """A fold that became a case: the candidate it is written from, and its history."""

    fold: Fold
    head: Entry
    active: bool


def choose_cases(
    folds: Sequence[Fold],
    entries: Sequence[Entry],
    published: Mapping[str, Mapping[str, Any]],
    voices: Voices,
    registry: Registry,
    likeness: Likeness,
) -> tuple[list[Chosen], dict[str, int], set[str]]:
    """Choose the folds that are cases; the rest is counted by reason, rejected ids are named.

    What asks the same as a case of its check and lesson, in other words, joins its history.
    """
    limits = registry.settings.promotion
    closed = {mode.id for mode in registry.failure_modes if mode.state != "open"}
    patterns = _Patterns(entries)
    chosen: list[Chosen] = []
    filtered: Counter[str] = Counter()
    gone: set[str] = set()
    waiting: list[tuple[Fold, Entry]] = []
    for fold in folds:
        votes = sum(voices.on(e.trace_id, e.check, e.layer) for e in fold.entries)
        head, reason = _head(fold, votes, published, patterns, limits)
        if not fold.published:
            fold = replace(fold, case_id=head.case_id)
        shut = head.mode_id in closed
        if votes < 0:
            gone.add(fold.case_id)
            filtered["rejected_by_person"] += len(fold.entries)
        elif fold.published:
            chosen.append(Chosen(fold, head, not shut))
        elif shut:
            filtered["mode_closed"] += len(fold.entries)
        elif reason:
            filtered[reason] += len(fold.entries)
        elif votes > 0:
            chosen.append(Chosen(fold, head, True))
        else:
            waiting.append((fold, head))
    counts = Counter(_lesson(one.head) for one in chosen)
    asked = _asked(chosen, waiting, likeness)
    held: dict[tuple[_Lesson, str], Crowd] = {}
    for place, one in enumerate(chosen):
        crowd = held.setdefault((_lesson(one.head), one.head.check), Crowd(likeness))
        crowd.add(asked.get(one.head.order, ()), place)
    for fold, head in sorted(waiting, key=lambda pair: (pair[1].order, pair[0].case_id)):
        lesson, turns = _lesson(head), asked.get(head.order, ())
        cases = held.setdefault((lesson, head.check), Crowd(likeness))
        near = cases.alike(turns)
        if near:  # the earliest: it was there, or not, whatever has been published since
            twin = min(near, key=lambda place: chosen[place].head.order)
            chosen[twin] = _join(chosen[twin], fold)
        elif counts[lesson] >= limits.cases_per_lesson:
            filtered["covered"] += len(fold.entries)
        else:
            counts[lesson] += 1
            cases.add(turns, len(chosen))
            chosen.append(Chosen(fold, head, True))
    return chosen, dict(sorted(filtered.items())), gone


_Lesson = tuple[str, str]


def _lesson(head: Entry) -> _Lesson:
    return head.mode_id or head.check, head.intent


def _asked(
    chosen: Sequence[Chosen], waiting: Sequence[tuple[Fold, Entry]], likeness: Likeness
) -> dict[tuple[date, str, str], Turns]:
    """What the users said up to the failing turn, wherever heads of one lesson can be compared."""
    heads = [one.head for one in chosen] + [head for _, head in waiting]
    several = Counter(map(_lesson, heads))
    asked = {e.order: turns_of(e.case) for e in heads if several[_lesson(e)] > 1}
    likeness.learn(asked.values())
    return asked


def _join(one: Chosen, fold: Fold) -> Chosen:
    entries = sorted((*one.fold.entries, *fold.entries), key=lambda entry: entry.order)
    return replace(one, fold=replace(one.fold, entries=tuple(entries)))


def _head(
    fold: Fold,
    votes: int,
    published: Mapping[str, Mapping[str, Any]],
    patterns: _Patterns,
    limits: Promotion,
) -> tuple[Entry, str]:
    """The candidate that a case is written from, and why the fold is no case (empty: it is)."""
    if fold.published:
        origin = published[fold.case_id].get("provenance")
        source = origin.get("trace_id") if isinstance(origin, dict) else None
        same = [e for e in fold.entries if e.trace_id == source]
        return (same or list(fold.entries))[0], ""
    ready = [e for e in fold.entries if e.decision == "promoted" or patterns.lift(e, limits)]
    if votes > 0:
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


class _Patterns:
    """What all days show of each mode."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        modes: dict[str, list[Entry]] = {}
        lessons: dict[tuple[str, str], set[str]] = {}
        for entry in entries:
            mode = self._key(entry)
            modes.setdefault(mode, []).append(entry)
            lessons.setdefault((mode, entry.intent), set()).add(entry.trace_id)
        self._seen = {
            mode: ModeHistory(
                traces=len({e.trace_id for e in alike}),
                users=len({e.user for e in alike}),
                days=len({e.day for e in alike}),
                lesson=0,
                first_seen=None,
            )
            for mode, alike in modes.items()
        }
        self._lessons = {lesson: len(traces) for lesson, traces in lessons.items()}

    @staticmethod
    def _key(entry: Entry) -> str:
        return entry.mode_id or f"{entry.check}/{entry.intent}"

    def lift(self, entry: Entry, limits: Promotion) -> bool:
        """Whether what blocked a candidate on its day no longer holds.

        Only a missing pattern (with the low score it may have caused) and cover by other cases
        can be lifted; then the mode must have been seen often enough, on two days or by two
        users, and the mean score with the new pattern must reach the threshold.
        """
        if not entry.blocked_by or entry.blocked_by - {*PATTERN_BLOCKS, "low_score"}:
            return False
        mode = self._key(entry)
        history = replace(self._seen[mode], lesson=self._lessons[mode, entry.intent])
        known = (*entry.scores, patterned(history, limits), enduring(history, limits))
        return (
            history.traces >= limits.recurrence
            and history.lesson >= limits.lesson_recurrence
            and (history.days >= 2 or history.users >= 2)
            and sum(known) / len(known) >= limits.threshold
        )
