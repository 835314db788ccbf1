"""A whole pull: the streams of a platform one after another, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.connectors.http import Api, ApiError, NotOffered
from pipeline.connectors.landed import Landed
from pipeline.connectors.paging import Stream, pull_stream
from pipeline.connectors.report import completeness, is_truncated, totals
from pipeline.connectors.state import PullState, opened
from pipeline.datadir import DataDir

__all__ = ["Plan", "Platform", "Stage", "Window", "pull"]

Stage = Callable[[Landed], Stream]
"""Makes a stream once the earlier ones are landed: their ids may be what it asks for."""


@dataclass(frozen=True)
class Window:
    """From `start` up to, not including, `end`; aware UTC times."""

    start: datetime
    end: datetime


Plan = Callable[[Api, Window], Sequence[Stage]]
"""Asks the server which of its APIs it has, and says what to pull."""


@dataclass(frozen=True)
class Platform:
    """A platform, what of it is pulled (the filters), and how."""

    name: str
    selection: tuple[object, ...]
    plan: Plan


def pull(
    place: DataDir, api: Api, platform: Platform, window: Window, say: Callable[[str], None]
) -> bool:
    """Pull a window into landing; the same again goes on where it stopped.

    Returns:
        Whether everything that the API told of is there.

    Raises:
        ApiError: it stopped; what came before is landed.
        Busy: the same pull is running in another process.
    """
    with opened(
        place, platform.name, api.host, platform.selection, window.start, window.end
    ) as state:
        if state.parts:
            say("Going on where this pull stopped.")
        landed = Landed(place, state)
        streams: list[Stream] = []
        try:
            for stage in platform.plan(api, window):
                stream = stage(landed)
                if _offered(api, stream, state, landed, say):
                    streams.append(stream)
                    for line in totals(stream, state):
                        say(line)
        except ApiError:
            for line in _stopped(streams, state):
                say(line)
            raise
        whole = not any(is_truncated(stream, state) for stream in streams)
        state.finished = whole
        state.save()
        files = sum(len(part.files) for part in state.parts.values())
        say(f"{files} files in {landed.folder}")
        say("How complete the records are:")
        for line in completeness(streams, landed):
            say(line)
        return whole


def _offered(
    api: Api, stream: Stream, state: PullState, landed: Landed, say: Callable[[str], None]
) -> bool:
    try:
        pull_stream(api, stream, state, landed)
    except NotOffered:
        if not stream.optional:
            raise
        say(f"{stream.name}: this server does not offer them")
        return False
    return True


def _stopped(done: Sequence[Stream], state: PullState) -> Iterator[str]:
    """What was kept of the stream that was being pulled."""
    names = {key.partition("/")[0] for key in state.parts} - {stream.name for stream in done}
    for name in sorted(names):
        parts = [part for key, part in state.parts.items() if key.startswith(f"{name}/")]
        got = sum(part.fetched for part in parts)
        if got:
            yield f"{name}: got {got:,} of an unknown total, truncated: yes"
