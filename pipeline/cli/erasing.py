"""`caselaw forget`: a person is erased, and kept out from then on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pipeline.cli.options import counted, typed_or_read
from pipeline.datadir import DataDir

if TYPE_CHECKING:
    from pipeline.erasure import Erasure

__all__ = ["forget"]


@click.command()
@click.option(
    "--user",
    metavar="ID",
    help="A user's id, as the application writes it; - reads it from standard input.",
)
@click.option("--session", metavar="ID", help="A session's or conversation's id.")
@click.option("--trace", metavar="ID", help="A trace's id; its whole conversation is erased.")
@click.option("--dry-run", is_flag=True, help="Only show what would be touched.")
@click.option("--wait", type=click.IntRange(0), default=600, show_default=True, metavar="SECONDS",
              help="How long to wait for running steps.")  # fmt: skip
@click.pass_obj
def forget(
    place: DataDir, user: str | None, session: str | None, trace: str | None, dry_run: bool,
    wait: int,
) -> None:  # fmt: skip
    """Erase one person from landing, tables, caches, notes and cases, and keep them out.

    Writes a receipt that does not name them. Exit code 1: nothing of them was ever there (they are
    kept out all the same).
    """
    from pipeline.cli.landing import reading_bar
    from pipeline.erasure import NotesBroken, Person, StillOpen
    from pipeline.erasure import forget as erase
    from pipeline.ingest.suppression import Kind, SuppressionBroken
    from pipeline.lease import StillWorking
    from pipeline.redaction.replacement.keys import KeyRefused
    from pipeline.suite import SuiteFileError

    kinds: dict[Kind, str | None] = {"user": user, "session": session, "trace": trace}
    given = [(kind, value) for kind, value in kinds.items() if value is not None]
    if len(given) != 1:
        raise click.UsageError("name one person: --user ID, --session ID or --trace ID")
    kind, value = given[0][0], typed_or_read(str(given[0][1]))
    if not value.strip():
        raise click.UsageError(f"--{kind} is empty")
    try:
        with reading_bar() as progress:
            done = erase(
                place, Person(kind, value), dry_run=dry_run, patience=wait,
                say=lambda line: click.echo(line, err=True), progress=progress,
            )  # fmt: skip
    except KeyRefused as error:
        click.echo(
            f"caselaw: forget: {error}. Without the content key nobody can be recognised; nothing "
            "was changed",
            err=True,
        )
        sys.exit(2)
    except (StillOpen, StillWorking, NotesBroken, SuppressionBroken, SuiteFileError) as error:
        click.echo(f"caselaw: forget: {error}", err=True)
        sys.exit(3)
    _tell(place, done, dry_run)
    sys.exit(0 if done.found or done.before else 1)


def _tell(place: DataDir, done: Erasure, dry_run: bool) -> None:
    from pipeline.tables import ALL

    receipt = done.receipt
    days = [" to ".join(dict.fromkeys((receipt.days[0], receipt.days[-1])))] if receipt.days else []
    what = "Would erase" if dry_run else "Erased"
    if done.found:
        click.echo(f"{what} {counted(receipt.conversations, 'conversation')}" +
                   "".join(f" of {span}" for span in days) + ":")  # fmt: skip
        for line in receipt.erased:
            click.echo(f"  {line.where:<24} {line.dropped:>6} gone  {line.changed:>6} changed")
    elif done.before:
        click.echo("Nothing is left of this id: it was erased before.")
    else:
        click.echo("Nothing of this id was found: is it written as the application writes it?")
    if receipt.cases:
        click.echo(f"Cases that went for good: {', '.join(receipt.cases)}")
    for file, others in receipt.removed_whole.items():
        also = counted(others, "record")
        click.echo(f"{file} could not be rewritten for certain and went whole, with {also} of "
                   "others. Days that were read from it are kept, and not run again until it is "
                   "landed again")  # fmt: skip
    for path in receipt.left_to_people:
        click.echo(
            f"An id of theirs stands in {path}, in words that are not theirs or that nothing "
            "reads: look at it, no command edits it"
        )
    if dry_run:
        click.echo("Nothing was changed.")
        return
    click.echo("Kept out of everything that is read from now on.")
    click.echo(f"Receipt: {done.path}")
    if any(line.where in ALL for line in receipt.erased):
        restate = place.make("restate", receipt.days[0])
        click.echo(f"Next, to count anew without them: {restate}")
