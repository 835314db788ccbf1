"""How many small corruptions of a good answer a case catches.

The good answer is the correction that stands in the trace, where the case passes it; else an
answer of another conversation of the same intent and day that passed, and that the case's checks
pass too. Where there is neither nothing is measured, and nothing is held against the case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from pipeline.grading.conversation import Conversation, read_conversation
from pipeline.promotion.check_kinds import Check
from pipeline.promotion.checks import passes
from pipeline.promotion.episodes import Episode, recorded_outcome
from pipeline.promotion.outcome import Outcome
from pipeline.promotion.trials.corruptions import DUTIES, Corruption, corrupt

__all__ = ["Mutations", "Peers", "mutate"]

_PEERS = 5  # passing conversations of the intent that are looked at


@dataclass(frozen=True)
class Mutations:
    """What a case catches: of all corruptions that apply, and of those its checks are there for."""

    good: Literal["correction", "passing_answer"]
    caught: tuple[str, ...]
    missed: tuple[str, ...]
    duties: tuple[str, ...]

    @property
    def total(self) -> int:
        """Corruptions that apply to the good answer."""
        return len(self.caught) + len(self.missed)

    @property
    def neglected(self) -> tuple[str, ...]:
        """Missed, although a check of the case is there for it."""
        return tuple(name for name in self.missed if name in self.duties)

    @property
    def reliability(self) -> float:
        """Share of its duties that it does; 1 where it has none."""
        return 1 - len(self.neglected) / len(self.duties) if self.duties else 1.0


class Peers:
    """A day's conversations that passed something and failed nothing, by intent."""

    def __init__(self, grades: pl.DataFrame, traces: Mapping[str, Mapping[str, Any]]) -> None:
        failing = grades.filter(pl.col("verdict") == "fail")["trace_id"].unique()
        passed = grades.filter(
            (pl.col("verdict") == "pass") & ~pl.col("trace_id").is_in(failing.to_list())
        )
        self._traces = traces
        self._read: dict[str, Conversation] = {}
        self._passed: dict[str | None, dict[str, set[str]]] = {}
        rows = passed.select("intent", "trace_id", "check").unique().sort(pl.all())
        for intent, trace, check in rows.iter_rows():
            if trace in traces:
                self._passed.setdefault(intent, {}).setdefault(trace, set()).add(check)

    def outcomes(self, check: str, intent: str) -> Iterator[Outcome]:
        """What the agent did in each turn of the first few, those first that passed `check`."""
        known = self._passed.get(intent, {})
        ranked = sorted(known, key=lambda trace: (check not in known[trace], trace))
        for trace in ranked[:_PEERS]:
            if trace not in self._read:
                self._read[trace] = read_conversation(self._traces[trace])
            talk = self._read[trace]
            for turn in talk.turns:
                if turn.user and turn.answer:
                    yield recorded_outcome(Episode(talk, turn, turn.user.index + 1), None)


def mutate(
    checks: tuple[Check, ...], bad: Outcome, corrected: Outcome | None, peers: Iterable[Outcome]
) -> Mutations | None:
    """Corrupt a good answer and count what `checks` catch; None where none is at hand.

    Args:
        checks: of the case.
        bad: what was recorded.
        corrected: what should have been, where a correction says so.
        peers: answers that may be good ones; of those that pass, the one to which most applies.
    """
    if not any(passes(check, bad) is False for check in checks):
        return None
    if corrected is not None and _is_good(checks, corrected):
        return _count("correction", checks, tuple(corrupt(corrected, bad, checks)))
    good = [tuple(corrupt(one, bad, checks)) for one in peers if _is_good(checks, one)]
    owed = _owed(checks)
    most = max(good, key=lambda all_: (sum(o.name in owed for o in all_), len(all_)), default=())
    return _count("passing_answer", checks, most) if most else None


def _is_good(checks: Sequence[Check], outcome: Outcome) -> bool:
    told = [passes(check, outcome) for check in checks]
    return True in told and False not in told


def _owed(checks: Sequence[Check]) -> frozenset[str]:
    return frozenset(name for check in checks for name in DUTIES[type(check)])


def _count(
    good: Literal["correction", "passing_answer"],
    checks: Sequence[Check],
    corruptions: Sequence[Corruption],
) -> Mutations:
    caught = {
        one.name: any(passes(check, one.outcome) is False for check in checks)
        for one in corruptions
    }
    owed = _owed(checks)
    return Mutations(
        good,
        tuple(name for name, found in caught.items() if found),
        tuple(name for name, found in caught.items() if not found),
        tuple(name for name in caught if name in owed),
    )
