"""Which published days no longer say all that landing holds: late spans, late verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline.datadir import DataDir
from pipeline.ids import digest
from pipeline.ingest.days.attachments import LOOKED_FOR, events_about
from pipeline.ingest.days.planning import plan_day
from pipeline.ingest.index.landed import LandedFile
from pipeline.lake import CorruptPartition, Lake
from pipeline.retention.mark import is_past
from pipeline.tables import RAW_TRACES
from pipeline.windows import Window

if TYPE_CHECKING:  # a worker need not load it
    from pipeline.registry.settings import Ingest

__all__ = ["StaleDay", "stale_days"]


@dataclass(frozen=True)
class StaleDay:
    """A published day, and what it would be read from now."""

    window: Window
    late: frozenset[str]
    """The sha256 of the files that it has not seen."""

    @property
    def state(self) -> str:
        """A digest of what is late: the same until more comes."""
        return digest(self.window.key, sorted(self.late))


def stale_days(
    place: DataDir, files: Sequence[LandedFile], settings: Callable[[Window], Ingest]
) -> Iterator[StaleDay]:
    """The published days that would be read from a file they have not seen.

    Args:
        place: the data directory.
        files: the landing index as it is now.
        settings: those in force on a day.
    """
    lake = Lake(place)
    for window in lake.windows(RAW_TRACES):
        if is_past(place, window):  # it would be refused
            continue
        try:
            seen = lake.footer(RAW_TRACES, window)["inputs"].values()
        except CorruptPartition:  # it is to be made anew, not late: `pipeline.due` says so
            continue
        fresh = [file for file in files if file.sha256 not in seen and _may_tell_of(file, window)]
        if fresh:
            gap = timedelta(minutes=settings(window).conversation_gap_minutes)
            plan = plan_day(place, files, window, gap)
            told = {file.sha256 for file in plan.files.values()}
            told |= set(events_about(place, files, plan, window)["sha256"])
            told |= {f.sha256 for f in fresh if f.malformed and f.fallback_day == window.key}
            if late := told - set(seen):
                yield StaleDay(window, frozenset(late))


def _may_tell_of(file: LandedFile, window: Window) -> bool:
    """Whether a file could hold anything of a day: a cheap look before the thorough one.

    Earlier spans may begin a conversation of the day, and later ones belong to a trace that began
    on it, however long it ran: only verdicts have a limit.
    """
    if file.records or file.fallback_day == window.key:
        return True
    earliest = (window.start - timedelta(days=1)).timestamp() * 1e6
    latest = (window.end + LOOKED_FOR).timestamp() * 1e6
    return file.tells_between(int(earliest), int(latest))
