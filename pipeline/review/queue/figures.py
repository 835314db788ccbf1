"""How the review stands: what waits, who did how much, how far people agree, what labels lack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from pipeline.calibration import WEEKS
from pipeline.calibration.labels import votes_of
from pipeline.estimation import Estimate, wilson
from pipeline.lake import Lake
from pipeline.review.annotations import Problem, axis_labels
from pipeline.review.queue.items import Queue, decided_on
from pipeline.review.queue.material import read_days
from pipeline.review.queue.serving import active_reviewers, kept_for
from pipeline.tables import GRADES
from pipeline.windows import Window, week_of, weeks_before

__all__ = ["AxisLabels", "Figures", "Person", "figure"]


@dataclass(frozen=True)
class Person:
    """What one reviewer has done, and how many open items are kept for them."""

    name: str
    verdicts: int
    blind: int
    skips: int
    today: int
    last: datetime
    kept: int


@dataclass(frozen=True)
class AxisLabels:
    """Labels of an axis that the calibration of a week counts, against those that it needs."""

    week: date
    axis: str
    labels: int
    needed: int


@dataclass(frozen=True)
class Figures:
    """All of it.

    Attributes:
        drawn, valued, held: items open at random, open by value, held back for today.
        oldest: the day since which the oldest waiting case waits.
        categories: open items by category; `modes`: open waiting cases by mode or check.
        people: everybody who ever decided something.
        agreement: of traces with verdicts of two people or more, the share on which all say the
            same; `axes` the same of an axis.
        labels: of the last two weeks with days.
        problems: annotation files that were left out.
        unknown: annotations of traces that are not (or no longer) in the lake.
        ahead: annotations dated after the clock.
    """

    drawn: int
    valued: int
    held: int
    oldest: date | None
    categories: Mapping[str, int]
    modes: Mapping[str, int]
    people: tuple[Person, ...]
    agreement: Estimate
    axes: Mapping[str, Estimate]
    labels: tuple[AxisLabels, ...]
    problems: tuple[Problem, ...]
    unknown: int
    ahead: int


def figure(queue: Queue) -> Figures:
    """Work the figures out."""
    material = queue.material
    actions = material.annotations.actions
    waiting = (*queue.valued, *queue.held)
    lessons = Counter(case.mode_name or case.lesson for item in waiting for case in item.cases[:1])
    verdicts = material.annotations.frame
    return Figures(
        drawn=len(queue.drawn),
        valued=len(queue.valued),
        held=len(queue.held),
        oldest=min((item.since for item in waiting), default=None),
        categories=dict(Counter(item.category for item in queue.open).most_common()),
        modes=dict(lessons.most_common()),
        people=_people(queue),
        agreement=_agreement(verdicts.select("trace_id", "annotator_id", "verdict")),
        axes=_axes_agreement(verdicts),
        labels=tuple(_labels(queue)),
        problems=material.annotations.problems,
        unknown=sum(1 for trace in actions["trace_id"] if trace not in queue.day_of),
        ahead=actions.filter(pl.col("annotated_at") > queue.now).height,
    )


def _people(queue: Queue) -> tuple[Person, ...]:
    review = queue.material.registry.settings.review
    actions = queue.material.annotations.actions
    decided = actions.filter(pl.col("stands") & pl.col("action").is_in(["verdict", "skip"]))
    today = Counter(decided_on(actions, queue.now)["annotator_id"])
    people = active_reviewers(queue)
    found = []
    for (who,), rows in decided.group_by("annotator_id", maintain_order=True):
        name = str(who)
        kept = [i for i in queue.open if name in kept_for(i, people, review.seed)]
        said = rows.filter(pl.col("action") == "verdict")
        last = rows["annotated_at"].max()
        assert isinstance(last, datetime)
        found.append(
            Person(
                name=name,
                verdicts=said.height,
                blind=int(said["blind"].sum()),
                skips=rows.height - said.height,
                today=today[name],
                last=last,
                kept=len(kept),
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.verdicts, one.name)))


def _agreement(said: pl.DataFrame) -> Estimate:
    """The share of traces on which all of two or more people say the same, by their last word.

    Args:
        said: trace, person, word, by time.
    """
    trace, person, word = said.columns
    last = said.unique([trace, person], keep="last", maintain_order=True)
    told = last.group_by(trace).agg(pl.len().alias("n"), pl.col(word).n_unique().alias("kinds"))
    pairs = told.filter(pl.col("n") >= 2)
    return wilson(pairs.filter(pl.col("kinds") == 1).height, pairs.height)


def _axes_agreement(verdicts: pl.DataFrame) -> dict[str, Estimate]:
    labels = axis_labels(verdicts)
    return {
        axis: _agreement(
            labels.filter(pl.col("axis") == axis).select("trace_id", "annotator_id", "axis_verdict")
        )
        for axis in sorted(set(labels["axis"]))
    }


def _labels(queue: Queue) -> list[AxisLabels]:
    """What the calibrations of the last two weeks count, as `calibrate` counts it."""
    material = queue.material
    calibration = material.registry.settings.calibration
    lake = Lake(material.place)
    found = []
    for week in sorted({week_of(one) for one in material.days})[-2:]:
        made = material.annotations.frame.filter(pl.col("annotated_at") < week.end)
        votes = votes_of(made, calibration.blind_only).filter(pl.col("fails") != pl.col("passes"))
        both = votes.join(_judged(lake, week), on=["trace_id", "axis"], how="semi")
        labels = Counter(both["axis"])
        found += [
            AxisLabels(week.first, axis.id, labels[axis.id], calibration.labels)
            for axis in material.registry.rubric
        ]
    return found


def _judged(lake: Lake, week: Window) -> pl.DataFrame:
    """Traces and axes on which a judge said pass or fail in a week or those compared with it."""
    days = [day for one in (*weeks_before(week, WEEKS - 1), week) for day in one.days]
    grades = read_days(lake, GRADES, ("trace_id", "check", "layer", "verdict"), days)
    decided = (pl.col("layer") == "judge") & pl.col("verdict").is_in(["pass", "fail"])
    return grades.filter(decided).select("trace_id", pl.col("check").alias("axis")).unique()
