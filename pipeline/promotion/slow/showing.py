"""How a conversation shows what creeps up, and which of several show it best."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from pipeline.failures.slow import retries_among
from pipeline.grading.conversation import Call
from pipeline.promotion.call_counts import calls_made_again
from pipeline.promotion.slow.creeps import Creep, Creeps
from pipeline.registry import UNKNOWN
from pipeline.registry.settings import Promotion

__all__ = ["METRICS_IN_ORDER", "Shown", "best", "shown_by"]

METRICS_IN_ORDER = ("retries", "turns", "tokens", "cost_usd", "complaints")
"""What a check can tell comes first: a conversation is a candidate for one of them."""

_TAKEN = ("turns", "tokens", "cost_usd")  # how much of it is right depends on what was asked


@dataclass(frozen=True)
class Shown:
    """What a conversation shows of a creep.

    Attributes:
        took: its row of `measure_traces`.
        creep: what creeps up.
        before: what its intent took before.
        limit: what it had to take more than.
        most_tokens: the ceiling of tokens, where they stand for a cost; None: they do not.
        retried: calls that the metric `retries` counts, empty for other metrics.
        again: of the calls that had been answered and told nothing new, those beyond the limit.
    """

    took: Mapping[str, Any]
    creep: Creep
    before: float
    limit: float
    most_tokens: int | None = None
    retried: tuple[Call, ...] = ()
    again: tuple[Call, ...] = ()

    @property
    def value(self) -> float:
        """What it took of what creeps up."""
        return float(self.took[self.creep.metric])

    @property
    def checkable(self) -> bool:
        """Whether a check can stand for it."""
        limited = self.creep.metric in ("turns", "tokens") and self.limit > 0
        return bool(self.again) or limited or self.most_tokens is not None

    @property
    def kind(self) -> tuple[str, str]:
        """Subject and error class: the tool, and whether it had answered before."""
        if not self.retried:
            return "", f"{self.creep.metric}_crept_up"
        code = "answered_call_again" if self.again else "failed_call_again"
        return (self.again or self.retried)[0].name, code

    def with_calls(self, calls: Sequence[Call]) -> Shown:
        """The same, where `calls` of the conversation are what it shows it by."""
        counted = retries_among([(c.name, c.arguments_text, c.failed) for c in calls])
        return replace(
            self,
            retried=tuple(calls[place] for place in counted),
            again=calls_made_again(calls)[int(self.limit) :],
        )


def shown_by(took: Mapping[str, Any], creeps: Creeps, limits: Promotion) -> Shown | None:
    """What a conversation shows of what creeps up in its intent or release; None: nothing.

    It shows a creep if it took more than `slow_factor` times what its intent took before. What
    nobody planned for has nothing in common, so what it took before is no limit for one of it.
    """
    intent = took["intent"]
    for metric in METRICS_IN_ORDER:
        if intent == UNKNOWN and metric in _TAKEN:
            continue
        creep = creeps.of(intent, took["release"], metric)
        before = creeps.before(intent, metric)
        if creep is None or before is None or took[metric] is None:
            continue
        # a user complains or does not: the share of those who did is no limit for one
        limit = 0.0 if metric == "complaints" else limits.slow_factor * before
        if took[metric] > limit:
            tokens = _most_tokens(took, creeps, limits) if metric == "cost_usd" else None
            return Shown(took, creep, before, limit, tokens)
    return None


def _most_tokens(took: Mapping[str, Any], creeps: Creeps, limits: Promotion) -> int | None:
    """The tokens that may stand for a cost; None where the conversation took no more of them."""
    most = int(limits.slow_factor * (creeps.before(took["intent"], "tokens") or 0))
    return most if 0 < most < (took["tokens"] or 0) else None


def best(found: Sequence[Shown], sound: Set[str], limits: Promotion) -> Iterator[Shown]:
    """The few that show one creep best: `cases_per_variant` of a kind, `cases_per_lesson` in all.

    First those whose trace is `sound`, so that nothing else needs a person, then those that a check
    can tell, then those that took the most, then the shortest: there it is plainest.
    """
    kept: Counter[tuple[str, str]] = Counter()

    def rank(one: Shown) -> tuple[bool, bool, float, float, str]:
        trace = one.took["trace_id"]
        return trace not in sound, not one.checkable, -one.value, one.took["turns"] or 0, trace

    for one in sorted(found, key=rank):
        if kept[one.kind] < limits.cases_per_variant and kept.total() < limits.cases_per_lesson:
            kept[one.kind] += 1
            yield one
