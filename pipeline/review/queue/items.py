"""The queue: what is open for anybody, in order, and what is held back and why.

It is a function of the lake, the annotations, the registry and the clock; nothing of it is stored.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from pipeline.review.queue.drawing import Drawn, draw_traces
from pipeline.review.queue.material import Material
from pipeline.review.queue.valuing import Values
from pipeline.review.queue.waiting import (
    Reviewed,
    WaitingCase,
    find_waiting,
    reviewers_wanted,
)

__all__ = ["RANDOM", "Item", "Queue", "build_queue", "decided_on"]

RANDOM = "random"
"""The category, and the `queue_reason`, of traces drawn at random."""


@dataclass(frozen=True)
class Item:
    """One conversation to look at.

    Attributes:
        category: `random`, or the code of what its gravest case waits for.
        reasons: why it waits, in sentences; of a blind item, that it was drawn.
        blind: nothing that a judge or a rule said may be shown with it; `cases` is empty then.
        inclusion_probability: the chance with which it was drawn at random; else null.
        value, parts: the expected value of a look and what it is made of; null where blind.
        reviewers: who has looked already; `wanted` people should.
    """

    trace_id: str
    day: date
    category: str
    reasons: tuple[str, ...]
    blind: bool
    inclusion_probability: float | None
    cases: tuple[WaitingCase, ...]
    value: float | None
    parts: Mapping[str, float]
    reviewers: frozenset[str]
    wanted: int

    @property
    def since(self) -> date:
        """The day since which it waits."""
        return min((case.since for case in self.cases), default=self.day)


@dataclass(frozen=True)
class Queue:
    """What is open.

    Attributes:
        drawn: open items drawn at random, the newest day first, within a day in random order.
        valued: open waiting cases, the highest expected value first.
        held: waiting cases beyond what one mode may take today.
        draw: the traces that are shown blind for now, by id, looked at already or not.
        day_of: the day of every redacted trace.
        material: what it was built from.
        now: the clock.
    """

    drawn: tuple[Item, ...]
    valued: tuple[Item, ...]
    held: tuple[Item, ...]
    draw: Mapping[str, Drawn]
    day_of: Mapping[str, date]
    material: Material
    now: datetime

    @property
    def open(self) -> tuple[Item, ...]:
        """All that can be served now."""
        return (*self.drawn, *self.valued)


def build_queue(material: Material, now: datetime) -> Queue:
    """Build the queue as of `now` (aware)."""
    review = material.registry.settings.review
    day_of = dict(material.traces.select("trace_id", "day").iter_rows())
    draw = draw_traces(material.traces, review)
    drawn = _drawn_items(draw, material)
    valued = _valued_items(material, day_of, draw)
    taken = _decided_today(material, now)
    served, held = [], []
    for item in valued:
        lessons = {case.lesson for case in item.cases}
        if any(taken[lesson] >= review.per_mode_and_day for lesson in lessons):
            held.append(item)
        else:
            taken.update(lessons)
            served.append(item)
    return Queue(tuple(drawn), tuple(served), tuple(held), draw, day_of, material, now)


def decided_on(actions: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """The verdicts and skips that stand and were made on the clock's UTC day (schema `ACTIONS`)."""
    return actions.filter(
        pl.col("stands")
        & pl.col("action").is_in(["verdict", "skip"])
        & (pl.col("annotated_at").dt.date() == now.astimezone(UTC).date())
    )


def _drawn_items(draw: Mapping[str, Drawn], material: Material) -> list[Item]:
    review = material.registry.settings.review
    blind = Reviewed.of(material.annotations.frame.filter(pl.col("blind")))
    found = []
    for one in draw.values():
        people = blind.by([one.trace_id])
        wanted = reviewers_wanted(one.trace_id, review)
        if len(people) >= wanted:
            continue
        found.append(
            Item(
                trace_id=one.trace_id,
                day=one.day,
                category=RANDOM,
                reasons=(
                    f"It was drawn at random, with a chance of {one.probability:.3g}, "
                    "to measure the judge.",
                ),
                blind=True,
                inclusion_probability=one.probability,
                cases=(),
                value=None,
                parts={},
                reviewers=people,
                wanted=wanted,
            )
        )
    return found


def _valued_items(
    material: Material, day_of: Mapping[str, date], draw: Mapping[str, Drawn]
) -> list[Item]:
    """One item a trace, with all its waiting cases; what is in the draw is left out."""
    values = Values.of(material)
    reviewed = Reviewed.of(material.annotations.frame)
    by_trace: dict[str, list[WaitingCase]] = defaultdict(list)
    for case in find_waiting(material, reviewed):
        if case.trace_id not in draw:
            by_trace[case.trace_id].append(case)
    found = []
    for trace, cases in by_trace.items():
        parts = values.parts(cases)
        first = max(cases, key=lambda case: (values.value(values.parts([case])), case.case_id))
        ordered = (first, *(case for case in cases if case is not first))
        found.append(
            Item(
                trace_id=trace,
                day=day_of[trace],
                category=first.category,
                reasons=tuple(dict.fromkeys(r for case in ordered for r in case.reasons)),
                blind=False,
                inclusion_probability=None,
                cases=ordered,
                value=values.value(parts),
                parts=parts,
                reviewers=first.reviewers,
                wanted=max(case.wanted for case in cases),
            )
        )
    return sorted(found, key=lambda item: (-(item.value or 0.0), item.since, item.trace_id))


def _decided_today(material: Material, now: datetime) -> Counter[str]:
    """Decisions of today on waiting cases, by mode (or check)."""
    today = decided_on(material.annotations.actions, now)
    looked_at = Counter(
        today.filter(
            (pl.col("action") == "verdict")
            & pl.col("queue_reason").is_not_null()
            & (pl.col("queue_reason") != RANDOM)
        )["trace_id"]
    )
    rows: Any = (
        material.candidates.filter(
            (pl.col("decision") == "review") & pl.col("trace_id").is_in(sorted(looked_at))
        )
        .select("trace_id", "failure_mode_id", "check")
        .unique()
        .iter_rows()
    )
    found: Counter[str] = Counter()
    for trace, mode, check in rows:
        found[material.merged.get(mode, mode) or check] += looked_at[trace]
    return found
