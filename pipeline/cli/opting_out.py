"""`caselaw opt-out`: the digest under which an id may stand in the registry's list."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from pipeline.cli.options import typed_or_read
from pipeline.datadir import DataDir

if TYPE_CHECKING:
    from pipeline.sampling.opting_out import Kind

__all__ = ["opt_out"]


@click.command("opt-out")
@click.option("--user", help="A user id as traces carry it; - reads it from standard input.")
@click.option("--tenant", help="A tenant; - reads it from standard input.")
@click.option("--trace", help="A trace id; - reads it from standard input.")
@click.pass_obj
def opt_out(place: DataDir, user: str | None, tenant: str | None, trace: str | None) -> None:
    """Print the entry for registry/opt_outs.yaml that keeps somebody from being sampled.

    It holds a keyed digest in the place of the id. Nothing is written: the list is yours.
    """
    from pipeline.redaction.replacement.keys import CONTENT_KEY_VARIABLE, KeyRefused, load_key
    from pipeline.sampling.opting_out import opt_out_digest

    named: list[tuple[Kind, str | None]] = [("user", user), ("tenant", tenant), ("trace", trace)]
    given = [(kind, value) for kind, value in named if value is not None]
    if len(given) != 1:
        raise click.UsageError("give one of --user, --tenant and --trace")
    kind, value = given[0]
    text = typed_or_read(str(value))
    if not text:
        raise click.UsageError(f"the {kind} id is empty")
    path = place.keys / "content.key"
    try:
        key = load_key(path, os.environ, create=False, variable=CONTENT_KEY_VARIABLE)
    except KeyRefused as refused:
        click.echo(f"caselaw: {refused}", err=True)
        sys.exit(3)
    click.echo(f'  - {kind}s: ["{opt_out_digest(kind, text, key.subkey("user"))}"]')
    click.echo(f"Add it to the list in {place.registry / 'opt_outs.yaml'}", err=True)
