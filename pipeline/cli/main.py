"""The command `caselaw`: its groups, and what an error looks like."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, NoReturn

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
from pipeline.errors import SHOW_ERRORS, tell_error
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
_STOPPED = 130  # as a shell says of a process that Ctrl-C ended
_UNREAD = 141  # and of one whose reader was gone


class _Caselaw(click.Group):
    """Neither Ctrl-C nor a reader like `head` is a finding, which exit code 1 would say."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort):
            said = "caselaw: stopped; every file is as it was, or whole. Run the same to go on"
            click.echo(f"\n{said}", err=True)
            sys.exit(_STOPPED)
        except BrokenPipeError:
            # what is left in the buffer goes nowhere, or Python would complain of it at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            sys.exit(_UNREAD)


@click.group(
    cls=_Caselaw, context_settings={"help_option_names": ["-h", "--help"], "terminal_width": 100}
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
    4 not enough evidence to tell, 130 stopped by Ctrl-C, 141 nobody reads the output any more.
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
    """Run the command line; whatever goes wrong is one readable message and an exit code."""
    if sys.stdout is None:  # closed, as some schedulers leave it: the next file would become it
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for good
    try:
        return cli.main(arguments, prog_name="caselaw")
    except RegistryError as error:
        _end(str(error), 2, "registry: ")
    except _COULD_NOT as error:
        _end(describe(error) if isinstance(error, OSError) else str(error), 3)
    except Exception as error:
        if os.environ.get(SHOW_ERRORS) == "1":
            raise
        _end(tell_error(error), 3)


def _end(told: str, code: int, about: str = "") -> NoReturn:
    click.echo(harmless(f"caselaw: {about}{told}"), err=True)
    sys.exit(code)
