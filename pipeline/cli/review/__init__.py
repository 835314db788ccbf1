"""`caselaw review`: the queue of conversations that a person should look at."""

from __future__ import annotations

import click
from click.core import ParameterSource

from pipeline.cli.review.deciding import decide
from pipeline.cli.review.looking import show, show_next
from pipeline.cli.review.options import AS, MORE
from pipeline.cli.review.standing import stats

__all__ = ["review"]


@click.group(invoke_without_command=True)
@AS
@MORE
@click.pass_context
def review(context: click.Context, reviewer: str, more: bool) -> None:
    """Look at conversations that wait; without a subcommand, one after another.

    Cases that wait are ordered by the expected value of a look; a share of what is shown is drawn
    at random and shown without any verdict, to measure the judge.
    """
    if context.invoked_subcommand is None:
        from pipeline.cli.review.loop import walk

        walk(context.obj, reviewer, beyond_quota=more)
    elif ParameterSource.COMMANDLINE in map(context.get_parameter_source, ("reviewer", "more")):
        raise click.UsageError(f"--as and --more go behind {context.invoked_subcommand!r}")


for command in (show_next, show, decide, stats):
    review.add_command(command)
