"""How many cases one lesson has, and which: few that differ, not many that tell the same story."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from pipeline.registry.settings import Promotion
from pipeline.suite.folding import Entry, Fold
from pipeline.suite.likeness import Crowd, Likeness, Turns, turns_of

__all__ = ["Chosen", "Variant", "fill_lessons", "variant_of"]


@dataclass(frozen=True)
class Chosen:
    """A fold that became a case: the candidate it is written from, and its history."""

    fold: Fold
    head: Entry
    active: bool
    birth: Mapping[str, Any] | None = None
    """How it did when it was tried again on what a person says should have been."""


def fill_lessons(
    chosen: list[Chosen],
    waiting: Sequence[Chosen],
    likeness: Likeness,
    limits: Promotion,
) -> int:
    """Add those that wait to `chosen` while there is room; returns how many failures had none.

    A lesson (mode and intent) has room for `cases_per_lesson` cases, and a variant of it (the
    signature: check, subject and error class) for `cases_per_variant`. They go to the earliest,
    those first whose conversation has no case yet: one that failed several checks would tell one
    story several times. What asks the same as a case of its check and lesson, in other words,
    joins that case's history.
    """
    covered = 0
    asked = _asked(chosen, waiting, likeness)
    in_lesson = Counter(_lesson(case.head) for case in chosen)
    in_variant = Counter(variant_of(case.head) for case in chosen)
    told = {case.head.trace_id for case in chosen}
    crowds: dict[tuple[_Lesson, str], Crowd] = {}
    for place, case in enumerate(chosen):
        crowd = crowds.setdefault((_lesson(case.head), case.head.check), Crowd(likeness))
        crowd.add(asked.get(case.head.order, ()), place)
    later: list[Chosen] = []
    for again, turn in ((False, sorted(waiting, key=_by_age)), (True, later)):
        for one in turn:
            lesson, variant = _lesson(one.head), variant_of(one.head)
            turns = asked.get(one.head.order, ())
            crowd = crowds.setdefault((lesson, one.head.check), Crowd(likeness))
            near = crowd.alike(turns)
            full = in_lesson[lesson] >= limits.cases_per_lesson
            if near:  # the earliest: it was there, or not, whatever has been published since
                twin = min(near, key=lambda place: chosen[place].head.order)
                chosen[twin] = _join(chosen[twin], one.fold)
            elif full or in_variant[variant] >= limits.cases_per_variant:
                covered += len(one.fold.entries)
            elif one.head.trace_id in told and not again:
                later.append(one)
            else:
                told.add(one.head.trace_id)
                in_lesson[lesson] += 1
                in_variant[variant] += 1
                crowd.add(turns, len(chosen))
                chosen.append(one)
    return covered


_Lesson = tuple[str, str]
Variant = tuple[_Lesson, str]


def _by_age(one: Chosen) -> tuple[tuple[date, str, str], str]:
    return one.head.order, one.fold.case_id


def variant_of(head: Entry) -> Variant:
    """What a lesson has one case of: its mode, intent, and signature."""
    return _lesson(head), head.signature or head.check


def _lesson(head: Entry) -> _Lesson:
    return head.mode_id or head.check, head.intent


def _asked(
    chosen: Sequence[Chosen], waiting: Sequence[Chosen], likeness: Likeness
) -> dict[tuple[date, str, str], Turns]:
    """What the users said up to the failing turn, wherever heads of one lesson can be compared."""
    heads = [one.head for one in (*chosen, *waiting)]
    several = Counter(map(_lesson, heads))
    asked = {e.order: turns_of(e.case) for e in heads if several[_lesson(e)] > 1}
    likeness.learn(asked.values())
    return asked


def _join(one: Chosen, fold: Fold) -> Chosen:
    entries = sorted((*one.fold.entries, *fold.entries), key=lambda entry: entry.order)
    return replace(one, fold=replace(one.fold, entries=tuple(entries)))
