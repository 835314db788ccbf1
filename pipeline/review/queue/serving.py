"""Which item a reviewer gets next: no locks, no leases, and rarely the same as a colleague's.

Every item is kept for somebody: of the people who decided something in the last `active_days`, and
of the one who asks, the person whose keyed hash with the trace is the highest (rendezvous hashing:
Thaler and Ravishankar, 1998), or the first two where two are to look. A reviewer gets their own
items first, then those that are kept for others; so nobody waits for anybody, an item of somebody
who went home is reached by the others, and a new colleague takes over no more than their share. Two
people get one item only when it is to be seen by both, when neither has decided anything lately, or
when one of them has run out of their own. Then both verdicts count, and measure agreement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from pipeline.ids import unit_interval
from pipeline.review.queue.items import RANDOM, Item, Queue, decided_on

__all__ = ["Served", "active_reviewers", "kept_for", "saw_verdicts", "serve"]


@dataclass(frozen=True)
class Served:
    """What a reviewer gets.

    Attributes:
        item: the next one, or None.
        why_none: a sentence where there is none.
        decided_today: verdicts and skips of this reviewer on the clock's UTC day.
        left: open items that this reviewer has not looked at, this one included.
    """

    item: Item | None
    why_none: str
    decided_today: int
    left: int


def serve(queue: Queue, reviewer: str, *, beyond_quota: bool = False) -> Served:
    """The next item of `reviewer`.

    Of what a reviewer decides on one day, the share `random_share` is drawn traces, while there are
    any; the rest are waiting cases by value. What they have decided or skipped does not come back
    to them, and a drawn trace is not shown to somebody who has seen its verdicts.
    """
    review = queue.material.registry.settings.review
    actions = queue.material.annotations.actions
    mine = actions.filter((pl.col("annotator_id") == reviewer) & pl.col("stands"))
    skipped = set(mine.filter(pl.col("action") == "skip")["trace_id"])
    told = saw_verdicts(queue, reviewer)
    today = decided_on(mine, queue.now)
    drawn = [
        item
        for item in queue.drawn
        if reviewer not in item.reviewers and item.trace_id not in skipped | told
    ]
    valued = [
        item
        for item in queue.valued
        if item.trace_id not in skipped
        and not all(reviewer in case.reviewers for case in item.cases)
    ]
    left = len(drawn) + len(valued)
    if left == 0:
        return Served(None, _nothing_left(queue), today.height, 0)
    if today.height >= review.per_reviewer_and_day and not beyond_quota:
        return Served(
            None,
            f"{today.height} decisions today: tired eyes judge worse. To go on: --more",
            today.height,
            left,
        )
    random_today = today.filter(pl.col("queue_reason") == RANDOM).height
    wants_random = random_today < review.random_share * (today.height + 1)
    people = active_reviewers(queue, reviewer)
    first, second = (drawn, valued) if wants_random else (valued, drawn)
    item = _own_first(first or second, reviewer, people, review.seed)
    return Served(item, "", today.height, left)


def saw_verdicts(queue: Queue, reviewer: str) -> frozenset[str]:
    """The traces of which a reviewer has seen what judge or rules say: those are blind no more.

    What was seen stays seen, whatever of it was undone.
    """
    knows = (pl.col("action") == "unblind") | ((pl.col("action") == "verdict") & ~pl.col("blind"))
    actions = queue.material.annotations.actions
    mine = pl.col("annotator_id") == reviewer
    return frozenset(actions.filter(mine & knows)["trace_id"])


def active_reviewers(queue: Queue, *also: str) -> tuple[str, ...]:
    """Who decided something in the last `active_days`, and `also`, sorted."""
    since = queue.now - timedelta(days=queue.material.registry.settings.review.active_days)
    actions = queue.material.annotations.actions
    lately = pl.col("annotated_at").is_between(since, queue.now + timedelta(days=1))
    return tuple(sorted({*also, *actions.filter(lately)["annotator_id"]}))


def kept_for(item: Item, people: Sequence[str], seed: str) -> tuple[str, ...]:
    """For whom of `people` an item is kept: as many as are still wanted."""
    free = [one for one in people if one not in item.reviewers]
    free.sort(key=lambda one: (unit_interval("reviewer", seed, one, item.trace_id), one))
    return tuple(free[-max(item.wanted - len(item.reviewers), 1) :])


def _own_first(items: Sequence[Item], reviewer: str, people: Sequence[str], seed: str) -> Item:
    own = (item for item in items if reviewer in kept_for(item, people, seed))
    return next(own, items[0])


def _nothing_left(queue: Queue) -> str:
    if not queue.day_of:
        again = queue.material.place.make("backfill", "YYYY-MM-DD")
        return f"No day is published yet. Run: {again}"
    if queue.open:
        return f"Nothing is left for you; {len(queue.open)} wait for somebody else to look."
    if queue.held:
        return f"Nothing is left today; {len(queue.held)} more of the same modes come tomorrow."
    return "Nothing waits."
