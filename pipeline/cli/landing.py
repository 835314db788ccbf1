"""Commands that put traces into landing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.options import DAY, as_date, counted, say_next
from pipeline.datadir import DataDir
from pipeline.windows import FIRST_DAY, Window
from pipeline.windows import day as day_window

if TYPE_CHECKING:
    from pipeline.ingest import LandedFile
    from pipeline.registry.settings import Ingest

__all__ = ["land", "simulate"]


@click.command()
@click.option("--days", type=click.IntRange(1, 366), default=14, show_default=True)
@click.option("--start", type=DAY, callback=as_date, default="2026-11-02", show_default=True,
              help="First day, a Monday.")  # fmt: skip
@click.option("--seed", type=int, default=7, show_default=True)
@click.option("--per-day", type=click.IntRange(1), default=150, show_default=True,
              help="Conversations a day, on average.")  # fmt: skip
@click.option("--phrases", type=click.Choice(["tuned", "held_out"]), default="tuned",
              show_default=True, help="Which wording: held_out is for scoring alone.")  # fmt: skip
@click.pass_obj
def simulate(place: DataDir, days: int, start: date, seed: int, per_day: int, phrases: str) -> None:
    """Write production-like sample traffic, its ground truth and a reviewer's verdicts.

    A data directory that holds traces of its own is refused: use --data.
    """
    from pipeline.simulate import simulate as run

    if place.landing.is_dir() and any(place.landing.iterdir()) and not place.simulated.is_dir():
        raise click.UsageError(
            f"{place.landing} holds traces that are not simulated; nothing was written. "
            "Choose another directory, for example: caselaw --data data/demo simulate"
        )
    try:
        with click.progressbar(length=days, label="Simulating", show_eta=False) as bar:
            made = run(place.root, start=start, days=days, seed=seed, per_day=per_day,
                       phrases="held_out" if phrases == "held_out" else "tuned",
                       progress=lambda done, _all: bar.update(done - bar.pos))  # fmt: skip
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    click.echo(
        f"{made.conversations} conversations of {counted(days, 'day')} in {made.files} files "
        f"({made.bytes / 1e6:.0f} MB), {made.failing} with a planted failure, "
        f"{made.annotations} verdicts of the simulated reviewers: {place.root}"
    )
    say_next(place, ((start + timedelta(days=n)).isoformat() for n in range(days)))


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--day", type=DAY, callback=as_date, help="UTC day of records without a time.")
@click.pass_obj
def land(place: DataDir, files: tuple[Path, ...], day: date | None) -> None:
    """Copy trace files into landing, whatever format they are in, and read them.

    FILES are files, directories or quoted globs, plain or compressed with gzip or zstd. The same
    file again is a no-op. Prints what each holds, and the days to run.
    """
    from pipeline.ingest import land as copy
    from pipeline.ingest import landed_files
    from pipeline.ingest.quarantine import REASONS
    from pipeline.ingest.staleness import stale_days
    from pipeline.lake import Lake
    from pipeline.lease import working
    from pipeline.tables import RAW_TRACES

    if day is not None and not FIRST_DAY <= day <= datetime.now(UTC).date():
        raise click.UsageError(f"--day {day} is no day that can be run: from {FIRST_DAY} to today")
    settings = _settings(place)
    done = copy(place, files, day)
    landed = dict(done.files)
    with working(place), reading_bar() as progress:
        largest = settings.largest_record_mb * 2**20
        every = landed_files(place, largest, settings.settle_minutes * 60, progress)
        stale = {day.window.key for day in stale_days(place, every, partial(_settings, place))}
    found = {place.landing / file.path: file for file in every}
    days: set[str] = set()
    readable = 0
    for target, new in landed.items():
        file = found.get(target)
        if file is None:
            click.echo(f"{target.name}: the same content lies in landing under another name")
            continue
        click.echo(f"{target.name}: {_held(file)}{'' if new else ' (was there already)'}")
        for code in (reason.partition(" ")[0] for reason in file.reasons):
            click.echo(f"  {code}: {REASONS.get(code, 'see docs/land-your-traces.md')}")
        readable += file.records + file.events
        days |= {*file.days, *([file.fallback_day] if file.malformed and day else [])}
    if done.skipped:
        names = ", ".join(sorted({file.name for file, _ in done.skipped})[:10])
        click.echo(f"Left out, no traces in them: {counted(len(done.skipped), 'file')} ({names})")
    lake = Lake(place)
    days = {d for d in days if not lake.exists(RAW_TRACES, day_window(d))} | stale
    if stale:
        named = ", ".join(sorted(stale)[:5]) + (", ..." if len(stale) > 5 else "")
        click.echo(
            f"Run before this landed: {counted(len(stale), 'day')} ({named}). "
            "It is in once they are run again"
        )
    say_next(place, _without_dropped(place, days))
    if not readable and any(target in found for target in landed):
        click.echo("No record of these files can be read.", err=True)
        sys.exit(1)


def _without_dropped(place: DataDir, days: set[str]) -> set[str]:
    """The days that may be run; warns of those that retention has dropped or is about to drop."""
    from pipeline.retention import is_past, kept_from
    from pipeline.retention.mark import first_rebuilt, privacy_today

    if kept_from(place) is None:  # retention is not in use here
        return days
    old = {d for d in days if is_past(place, day_window(d))}
    if old:
        click.echo(
            f"Past their retention: {counted(len(old), 'day')} ({min(old)} to {max(old)}). They "
            "are not run again, and `caselaw retention` drops what was landed of them: see "
            "privacy.retention_days in registry/settings.yaml",
            err=True,
        )
    cut = first_rebuilt(privacy_today(place), datetime.now(UTC).date()).isoformat()
    if ageing := {d for d in days - old if d < cut}:
        click.echo(
            f"Older than privacy.retention_days: {counted(len(ageing), 'day')}, which the next "
            "`caselaw retention` drops",
            err=True,
        )
    return days - old


def _held(file: LandedFile) -> str:
    """What a landing file holds, in words."""
    words = [f"{file.format}, {file.records} record{'s' * (file.records != 1)}"]
    if file.events:
        words.append(f"{file.events} score or log record{'s' * (file.events != 1)}")
    if file.malformed:
        words.append(f"{file.malformed} that cannot be read ({', '.join(file.reasons)})")
    if file.growing:
        words.append("half a line at its end, left for later")
    return ", ".join(words)


def _settings(place: DataDir, window: Window | None = None) -> Ingest:
    """The settings in force on a day, today unless told."""
    from pipeline.registry import load_registry

    window = window or day_window(datetime.now(UTC).date())
    return load_registry(place.registry, window).settings.ingest


@contextmanager
def reading_bar() -> Iterator[Callable[[int, int], None]]:
    """A progress bar of bytes for reading new landing files; none where there is little to read."""
    with ExitStack() as stack:
        bar: Any = None

        def progress(done: int, total: int) -> None:
            nonlocal bar
            if bar is None and total > 32 * 2**20:
                label = f"Reading {total / 2**20:.0f} MB"
                bar = stack.enter_context(click.progressbar(length=total, label=label))
            if bar is not None:
                bar.update(done - bar.pos)

        yield progress
