"""What a reviewer reads: one redacted conversation, and what was said of it if that may be told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from pipeline.datadir import DataDir
from pipeline.lake import Lake, MissingPartition
from pipeline.tables import GRADES, REDACTED_TRACES
from pipeline.windows import day as day_window

__all__ = ["Exhibit", "Passage", "Told", "read_exhibit"]


@dataclass(frozen=True)
class Passage:
    """One piece of the conversation, as it is in the table: redacted, its characters untouched.

    Attributes:
        ref: how evidence names it, `message:N` or `span:ID`.
        kind: system, user, assistant, tool, call or document.
        title: of a call its tool and status, of a result its tool, of a document its id; else the
            name that the message gives, if any.
        text: what stands there.
        marked_by: checks whose evidence points here; none in a blind exhibit.
    """

    ref: str
    kind: str
    title: str
    text: str
    marked_by: tuple[str, ...]


@dataclass(frozen=True)
class Told:
    """What one check said of the trace."""

    check: str
    layer: str
    verdict: str
    reason: str
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Exhibit:
    """A conversation for a reviewer; a blind one has no `told`, and nothing is marked in it.

    `feedback` is what users themselves said of the answers; what graders or other reviewers said
    inside the trace is left out.
    """

    trace_id: str
    day: date
    started_at: datetime | None
    service: str | None
    release: str | None
    blind: bool
    passages: tuple[Passage, ...]
    told: tuple[Told, ...]
    feedback: tuple[str, ...]


def read_exhibit(place: DataDir, trace_id: str, day: date, *, blind: bool) -> Exhibit | None:
    """Read a trace of a day for a reviewer; None where it is gone: erased, or its day run anew.

    Args:
        place: the data directory.
        trace_id: the conversation.
        day: its day.
        blind: leave out all that a judge or a rule said.

    Raises:
        CorruptPartition: naming the file and the command that makes it anew.
    """
    lake, window = Lake(place), day_window(day)
    try:
        rows = lake.read(REDACTED_TRACES, window).filter(pl.col("trace_id") == trace_id)
    except MissingPartition:
        return None
    if rows.is_empty():
        return None
    row = rows.to_dicts()[0]
    told = () if blind else _told(lake, trace_id, day)
    marks: dict[str, list[str]] = defaultdict(list)
    for one in told:
        for ref in one.evidence if one.verdict == "fail" else ():
            marks[ref].append(one.check)
    return Exhibit(
        trace_id=trace_id,
        day=day,
        started_at=row["started_at"],
        service=row["service"],
        release=row["release"],
        blind=blind,
        passages=tuple(_passages(row, marks)),
        told=told,
        feedback=tuple(_feedback(row["feedback"] or {})),
    )


def _told(lake: Lake, trace_id: str, day: date) -> tuple[Told, ...]:
    """Failing checks first, then what the judges said; a rule that passed is not worth a line."""
    try:
        grades = lake.read(GRADES, day_window(day)).filter(pl.col("trace_id") == trace_id)
    except MissingPartition:
        return ()
    worth = (pl.col("verdict") == "fail") | (
        (pl.col("layer") == "judge") & pl.col("verdict").is_in(["pass", "unknown"])
    )
    rows = grades.filter(worth).sort(pl.col("verdict") != "fail", "layer", "check", "grader_id")
    return tuple(
        Told(
            row["check"],
            row["layer"],
            row["verdict"],
            row["reason"] or "",
            tuple(row["evidence"] or ()),
        )
        for row in rows.iter_rows(named=True)
    )


def _passages(row: Mapping[str, Any], marks: Mapping[str, Sequence[str]]) -> Iterator[Passage]:
    """Messages in order, each call at its place; then spans and documents no message shows."""
    spans = {call["call_id"]: call for call in row["tool_calls"] or () if call["call_id"]}
    names = {
        asked["id"]: asked["name"]
        for message in row["messages"] or ()
        for asked in message["tool_calls"] or ()
        if asked["id"]
    }
    seen: set[str] = set()

    def passage(ref: str, kind: str, title: str, text: str | None) -> Passage:
        return Passage(ref, kind, title, text or "", tuple(marks.get(ref, ())))

    for index, message in enumerate(row["messages"] or ()):
        ref, role = f"message:{index}", message["role"] or "message"
        if message["content"] or not message["tool_calls"]:
            title = message["name"] or names.get(message["tool_call_id"] or "") or ""
            yield passage(ref, role, title, message["content"])
        for asked in message["tool_calls"] or ():
            span = spans.get(asked["id"] or "")
            seen.add(asked["id"] or "")
            where = f"span:{span['span_id']}" if span and span["span_id"] else ref
            title = f"{asked['name']}: {_status(span)}" if span else asked["name"] or ""
            yield passage(where, "call", title, asked["arguments"])
    answered = {m["tool_call_id"] for m in row["messages"] or () if m["role"] == "tool"}
    for span in row["tool_calls"] or ():
        ref = f"span:{span['span_id']}"
        if span["call_id"] not in seen:
            yield passage(ref, "call", f"{span['name']}: {_status(span)}", span["arguments"])
        if span["call_id"] is None or span["call_id"] not in answered:
            yield passage(ref, "tool", span["name"] or "", span["result"] or span["error"])
    for search in row["retrievals"] or ():
        for document in search["documents"] or ():
            ref = f"span:{search['span_id']}"
            yield passage(ref, "document", document["id"] or "", document["content"])


def _status(span: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (span["status"] or "ok", span["error"])))


def _feedback(feedback: Mapping[str, Any]) -> Iterator[str]:
    for score in feedback.get("scores") or ():
        if score["source"] == "user":
            said = score["label"] or score["value"]
            yield ": ".join(filter(None, (f"{score['name']} {said}", score["comment"])))
    if feedback.get("escalated"):
        yield "handed over to a person"
