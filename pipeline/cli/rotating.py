"""`caselaw rotate-key`: begin a rebuild of everything redacted with another key."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from pipeline.cli.options import counted
from pipeline.datadir import DataDir

__all__ = ["key_errors", "rotate_key"]


@contextmanager
def key_errors() -> Iterator[None]:
    """Say in one line that a key cannot be used (exit 2), or that days cannot be rebuilt (3)."""
    from pipeline.redaction.replacement.keys import KeyRefused
    from pipeline.redaction.replacement.rotation import DaysLost

    try:
        yield
    except (KeyRefused, DaysLost) as error:
        click.echo(f"caselaw: {error}", err=True)
        sys.exit(2 if isinstance(error, KeyRefused) else 3)


@click.command("rotate-key")
@click.option("--drop-days", is_flag=True, help="Give up days whose raw traces are gone.")
@click.pass_obj
def rotate_key(place: DataDir, drop_days: bool) -> None:
    """Make a new surrogate key, and say what must be rebuilt with it.

    Also declares a key in the environment that you changed, or `surrogates` in pii_policy.yaml.
    Case ids stay. While some days are rebuilt and others are not, weeks, suite and warehouse
    refuse to be made.
    """
    from pipeline.redaction.replacement.rotation import drop_lost_days, rotate

    if drop_days:
        given_up = drop_lost_days(place)
        click.echo(f"{counted(len(given_up), 'day')} taken out of the lake")
    with key_errors():
        rotation = rotate(place, os.environ)
    click.echo(f"surrogates are made as {rotation.scheme} from now on")
    if rotation.retired:
        shown = _within(place, rotation.retired)
        click.echo(f"the key before lies in {shown}: delete it once everything is rebuilt")
    if not rotation.left:
        click.echo("nothing is to be rebuilt")
        return
    first, last = rotation.left[0].key, rotation.left[-1].key
    click.echo(f"{counted(len(rotation.left), 'day')} to rebuild ({first} to {last})")
    click.echo(f"Next: {place.make('restate', first)}")


def _within(place: DataDir, path: Path) -> Path:
    return path.relative_to(place.root) if path.is_relative_to(place.root) else path
