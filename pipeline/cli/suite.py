"""Commands about the suite: what it holds, what changes, what is wrong, what can go."""

from __future__ import annotations

import sys
from typing import Any

import click

from pipeline.cli.options import counted, on_one_line, require_suite
from pipeline.cli.suite_changes import diff, prune, resolve
from pipeline.cli.suite_figures import check, stats
from pipeline.datadir import DataDir

__all__ = ["suite"]


class _Suite(click.Group):
    """A broken file, or one that somebody saved meanwhile, is one message and exit code 3."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (RuntimeError, ValueError) as error:
            from pipeline.suite import SuiteEdited, SuiteFileError

            if not isinstance(error, SuiteEdited | SuiteFileError):
                raise
            click.echo(f"caselaw: suite: {error}", err=True)
            sys.exit(3)


@click.group(cls=_Suite)
def suite() -> None:
    """Look after eval/cases_from_prod.yaml, the suite that production wrote."""


@suite.command("ls")
@click.option("--split", type=click.Choice(["regression", "example", "holdout"]))
@click.option("--status", type=click.Choice(["active", "retired"]))
@click.option("--mode", help="Id or name of a failure mode.")
@click.pass_obj
def list_cases(place: DataDir, split: str | None, status: str | None, mode: str | None) -> None:
    """List the cases: id, split, status, check, title. No text of anybody."""
    from pipeline.suite import read_cases
    from pipeline.suite.lifetimes import is_retired
    from pipeline.suite.proposal import suite_folder, suite_registry
    from pipeline.suite.store import FROM_PROD

    folder = suite_folder(place, suite_registry(place))
    require_suite(place, folder)
    cases = read_cases(folder / FROM_PROD)
    shown = 0
    for name, case in cases.items():
        now = "retired" if is_retired(case) else "active"
        given = case.get("mode")
        of = given if isinstance(given, dict) else {}
        if (split and case.get("split") != split) or (status and now != status):
            continue
        if mode and mode not in (of.get("id"), of.get("name")):
            continue
        shown += 1
        click.echo(
            f"{name:<18} {on_one_line(case.get('split')) or '-':<11} {now:<8} "
            f"{on_one_line(case.get('check')) or '-':<24} "
            f"{on_one_line(case.get('title'))}"
        )
    click.echo(f"{shown} of {counted(len(cases), 'case')}")


@suite.command("show")
@click.argument("case_ids", nargs=-1, required=True, metavar="CASE_ID...")
@click.option("--why", default="", help="Why a case of the holdout is opened; it is written down.")
@click.pass_obj
def show(place: DataDir, case_ids: tuple[str, ...], why: str) -> None:
    """Print cases as the file has them. To open one of the holdout, say --why: it is counted."""
    from pipeline.suite import read_cases, render_suite
    from pipeline.suite.openings import record_opening, whoami
    from pipeline.suite.proposal import suite_folder, suite_registry
    from pipeline.suite.store import FROM_PROD

    folder = suite_folder(place, suite_registry(place))
    require_suite(place, folder)
    cases = read_cases(folder / FROM_PROD)
    unknown = [name for name in case_ids if name not in cases]
    if unknown:
        raise click.UsageError(f"no case {unknown[0]!r} in the suite; list them: caselaw suite ls")
    chosen = [cases[name] for name in dict.fromkeys(case_ids)]
    held = sum(case.get("split") == "holdout" for case in chosen)
    if held and not why.strip():
        raise click.UsageError(
            f"{counted(held, 'case')} of the holdout: opening it is written down; say why: "
            '--why "..."'
        )
    if held:
        record_opening(place, who=whoami(), why=why, cases=held, target="suite show")
    text = render_suite(chosen)
    click.echo(text[text.index("cases:") :], nl=False)


for command in (diff, resolve, prune, stats, check):
    suite.add_command(command)
