"""Which split a case is in: by its duplicate group and session, so that nothing leaks.

Cases are kin when they come from one session, from near-duplicate conversations, or when all that
the user says in one is said in the other too. Kin lie in one split. It follows from a hash of the
group of their earliest member; where one is published, theirs is the published split, which never
changes by itself: not with the shares in the settings, not with what comes to light later. What a
prompt is near to is no holdout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.promotion.cases import split_of
from pipeline.registry.settings import Promotion
from pipeline.suite.leaks import near_prompts
from pipeline.suite.likeness import Likeness, Turns
from pipeline.suite.prompts import Prompt

__all__ = ["SPLITS", "Member", "assign_splits", "published_split"]

SPLITS = ("regression", "example", "holdout")


@dataclass(frozen=True)
class Member:
    """A case as it bears on splits; `split` is the published one, `order` puts it in time."""

    case_id: str
    group: str
    session: str
    turns: Turns
    split: str | None
    order: tuple[Any, ...]


def published_split(case: Mapping[str, Any] | None) -> str | None:
    """The split that a case in the file has; None where it has none that there is."""
    split = case.get("split") if case else None
    return split if split in SPLITS else None


def assign_splits(
    members: Sequence[Member], prompts: Sequence[Prompt], likeness: Likeness, limits: Promotion
) -> dict[str, str]:
    """Give each case its split."""
    members = sorted(members, key=lambda member: (member.order, member.case_id))
    kin = _Kin(len(members))
    for key in ("session", "group"):
        first: dict[str, int] = {}
        for place, member in enumerate(members):
            kin.join(first.setdefault(getattr(member, key), place), place)
    turns = [member.turns for member in members]
    for one, other in likeness.within(turns, turns):
        kin.join(one, other)
    near = near_prompts(turns, prompts, likeness, limits.duplicate_similarity)
    tainted = {kin.of(place) for place in near}
    splits: dict[str, str] = {}
    settled: dict[int, str] = {}
    for place, member in enumerate(members):  # the earliest published one speaks for its kin
        if member.split is not None:
            settled.setdefault(kin.of(place), member.split)
    for place, member in enumerate(members):
        family = kin.of(place)
        if family not in settled:
            split = split_of(member.group, limits)
            avoid = family in tainted and split == "holdout"
            settled[family] = "regression" if avoid else split
        splits[member.case_id] = member.split or settled[family]
    return splits


class _Kin:
    """Disjoint sets; each is known by its earliest member."""

    def __init__(self, size: int) -> None:
        self._up = list(range(size))

    def of(self, place: int) -> int:
        while self._up[place] != place:
            self._up[place] = self._up[self._up[place]]
            place = self._up[place]
        return place

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self.of(one), self.of(other)))
        self._up[high] = low
