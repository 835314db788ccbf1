"""The commands of `caselaw modes` that write what people say into the registry."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.options import DAY, as_date
from pipeline.datadir import COMMITTED, DataDir

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.failures.lifecycle.words import Known, Written

__all__ = ["SAYING"]

_FROM = click.option(
    "--from",
    "day",
    type=DAY,
    callback=as_date,
    help="First day on which it holds; today (UTC) if left out.",
)


@click.command()
@click.argument("mode")
@click.argument("name")
@click.option("--description", help="What goes wrong, in a sentence.")
@_FROM
@click.pass_obj
def name(place: DataDir, mode: str, name: str, description: str | None, day: date | None) -> None:
    """Give MODE the NAME that everybody is to read from now on."""
    if not name.strip():
        raise click.UsageError("the name is empty; nothing was written")
    said = {"name": name} | ({} if description is None else {"description": description})
    _say(place, mode, day, said)


@click.command()
@click.argument("mode")
@_FROM
@click.pass_obj
def close(place: DataDir, mode: str, day: date | None) -> None:
    """Close MODE: archived, whatever is seen of it."""
    _say(place, mode, day, {"state": "archived"})


@click.command()
@click.argument("mode")
@_FROM
@click.pass_obj
def ignore(place: DataDir, mode: str, day: date | None) -> None:
    """Ignore MODE: still counted, and never promoted."""
    _say(place, mode, day, {"state": "ignored"})


@click.command()
@click.argument("mode")
@_FROM
@click.pass_obj
def reopen(place: DataDir, mode: str, day: date | None) -> None:
    """Take back what closed or ignored MODE."""
    _say(place, mode, day, {"state": "open"})


@click.command()
@click.argument("mode")
@click.argument("into")
@_FROM
@click.pass_obj
def merge(place: DataDir, mode: str, into: str, day: date | None) -> None:
    """Merge MODE into another: its failures, past and future, belong to INTO."""
    from pipeline.failures.lifecycle.words import merge_modes

    folder, known, since = _where(place, day)
    mode, into = known.whole(mode), known.whole(into)
    for one in (mode, into):
        _require_failing(place, one, "it has no failures that could belong to another, or take any")
    _tell(place, merge_modes(folder, known, mode, into, since), folder, since)


@click.command()
@click.argument("mode")
@_FROM
@click.pass_obj
def unmerge(place: DataDir, mode: str, day: date | None) -> None:
    """Take back a merge: MODE has failures of its own again, whoever merged it.

    Its entry claims them by their checks, error classes and intents; edit it before it is in force
    if that is too much. What was counted meanwhile stays with the other mode.
    """
    from pipeline.failures.lifecycle.reading import what_it_was
    from pipeline.failures.lifecycle.words import unmerge_mode
    from pipeline.lake import Lake
    from pipeline.registry import load_registry

    folder, known, since = _where(place, day)
    mode = known.whole(mode)
    part = what_it_was(Lake(place), mode, load_registry(folder, since))
    _tell(place, unmerge_mode(folder, known, mode, since, part), folder, since)


@click.command()
@click.argument("mode")
@click.argument("release")
@click.option("--note", default="", help="What was done.")
@_FROM
@click.pass_obj
def fix(place: DataDir, mode: str, release: str, note: str, day: date | None) -> None:
    """Claim that RELEASE mends MODE; production then shows whether it does."""
    from pipeline.failures.lifecycle.words import claim_fix
    from pipeline.registry import Fix

    folder, known, since = _where(place, day)
    mode = known.whole(mode)
    _require_failing(place, mode, "no rate can show that a release mends it")
    if not release.strip():
        raise click.UsageError("the release is empty")
    claimed = Fix(mode=mode, release=release, effective_from=since, note=note)
    _tell(place, claim_fix(folder, known, claimed), folder, since)


def _require_failing(place: DataDir, mode: str, so: str) -> None:
    """Refuse what cannot be said of a slow failure."""
    from pipeline.failures.lifecycle.reading import known_slow_modes
    from pipeline.lake import Lake

    if mode in known_slow_modes(Lake(place)):
        raise click.UsageError(
            f"no check fails on {mode!r}, so {so}; nothing was written. "
            f"Its weeks: caselaw modes show {mode}"
        )


def _say(place: DataDir, mode: str, day: date | None, said: dict[str, Any]) -> None:
    from pipeline.failures.lifecycle.words import say_of_mode

    folder, known, since = _where(place, day)
    _tell(place, say_of_mode(folder, known, known.whole(mode), since, **said), folder, since)


def _where(place: DataDir, day: date | None) -> tuple[Path, Known, date]:
    """The registry to write to, the modes of the lake, and the day."""
    from pipeline.failures.lifecycle.reading import known_modes
    from pipeline.lake import Lake

    own = place.root / "registry"
    if not own.is_dir():
        raise click.UsageError(
            f"{place.root} has no registry of its own, and the committed one is shared by others; "
            f"nothing was written. Copy it first: cp -r {COMMITTED / 'registry'} {own}"
        )
    return own, known_modes(Lake(place)), day or datetime.now(UTC).date()


def _tell(place: DataDir, written: Written, folder: Path, since: date) -> None:
    """Print what was written, and what makes it take effect."""
    from pipeline.lake import Lake
    from pipeline.tables import FAILURE_MODES, GRADES

    click.echo(f"Written to {folder / 'failure_modes.yaml'}:\n{written.text}", nl=False)
    for mode in written.retired:
        click.echo(f"The entry that {mode} had until then is kept, retired on {since}.")
    lake = Lake(place)
    days = [day for day in lake.windows(GRADES) if day.first >= since]
    weeks = [week for week in lake.windows(FAILURE_MODES) if week.days[-1].first >= since]
    if days or weeks:
        again = place.make("restate", since.isoformat())
        click.echo(f"Days or weeks from then on were run already. Next: {again}")
    else:
        click.echo(f"It holds for days and weeks that are run from then on, the first on {since}.")


SAYING = (name, merge, unmerge, fix, ignore, close, reopen)
"""The commands, in the order in which they are told of."""
