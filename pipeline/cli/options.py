"""What several commands have in common: days given by hand, and what to run next."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

import click

from pipeline.datadir import COMMITTED, DataDir

__all__ = ["DAY", "as_date", "counted", "say_next"]

DAY = click.DateTime(formats=["%Y-%m-%d"])


def as_date(
    _context: click.Context, _parameter: click.Parameter, value: datetime | None
) -> date | None:
    """The callback of an option that is a day."""
    return value.date() if value else None


def counted(number: int, noun: str) -> str:
    """A number of things: 1 day, 2 days."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def say_next(place: DataDir, days: Iterable[str]) -> None:
    """Print the command that runs the days; nothing where there are none.

    A day can be run once it is over: later ones are said to wait.
    """
    today = datetime.now(UTC).date().isoformat()
    waiting = sorted(day for day in days if day >= today)
    over = sorted(day for day in days if day < today)
    if over:
        other = "" if place == DataDir(COMMITTED) else f" CASELAW_DATA={place.root}"
        click.echo(f"Next: make backfill{other} FROM={over[0]} TO={over[-1]}")
    if waiting:
        span = waiting[0] if len(waiting) == 1 else f"{waiting[0]} to {waiting[-1]}"
        click.echo(f"Not over yet, to be run when it is: {span} (UTC)")
