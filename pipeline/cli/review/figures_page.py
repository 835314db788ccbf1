"""How the review stands, in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from pipeline.cli.options import counted
from pipeline.cli.printing import harmless
from pipeline.datadir import DataDir
from pipeline.estimation import Estimate
from pipeline.review.queue import Figures

__all__ = ["stats_page"]

_SHOWN = 10


def stats_page(figures: Figures, place: DataDir, now: datetime) -> Iterator[str]:
    """The figures, line by line."""
    waiting = figures.valued + figures.held
    age = ""
    if figures.oldest is not None:
        days = (now.date() - figures.oldest).days
        age = f", the oldest since {figures.oldest} ({counted(days, 'day')})"
    held = f" ({figures.held} of them held back today: quota of their mode)" if figures.held else ""
    yield f"Waiting for a person: {counted(waiting, 'conversation')}{held}{age}"
    yield f"Drawn at random, not looked at yet: {figures.drawn}"
    yield from _listed("By reason", figures.categories)
    yield from _listed("Waiting by failure mode", figures.modes)
    if figures.people:
        yield "\nReviewer              verdicts  blind  skips  today  kept for them  last"
    for one in figures.people:
        name = harmless(one.name)[:20]
        yield (
            f"{name:<20}  {one.verdicts:>8}  {one.blind:>5}  {one.skips:>5}  {one.today:>5}"
            f"  {one.kept:>13}  {one.last:%Y-%m-%d %H:%M}"
        )
    yield "\nAgreement where two people looked (all say the same; unweighted share, Wilson 95 %)"
    yield f"  {'verdict':<20}  {_share(figures.agreement)}"
    for axis, share in figures.axes.items():
        yield f"  {harmless(axis):<20}  {_share(share)}"
    if figures.labels:
        yield "\nLabels that calibrate the judge (blind, on four weeks, by each week's end)"
    for label in figures.labels:
        lack = "" if label.labels >= label.needed else "  too few"
        yield f"  week {label.week}  {label.axis:<16} {label.labels:>3} of {label.needed}{lack}"
    if figures.ahead:
        yield f"\n{counted(figures.ahead, 'annotation')} dated in the future: a clock is wrong."
    if figures.unknown:
        told = counted(figures.unknown, "annotation")
        yield f"\n{told} of traces that are not in the lake (never drawn, not run yet, or erased)."
    if figures.problems:
        yield f"\n{counted(len(figures.problems), 'annotation file')} left out, the others count:"
    for problem in figures.problems[:_SHOWN]:
        yield f"  {place.annotations / harmless(problem.file)}: {harmless(problem.reason)}"
    if len(figures.problems) > _SHOWN:
        yield "  ..."
    if figures.problems:
        yield "Mend or move them, then: " + place.make("publish")


def _listed(title: str, counts: Mapping[str, int]) -> Iterator[str]:
    if counts:
        yield f"\n{title}"
    for name, number in list(counts.items())[:_SHOWN]:
        yield f"  {number:>5}  {harmless(name)}"
    if len(counts) > _SHOWN:
        yield f"  {sum(list(counts.values())[_SHOWN:]):>5}  in {len(counts) - _SHOWN} more"


def _share(share: Estimate) -> str:
    if share.value is None or share.low is None or share.high is None:
        return "n = 0"
    return f"{share.value:.2f} ({share.low:.2f} to {share.high:.2f}), n = {share.n}"
