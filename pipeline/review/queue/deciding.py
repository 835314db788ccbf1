"""A person's decision becomes an annotation: checked against what there is, then appended.

Whether a verdict was blind is not claimed but known: the trace was drawn at random and is still
shown without verdicts, and this person never asked to see them. A new verdict replaces the same
person's earlier one of its kind; a blind one is never replaced by one that was given with the
judge's word in view, since the judge is measured by it. Two processes may decide at once: each
writes a file of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import polars as pl

from pipeline.datadir import DataDir
from pipeline.lease import working
from pipeline.review.annotation import Annotation
from pipeline.review.annotations import write_annotation
from pipeline.review.queue.items import RANDOM, Queue, build_queue
from pipeline.review.queue.material import read_material
from pipeline.review.queue.naming import find_axes, find_by_beginning, find_mode, find_trace
from pipeline.review.queue.request import VERDICTS, CannotDecide, Request, require_sound
from pipeline.review.queue.serving import saw_verdicts
from pipeline.review.queue.waiting import WaitingCase, find_all

__all__ = ["Decided", "decide", "is_blind", "unblind"]

_LAST_INSTANT = datetime.max.replace(tzinfo=UTC)
CHOSEN = "chosen"
"""`queue_reason` of a trace that somebody looked up by themselves."""


@dataclass(frozen=True)
class Decided:
    """The annotation that was written, its file, and the cases that it settles."""

    annotation: Annotation
    path: Path
    cases: tuple[WaitingCase, ...]


def decide(place: DataDir, request: Request, now: datetime) -> Decided:
    """Check a decision and append it. An erasure that is running is waited for.

    Raises:
        UnknownName: a trace, axis or mode that is not there.
        CannotDecide: the decision contradicts itself; nothing was written.
    """
    require_sound(request)
    with working(place):
        queue = build_queue(read_material(place, now), now)
        if request.word == "undo":
            return _undo(queue, request)
        trace = find_trace(queue, request.trace)
        blind = is_blind(queue, trace, request.reviewer)
        cases = () if blind else cases_of(queue, trace)
        if request.word in ("confirm", "reject") and not cases:
            why = "it is shown blind, without its cases" if blind else "no case is shown with it"
            raise CannotDecide(
                f"nothing to {request.word} on trace {trace}: {why}; say good, bad or partial "
                "of the conversation"
            )
        drawn = queue.draw.get(trace)
        found = Annotation(
            trace_id=trace,
            action="skip" if request.word == "skip" else "verdict",
            verdict=VERDICTS.get(request.word),
            axes=_axes(queue, request, cases),
            failure_mode=_mode(queue, request),
            note=request.note,
            corrected_output=request.corrected,
            annotator_id=request.reviewer,
            annotated_at=_after_own(queue, trace, request.reviewer),
            blind=blind and request.word != "skip",
            queue_reason=RANDOM if blind else cases[0].category if cases else CHOSEN,
            inclusion_probability=drawn.probability if drawn and blind else None,
            supersedes=_replaced(queue, trace, request, blind),
        )
        return Decided(found, write_annotation(place.annotations, found), cases)


def is_blind(queue: Queue, trace: str, reviewer: str) -> bool:
    """Whether a reviewer is shown this trace without verdicts, and has not seen them."""
    return trace in queue.draw and trace not in saw_verdicts(queue, reviewer)


def unblind(place: DataDir, trace: str, reviewer: str, now: datetime) -> Path | None:
    """Note that a reviewer asks for the verdicts on a trace: theirs on it is blind no more.

    Returns:
        The file, None where they were not blind anyway.

    Raises:
        UnknownName: a trace that is not there.
    """
    with working(place):
        queue = build_queue(read_material(place, now), now)
        found = find_trace(queue, trace)
        if not is_blind(queue, found, reviewer):
            return None
        seen = Annotation(
            trace_id=found,
            action="unblind",
            annotator_id=reviewer,
            annotated_at=_after_own(queue, found, reviewer),
        )
        return write_annotation(place.annotations, seen)


def cases_of(queue: Queue, trace: str) -> tuple[WaitingCase, ...]:
    """The cases that people decide on with a trace, settled by somebody meanwhile or not."""
    items = (*queue.valued, *queue.held)
    waiting = next((item.cases for item in items if item.trace_id == trace), ())
    return waiting or tuple(case for case in find_all(queue.material) if trace in case.traces)


def _axes(
    queue: Queue, request: Request, cases: Sequence[WaitingCase]
) -> Mapping[str, Literal["pass", "fail"]]:
    """The axes named; to confirm or reject a judge's case speaks of its axis too."""
    known = [axis.id for axis in queue.material.registry.rubric]
    given = find_axes(request.axes, known)
    if request.word in ("confirm", "reject"):
        said = "fail" if request.word == "confirm" else "pass"
        given = {case.check: said for case in cases if case.layer == "judge"} | given
    return {axis: "fail" if verdict == "fail" else "pass" for axis, verdict in given.items()}


