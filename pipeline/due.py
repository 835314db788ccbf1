"""What should have been run by now and was not, or not to its end: missed ticks, kills, late files.

Nothing is kept for this: `pipeline.made_from` compares what published files say with what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final

from pipeline.datadir import DataDir
from pipeline.ingest.index import landed_files
from pipeline.ingest.staleness import stale_days
from pipeline.lake import Lake
from pipeline.lease import working
from pipeline.made_from import DAILY, WEEKLY, DatedRegistry, Made
from pipeline.retention.mark import is_past
from pipeline.windows import FIRST_DAY, Window, day, days_between, week_of

if TYPE_CHECKING:
    from pipeline.ingest.index.landed import LandedFile
    from pipeline.registry.settings import Ingest

__all__ = ["LATE", "Due", "find_due", "look_for_due"]

LATE: Final = "late files"
"""Why a day is due for which something landed after it was published."""


@dataclass(frozen=True)
class Due:
    """What is to be run.

    Attributes:
        days: and why, in order of time.
        weeks: that are over and were not closed on their days as they are now.
        publish: whether the suite was made from other decisions than there are now.
    """

    days: dict[Window, str]
    weeks: dict[Window, str]
    publish: bool

    def __bool__(self) -> bool:
        return bool(self.days or self.weeks or self.publish)

    def told(self) -> Iterator[str]:
        """A line for each stretch of days with one reason, each week, and the suite."""
        if not self:
            yield "Nothing is missing."
        for why, stretch in groupby(_with_gaps(self.days), key=lambda one: one[0]):
            windows = [window for _, window in stretch]
            first, last = windows[0].key, windows[-1].key
            yield f"{first}{f' to {last}' if last != first else ''}: {why[1]}"
        for window, why_closed in self.weeks.items():
            yield f"the week of {window.key}: {why_closed}"
        if self.publish:
            yield "the suite: made of other decisions than there are now"


def _with_gaps(days: dict[Window, str]) -> Iterator[tuple[tuple[int, str], Window]]:
    """Each day with a key that days in a row for one reason share."""
    for position, (window, why) in enumerate(days.items()):
        yield (window.first.toordinal() - position, why), window


def look_for_due(
    place: DataDir, today: date, progress: Callable[[int, int], None] = lambda done, total: None
) -> Due:
    """Read what landed, and find what is missing; see `find_due`.

    Raises:
        RegistryError: a file of the registry is wrong.
        IndexFailed: a landing file could not be read into the index.
    """
    registry = DatedRegistry(place.registry)
    now = registry.as_of(day(today)).settings.ingest
    with working(place):
        files = landed_files(
            place, now.largest_record_mb * 2**20, now.settle_minutes * 60, progress
        )
        return find_due(place, files, lambda window: registry.as_of(window).settings.ingest, today)


def find_due(
    place: DataDir, files: list[LandedFile], settings: Callable[[Window], Ingest], today: date
) -> Due:
    """What is missing from the first day on that was ever run, else from the first that landed on.

    Days that landed before that count too; days whose raw data was dropped do not.

    Args:
        place: the data directory.
        files: the landing index as it is now.
        settings: those of ingest in force on a day.
        today: which is not over (UTC).
    """
    lake = Lake(place)
    made = Made(lake)
    landed = {day(key) for file in files for key in file.days}
    landed |= {day(file.fallback_day) for file in files if file.malformed and file.fallback_day}
    landed = {one for one in landed if FIRST_DAY <= one.first < today}
    run = {window for table in DAILY for window in lake.windows(table)}
    late = {stale.window for stale in stale_days(place, files, settings)}
    days = {}
    for window in sorted(landed | set(_every_day(run or landed, today))):
        why = made.why_again(window, DAILY) or (LATE if window in late else None)
        if why and not is_past(place, window):
            days[window] = why
    weeks = {}
    for week in sorted({week_of(one) for one in run | landed | days.keys()}):
        over = week.days[-1] in run | days.keys()
        if over and (why := made.why_again(week, WEEKLY)):
            weeks[week] = why
    return Due(days, weeks, bool(run) and made.suite_is_old())


def _every_day(known: Iterable[Window], today: date) -> Iterator[Window]:
    first = min((one.first for one in known), default=today)
    return days_between(first, today - timedelta(days=1)) if first < today else iter(())
