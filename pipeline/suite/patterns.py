"""What all days together show of a mode, beside what each day showed of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from pipeline.promotion.coverage import cases_in_wait, missed_offline
from pipeline.promotion.gates import PATTERN_BLOCKS
from pipeline.promotion.scores import ModeHistory, enduring, patterned
from pipeline.registry.settings import Promotion
from pipeline.suite.folding import SCORES, Entry

__all__ = ["Patterns"]


class Patterns:
    """What all days show of each mode."""

    def __init__(
        self, entries: Sequence[Entry], published: Mapping[str, Mapping[str, Any]]
    ) -> None:
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
                releases=len({e.release for e in alike if e.release}),
            )
            for mode, alike in modes.items()
        }
        self._published = published
        self._lessons = {lesson: len(traces) for lesson, traces in lessons.items()}

    @staticmethod
    def _key(entry: Entry) -> str:
        return entry.mode_id or f"{entry.check}/{entry.intent}"

    def lift(self, entry: Entry, settled: Set[str], limits: Promotion) -> bool:
        """Whether what blocked a candidate on its day no longer holds.

        Beside what people have `settled`, only a missing pattern (with the low score it may have
        caused) and cover by other cases can be lifted; then the mode must have been seen often
        enough, on two days or by two users, and the mean score with the new pattern must reach
        the threshold. What a case stood ready for tells of the gate: it counts half as missed.
        """
        if not entry.blocked_by or entry.blocked_by - {*PATTERN_BLOCKS, "low_score", *settled}:
            return False
        mode = self._key(entry)
        history = replace(self._seen[mode], lesson=self._lessons[mode, entry.intent])
        scores = dict(zip(SCORES, entry.scores, strict=True))
        waiting = cases_in_wait(self._published, entry.mode_id, entry.intent, entry.day)
        scores["missed_offline"] = missed_offline(scores["missed_offline"], waiting)
        known = (*scores.values(), patterned(history, limits), enduring(history, limits))
        return (
            history.traces >= limits.recurrence
            and history.lesson >= limits.lesson_recurrence
            and (history.days >= 2 or history.users >= 2)
            and sum(known) / len(known) >= limits.threshold
        )
