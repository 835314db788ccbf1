"""Is a group of far requests something nobody planned, planned and worded otherwise, or nothing?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.registry import UNKNOWN, Intent
from pipeline.sampling import intent_targets
from pipeline.unknown_intents.members import Members
from pipeline.unknown_intents.requests import Request

__all__ = ["Kind", "kind_of", "pointing_tools"]

_MOST = 0.5  # share of a group that got one intent
_HANDLED = 0.6  # share of it for which a tool was called that points to a planned intent
_FAR = 0.5  # share of a group that must be far itself
_TOGETHER = 0.5  # of its members' nearest neighbours that must be members


@dataclass(frozen=True)
class Kind:
    """`name` says what a group is, `intent` which planned intent explains it or is nearest."""

    name: Literal["unplanned", "wording", "mixed"]
    intent: str | None


def pointing_tools(intents: Sequence[Intent]) -> dict[str, str]:
    """Which intent each tool points to; the first of the registry where several share a tool."""
    targets = intent_targets(intents)
    found: dict[str, str] = {}
    for intent, target in zip(intents, targets, strict=True):
        for tool in intent.tools:
            found.setdefault(tool, target)
    return found


def kind_of(
    one: Members,
    requests: Sequence[Request],
    pointing: Mapping[str, str],
    together: float,
    nearest: str | None,
) -> Kind:
    """Tell what a group is, by evidence that the words of its requests did not give.

    `wording`: planned requests explain it. Half of its members got one and the same planned
    intent, or for three fifths of them a tool was called that points to a planned intent, or fewer
    than half are far themselves. `mixed`: most nearest neighbours of its members lie outside,
    so it has no subject of its own. `unplanned`: neither.

    Args:
        one: the group.
        requests: all of the week.
        pointing: the intent that each tool points to.
        together: `own_neighbours` of the group.
        nearest: the planned intent nearest to its middle.
    """
    mine = [requests[row] for row in one.rows]
    intents = Counter(request.intent for request in mine if request.intent != UNKNOWN)
    name, count = _most(intents)
    if count >= _MOST * len(mine):
        return Kind("wording", name)
    called = [{pointing[tool] for tool in request.tools if tool in pointing} for request in mine]
    if sum(map(bool, called)) >= _HANDLED * len(mine):
        return Kind("wording", _most(Counter(name for names in called for name in names))[0])
    if len(one.far) < _FAR * len(mine):
        return Kind("wording", nearest)
    return Kind("mixed" if together < _TOGETHER else "unplanned", nearest)


def _most(counts: Counter[str]) -> tuple[str | None, int]:
    """The most frequent, the first by the alphabet of equals."""
    return min(counts.items(), key=lambda item: (-item[1], item[0]), default=(None, 0))
