"""The commands `caselaw suite diff`, `resolve` and `prune`: what changes in the file."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import click

from pipeline.cli.options import counted, on_one_line
from pipeline.datadir import DataDir

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from pipeline.suite.differences import Difference
    from pipeline.suite.proposal import Proposal

__all__ = ["diff", "prune", "resolve"]

_LISTED = 20


@click.command("diff")
@click.option("--since", metavar="REV", help="Compare the file with a git revision of it instead.")
@click.option("--exit-code", is_flag=True, help="Exit 1 if there is any difference.")
@click.pass_obj
def diff(place: DataDir, since: str | None, exit_code: bool) -> None:
    """Say what the next publication would change in the file, and which fields conflict.

    With --since, what has changed in the file since a revision of the repository it lies in, such
    as a release's tag. Exit 1 if fields conflict, or with --exit-code if anything differs.
    """
    from pipeline.suite import propose_next
    from pipeline.suite.differences import compare_cases

    if since is not None:
        before, after = _versions(place, since)
        found = compare_cases(before, after)
        _tell(found, f"since {since}")
        sys.exit(1 if exit_code and found else 0)
    made = propose_next(place)
    found = compare_cases(made.suite.before, made.suite.cases)
    _tell(found, "by the next publication")
    _tell_conflicts(made)
    if made.suite.kept:
        shown = ", ".join(on_one_line(name) for name in made.suite.kept[:_LISTED])
        click.echo(f"Kept although no candidate stands behind: {len(made.suite.kept)} ({shown})")
    if found:
        click.echo(f"Next: {place.make('publish')}")
    sys.exit(1 if made.suite.conflicts or (exit_code and found) else 0)


@click.command("resolve")
@click.argument("case_id")
@click.argument("fields", nargs=-1, required=True)
@click.option("--keep", type=click.Choice(["mine", "pipeline"]), required=True,
              help="The version in the file, or what the pipeline would write.")  # fmt: skip
@click.pass_obj
def resolve(place: DataDir, case_id: str, fields: tuple[str, ...], keep: str) -> None:
    """Settle FIELDS of CASE_ID that a person and the pipeline both changed."""
    from pipeline.suite import propose_next, replace_cases
    from pipeline.suite.edits import settle

    made = propose_next(place)
    open_ones = {c.field: c.pipelines for c in made.suite.conflicts if c.case_id == case_id}
    wrong = [field for field in fields if field not in open_ones]
    if wrong:
        listed = ", ".join(sorted(open_ones)) or "none"
        raise click.UsageError(f"{wrong[0]!r} of {case_id} is no conflict; there are: {listed}")
    cases = dict(made.suite.before)
    wanted = {field: open_ones[field] for field in fields}
    cases[case_id] = settle(cases[case_id], wanted, mine=keep == "mine")
    replace_cases(made.before, list(cases.values()), again="the same again")
    click.echo(f"{case_id}: {', '.join(fields)}: kept {keep}. Next: {place.make('publish')}")


@click.command("prune")
@click.option("--apply", "for_good", is_flag=True, help="Retire them; else they are only listed.")
@click.pass_obj
def prune(place: DataDir, for_good: bool) -> None:
    """List cases that can retire: repetitions of others, and those whose trace fails no more.

    Cases of modes that are closed, or have not failed for `promotion.retire_after_days`, retire
    with every publication, and return by themselves; they are listed too.
    """
    from pipeline.lake import Lake
    from pipeline.suite import propose_next, replace_cases
    from pipeline.suite.differences import compare_cases
    from pipeline.suite.pruning import plan_pruning, retire
    from pipeline.tables import PROMOTED_CASES

    made = propose_next(place)
    cases = made.suite.before
    days = [window.first for window in Lake(place).windows(PROMOTED_CASES)]
    limits = made.registry.settings.promotion
    plan, left = plan_pruning(cases, made.suite.kept, days, limits.duplicate_meaning)
    for one in plan:
        what = f"repeats {one.of}" if one.of else "its trace fails this check no more"
        click.echo(f"{one.case_id}  {what}  {on_one_line(cases[one.case_id].get('title'))}")
    for name in left:
        click.echo(f"{name}  could retire, but was edited: left to its editor")
    for change in compare_cases(cases, made.suite.cases):
        if change.what in ("retired", "returned"):
            told = change.because.replace("_", " ") or "as its failures are back"
            click.echo(f"{change.case_id}  {change.what} by the next publication: {told}")
    if not plan:
        click.echo("Nothing to prune.")
    elif for_good:
        retired = retire(cases, plan, max(days))
        replace_cases(made.before, retired, again="caselaw suite prune --apply")
        click.echo(f"Retired {counted(len(plan), 'case')}. Next: {place.make('publish')}")
    else:
        click.echo(f"{counted(len(plan), 'case')} to retire; nothing was changed. "
                   "Next: caselaw suite prune --apply")  # fmt: skip


def _versions(place: DataDir, revision: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    from pipeline.suite import parse_suite, read_cases
    from pipeline.suite.history import NoSuchRevision, text_at
    from pipeline.suite.proposal import suite_folder, suite_registry
    from pipeline.suite.store import FROM_PROD

    path = suite_folder(place, suite_registry(place)) / FROM_PROD
    try:
        return parse_suite(text_at(path, revision)), read_cases(path)
    except NoSuchRevision as error:
        raise click.UsageError(str(error)) from None


def _tell(found: Sequence[Difference], when: str) -> None:
    counts = Counter(one.what for one in found)
    for what in ("added", "removed", "retired", "returned", "changed"):
        for one in _some([one for one in found if one.what == what]):
            detail = one.because.replace("_", " ") or ", ".join(one.fields)
            click.echo(
                f"{what:<9} {one.case_id:<18} {one.split:<11} {detail or on_one_line(one.title)}"
            )
    listed = ", ".join(f"{number} {what}" for what, number in sorted(counts.items()))
    click.echo(f"{when[:1].upper()}{when[1:]}: {listed or 'nothing changes'}")


def _tell_conflicts(made: Proposal) -> None:
    cases = made.suite.cases
    for one in _some(made.suite.conflicts):
        click.echo(f"conflict  {one}: a person and the pipeline changed it; the person's stands")
        if cases[one.case_id].get("split") != "holdout":
            click.echo(f"            mine:     {on_one_line(one.theirs)}")
            click.echo(f"            pipeline: {on_one_line(one.pipelines)}")
    if made.suite.conflicts:
        click.echo("Settle each: caselaw suite resolve CASE_ID FIELD --keep mine|pipeline")


def _some(items: Sequence[Any]) -> Iterable[Any]:
    yield from items[:_LISTED]
    if len(items) > _LISTED:
        click.echo(f"... and {len(items) - _LISTED} more")
