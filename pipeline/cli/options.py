"""What several commands have in common: days given by hand, and what to run next."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click

from pipeline.datadir import DataDir

__all__ = ["DAY", "as_date", "counted", "on_one_line", "require_suite", "say_next", "typed_or_read"]

DAY = click.DateTime(formats=["%Y-%m-%d"])


def as_date(
    _context: click.Context, _parameter: click.Parameter, value: datetime | None
) -> date | None:
    """The callback of an option that is a day."""
    return value.date() if value else None


def counted(number: int, noun: str) -> str:
    """A number of things: 1 day, 2 days."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def on_one_line(value: object, most: int = 100) -> str:
    """A value on one line, cut, and without what a terminal would obey."""
    text = "".join(char if char.isprintable() else " " for char in str(value or ""))
    return text if len(text) <= most else f"{text[: most - 3]}..."


def typed_or_read(value: str) -> str:
    """An id given as an argument, which stays in the shell's history; - reads it from a line."""
    return sys.stdin.readline().rstrip("\r\n") if value == "-" else value


def require_suite(place: DataDir, folder: Path) -> None:
    """Refuse a folder without a suite: nothing found there would pass for nothing wrong.

    Raises:
        MissingPartition: neither file of the suite is there; the message says what makes it.
    """
    from pipeline.lake import MissingPartition
    from pipeline.suite.store import BY_HAND, FROM_PROD

    if not any((folder / name).exists() for name in (FROM_PROD, BY_HAND)):
        raise MissingPartition(
            f"no suite in {folder}: neither {FROM_PROD} nor {BY_HAND}; run: {place.make('publish')}"
        )


def say_next(place: DataDir, days: Iterable[str]) -> None:
    """Print the command that runs the days; nothing where there are none.

    A day can be run once it is over: later ones are said to wait. Where more than a week lies
    between two days, each stretch is a command of its own.
    """
    today = datetime.now(UTC).date().isoformat()
    days = sorted(days)
    waiting = [day for day in days if day >= today]
    over = [day for day in days if day < today]
    if over:
        for first, last in _stretches(over):
            click.echo(f"Next: {place.make('backfill', first, last)}")
    if waiting:
        span = waiting[0] if len(waiting) == 1 else f"{waiting[0]} to {waiting[-1]}"
        click.echo(f"Not over yet, to be run when it is: {span} (UTC)")


def _stretches(days: Sequence[str]) -> list[tuple[str, str]]:
    """First and last of the days, in order, that lie no more than a week apart."""
    stretches = [(days[0], days[0])]
    for day in days[1:]:
        first, last = stretches[-1]
        if date.fromisoformat(day) - date.fromisoformat(last) <= timedelta(days=7):
            stretches[-1] = first, day
        else:
            stretches.append((day, day))
    return stretches
