"""What checks count in calls: amounts that add up, calls alike, calls that told nothing new."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

from pipeline.grading.conversation import Call
from pipeline.grading.facts import facts_of
from pipeline.ids import canonical_json

__all__ = ["amounts", "calls_made_again", "most_alike"]


def amounts(calls: Sequence[Call], argument: str, per: str | None) -> Collection[float]:
    """The amount that each call asked for; with `per` the sum of those that have one such argument.

    A call that failed moved nothing: it counts only where it asked for more than all before it.
    """
    sums: dict[str, float] = defaultdict(float)
    for number, call in enumerate(calls):
        amount = _amount(call, argument)
        if amount is None:
            continue
        group = str(call.arguments.get(per)) if per else str(number)
        sums[group] = max(sums[group], amount) if call.failed else sums[group] + amount
    return sums.values()


def most_alike(calls: Sequence[Call]) -> int:
    """How many calls at most are one: the same tool, arguments and answer."""
    return max(Counter(map(_told_by, calls)).values(), default=0)


def calls_made_again(calls: Sequence[Call]) -> tuple[Call, ...]:
    """The calls that told nothing new: an earlier one had the same arguments and answer.

    One that failed may be made again.
    """
    told: set[bytes] = set()
    again = []
    for call in calls:
        key = _told_by(call)
        if not call.failed and key in told:
            again.append(call)
        told |= set() if call.failed else {key}
    return tuple(again)


def _told_by(call: Call) -> bytes:
    arguments = call.arguments_text if call.arguments is None else call.arguments
    return canonical_json([call.name, arguments, call.result_text])


def _amount(call: Call, argument: str) -> float | None:
    value = call.arguments.get(argument) if isinstance(call.arguments, Mapping) else None
    if isinstance(value, str):
        value = next((f.value for f in facts_of(value) if isinstance(f.value, float)), None)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