def _mode(queue: Queue, request: Request) -> str | None:
    if request.mode is not None:
        return find_mode(request.mode, queue.material.modes)
    return request.new_mode.strip() if request.new_mode else None


def _own(queue: Queue, trace: str, reviewer: str) -> pl.DataFrame:
    """What a reviewer said of a trace and still stands, by time."""
    return queue.material.annotations.actions.filter(
        pl.col("stands") & (pl.col("trace_id") == trace) & (pl.col("annotator_id") == reviewer)
    )


def _after_own(queue: Queue, trace: str, reviewer: str) -> datetime:
    """The clock, or just after this person's last word on the trace where the clock went back."""
    actions = queue.material.annotations.actions
    mine = actions.filter((pl.col("trace_id") == trace) & (pl.col("annotator_id") == reviewer))[
        "annotated_at"
    ]
    last = mine.max()
    assert last is None or isinstance(last, datetime)
    if last is None or last >= _LAST_INSTANT:
        return queue.now
    return max(queue.now, last + timedelta(microseconds=1))


def _replaced(queue: Queue, trace: str, request: Request, blind: bool) -> tuple[str, ...]:
    """This person's skips of the trace, and a verdict's earlier one that was as blind as it."""
    replaced = pl.col("action") == "skip"
    if request.word != "skip":
        replaced |= (pl.col("action") == "verdict") & (pl.col("blind") == blind)
    own = _own(queue, trace, request.reviewer).filter(replaced)
    return tuple(own["annotation_id"])


def _undo(queue: Queue, request: Request) -> Decided:
    """Take back this person's last word on a trace, even one that is gone from the lake."""
    actions = queue.material.annotations.actions
    said = actions.filter(
        pl.col("stands")
        & pl.col("action").is_in(["verdict", "skip"])
        & (pl.col("annotator_id") == request.reviewer)
    )
    trace = _undone_trace(queue, request.trace, set(said["trace_id"]))
    own = said.filter(pl.col("trace_id") == trace)
    if own.is_empty():
        raise CannotDecide(
            f"{request.reviewer!r} has said nothing of {request.trace!r} that could be undone"
        )
    taken_back = Annotation(
        trace_id=trace,
        action="undo",
        note=request.note,
        annotator_id=request.reviewer,
        annotated_at=_after_own(queue, trace, request.reviewer),
        supersedes=(own["annotation_id"][-1],),
    )
    return Decided(taken_back, write_annotation(queue.material.place.annotations, taken_back), ())


def _undone_trace(queue: Queue, typed: str, decided: set[str]) -> str:
    """The trace that is meant: of those this person decided on, else of those that there are.

    Raises:
        UnknownName: more than one of theirs begins like this, or there is none at all.
    """
    if typed in decided:
        return typed
    own = find_by_beginning(decided, typed)
    return own if own is not None else find_trace(queue, typed)
