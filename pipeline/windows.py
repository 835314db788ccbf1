"""Time windows: UTC days, and weeks that start on Monday."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

__all__ = [
    "FIRST_DAY",
    "Window",
    "day",
    "days_between",
    "is_key",
    "previous_week",
    "week",
    "week_of",
    "weeks_before",
]

FIRST_DAY = date(2025, 1, 6)
"""The first partition of every daily table, and as a Monday of every weekly one."""


@dataclass(frozen=True, order=True)
class Window:
    """One partition's span of time: `start` inclusive, `end` exclusive, both midnights UTC."""

    unit: Literal["day", "week"]
    key: str

    @property
    def first(self) -> date:
        """The first day inside."""
        return date.fromisoformat(self.key)

    @property
    def days(self) -> list[Window]:
        """The days inside, in order: one, or Monday to Sunday."""
        return [day(self.first + timedelta(days=n)) for n in range(1 if self.unit == "day" else 7)]

    @property
    def start(self) -> datetime:
        """The first instant inside."""
        return datetime.combine(self.first, time(), UTC)

    @property
    def end(self) -> datetime:
        """The first instant after."""
        return self.start + timedelta(days=len(self.days))

    def __str__(self) -> str:
        return f"{self.unit}={self.key}"


def day(value: str | date) -> Window:
    """The window of one UTC day.

    Raises:
        ValueError: not an ISO date.
    """
    return Window("day", _iso(value))


def week(value: str | date) -> Window:
    """The window of the week that starts on `value`.

    Raises:
        ValueError: not an ISO date, or not a Monday.
    """
    key = _iso(value)
    if date.fromisoformat(key).weekday() != 0:
        raise ValueError(f"a week is named by its Monday, and {key!r} is none")
    return Window("week", key)


def week_of(value: Window | date) -> Window:
    """The week that a day lies in."""
    first = value.first if isinstance(value, Window) else value
    return week(first - timedelta(days=first.weekday()))


def previous_week(window: Window) -> Window:
    """The week before the one that a day or week lies in."""
    return week(week_of(window).first - timedelta(days=7))


def weeks_before(window: Window, number: int) -> list[Window]:
    """The `number` weeks before the one that a day or week lies in, in order; none before time."""
    own = week_of(window).first
    starts = [own - timedelta(days=7 * n) for n in range(number, 0, -1)]
    return [week(start) for start in starts if start >= FIRST_DAY]


def days_between(first: date, last: date) -> Iterator[Window]:
    """The days from `first` to `last`, both inside.

    Raises:
        ValueError: `last` comes before `first`.
    """
    if last < first:
        raise ValueError(f"the range ends on {last} before it starts on {first}")
    return (day(first + timedelta(days=n)) for n in range((last - first).days + 1))


def is_key(text: str) -> bool:
    """Whether a text is a day as partitions are named: YYYY-MM-DD, and in no other form."""
    try:
        return _iso(text) == text
    except ValueError:
        return False


def _iso(value: str | date) -> str:
    return date.fromisoformat(value).isoformat() if isinstance(value, str) else value.isoformat()
