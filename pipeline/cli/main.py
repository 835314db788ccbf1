"""The command `caselaw`: its groups, and what an error looks like."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from pipeline.cli.checking import check_answer
from pipeline.cli.erasing import forget
from pipeline.cli.exporting import export
from pipeline.cli.judge import judge
from pipeline.cli.landing import land, simulate
from pipeline.cli.modes import modes
from pipeline.cli.opting_out import opt_out
from pipeline.cli.plan import plan
from pipeline.cli.printing import harmless
from pipeline.cli.pull import pull
from pipeline.cli.quarantine import quarantine
from pipeline.cli.reading import query, sql, summary, verify
from pipeline.cli.receive import receive
from pipeline.cli.redacting import redact
from pipeline.cli.retaining import retention
from pipeline.cli.review import review
from pipeline.cli.rotating import rotate_key
from pipeline.cli.rules import rules
from pipeline.cli.suite import suite
from pipeline.cli.why import why
from pipeline.datadir import DataDir
from pipeline.files import keep_private
from pipeline.ingest import LandingError
from pipeline.ingest.index import IndexFailed
from pipeline.lake import CorruptPartition, MissingPartition
from pipeline.ledger_file import LedgerBroken
from pipeline.os_errors import describe
from pipeline.registry import RegistryError
from pipeline.retention.mark import PastRetention

__all__ = ["cli", "main"]

_COULD_NOT = (
    *(LandingError, IndexFailed, MissingPartition, PastRetention, CorruptPartition, LedgerBroken),
    OSError,
)


class _Interruptible(click.Group):
    """Ctrl-C is no finding: it ends with 130, as shells expect, and not with 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo(
                "\ncaselaw: stopped; every file is as it was, or whole. Run the same to go on",
                err=True,
            )
            ctx.exit(130)


@click.group(
    cls=_Interruptible,
    context_settings={"help_option_names": ["-h", "--help"], "terminal_width": 100},
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="CASELAW_DATA",
    help="The data directory; else CASELAW_DATA, else the checkout's own.",
)
@click.version_option(package_name="caselaw")
@click.pass_context
def cli(context: click.Context, data: Path | None) -> None:
    """Turn production traces of an AI agent into a living eval suite.

    Exit codes: 0 fine, 1 a finding, 2 wrong usage or configuration, 3 could not do it,
    4 not enough evidence to tell, 130 stopped by Ctrl-C.
    """
    keep_private()
    context.obj = DataDir(data.resolve()) if data else DataDir.from_environment()


for command in (
    simulate,
    land,
    pull,
    receive,
    quarantine,
    rules,
    suite,
    judge,
    plan,
    modes,
    summary,
    why,
    query,
    sql,
    verify,
    review,
    export,
    check_answer,
    opt_out,
    forget,
    retention,
    redact,
    rotate_key,
):
    cli.add_command(command)


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; known errors are one readable message and an exit code."""
    try:
        return cli.main(arguments, prog_name="caselaw")
    except RegistryError as error:
        click.echo(harmless(f"caselaw: registry: {error}"), err=True)
        sys.exit(2)
    except MemoryError:
        click.echo(
            "caselaw: there was not enough memory; what was published before stays as it was. Run "
            "the same with more memory, or on fewer files or days at a time",
            err=True,
        )
        sys.exit(3)
    except _COULD_NOT as error:
        told = describe(error) if isinstance(error, OSError) else str(error)
        click.echo(harmless(f"caselaw: {told}"), err=True)
        sys.exit(3)
