"""Whose conversations landed: ids as they came, before any of them is digested."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pipeline.datadir import DataDir
from pipeline.ingest.days.attachments import events_about
from pipeline.ingest.days.gathering import divide
from pipeline.ingest.days.passes import conversations_of, events_of
from pipeline.ingest.days.planning import plan_day
from pipeline.ingest.days.share import Share
from pipeline.ingest.index.landed import LandedFile
from pipeline.ingest.index.ready import read_ready_names
from pipeline.windows import Window, day

__all__ = ["Landed", "landed_conversations"]


@dataclass(frozen=True)
class Landed:
    """One conversation in landing: the day that it begins on, and every id that it names."""

    window: Window
    traces: tuple[str, ...]
    sessions: frozenset[str]
    users: frozenset[str]


def landed_conversations(
    place: DataDir, files: Sequence[LandedFile], gap: timedelta
) -> Iterator[Landed]:
    """Every conversation in landing, day by day; all users of its traces, not the first alone.

    Args:
        place: the data directory.
        files: the landing index.
        gap: the longest pause within a conversation.
    """
    days = {one for file in files for one in file.days}
    for window in (day(one) for one in sorted(days)):
        yield from _on(place, files, window, gap)


def _on(
    place: DataDir, files: Sequence[LandedFile], window: Window, gap: timedelta
) -> Iterator[Landed]:
    plan = plan_day(place, files, window, gap)
    events = events_about(place, files, plan, window)
    ready, rest = divide(plan, events)
    for trace, session, user in read_ready_names(place, plan.files, ready).iter_rows():
        yield Landed(window, (trace,), _given(session), _given(user))
    spoken = sorted(rest["files"].explode().unique().drop_nulls())
    about = events_of(events, set(rest["trace_id"]))
    found = conversations_of(place, [plan.files[n] for n in spoken], rest, about, Share())
    for ids, traces in found:
        sessions = _given(*(trace.session_id for trace in traces))
        users = _given(*(trace.user_id for trace in traces))
        yield Landed(window, tuple(ids), sessions, users)


def _given(*values: str | None) -> frozenset[str]:
    return frozenset(value for value in values if value)
