"""The commands `caselaw suite stats` and `caselaw suite check`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pipeline.cli.options import counted, on_one_line, require_suite
from pipeline.datadir import DataDir

if TYPE_CHECKING:
    import polars as pl

    from pipeline.suite.figures import Coverage
    from pipeline.suite.openings import Openings

__all__ = ["check", "stats"]

_LISTED = 5


@click.command()
@click.pass_obj
def stats(place: DataDir) -> None:
    """Print what the suite holds, how it grows, what it covers, and who opened the holdout."""
    from pipeline.cli.printing import print_frame
    from pipeline.lake import Lake
    from pipeline.suite.checking import load_cases
    from pipeline.suite.figures import count_cases, cover, grow
    from pipeline.suite.openings import read_openings
    from pipeline.suite.proposal import suite_folder, suite_registry
    from pipeline.tables import EVAL_SUITE

    registry = suite_registry(place)
    loaded = load_cases(suite_folder(place, registry))
    lake = Lake(place)
    index = lake.read(EVAL_SUITE, None)
    active, edited = index["status"].eq("active").sum(), int(index["edited"].sum())
    conflicts = index["conflicts"].explode().drop_nulls().len()
    click.echo(
        f"{counted(index.height, 'case')}, {active} active; {edited} edited, "
        f"{counted(conflicts, 'field')} in conflict; {len(loaded.by_hand)} by hand"
    )
    for field in ("split", "category", "severity", "intent", "check"):
        counts = count_cases(index, field)
        shown = ", ".join(f"{name} {number}" for name, number in list(counts.items())[:8])
        more = f", and {len(counts) - 8} more" if len(counts) > 8 else ""
        click.echo(f"{field:>9}  {shown or 'none'}{more}")
    _tell_retired(index)
    _tell_coverage(cover(lake, index, registry))
    _tell_openings(read_openings(place))
    _tell_verdicts(place, lake)
    print_frame(grow(index).tail(12), fold=False)


@click.command()
@click.pass_obj
def check(place: DataDir) -> None:
    """Check that each case is sound, that ids do not clash and the holdout does not leak.

    Ids are not to clash with those of `cases_by_hand.yaml`. A leak is a text of the holdout that
    comes near to an example, to a case by hand, to the rubric or a rule's example, or to a file of
    `promotion.prompt_files`; or a session in two splits. Exit 1 if there is anything to mend.
    """
    from pipeline.lake import Lake
    from pipeline.suite.checking import check_cases, holdout_leaks, load_cases, tell_leak
    from pipeline.suite.proposal import suite_folder, suite_registry
    from pipeline.tables import EVAL_SUITE

    registry = suite_registry(place)
    folder = suite_folder(place, registry)
    require_suite(place, folder)
    loaded = load_cases(folder)
    lake = Lake(place)
    index = lake.read(EVAL_SUITE, None) if lake.exists(EVAL_SUITE, None) else None
    leaks, unread = holdout_leaks(loaded, index, registry, folder)
    problems = [*check_cases(loaded), *map(tell_leak, leaks)]
    for problem in problems:
        click.echo(f"{problem.case_id or '-':<18} {problem.what}")
    for name in unread:
        click.echo(f"{'-':<18} promotion.prompt_files: {name}")
    if leaks:
        click.echo(
            'A split never changes by itself: set `split: "regression"` on the leaking case, '
            "retire what repeats it (caselaw suite prune), or change what it is near to."
        )
    cases = len(loaded.cases) + len(loaded.by_hand)
    wrong = len(problems) + len(unread)
    click.echo(f"{counted(cases, 'case')} checked, {counted(wrong, 'problem')}")
    sys.exit(1 if wrong else 0)


def _tell_retired(index: pl.DataFrame) -> None:
    import polars as pl

    retired = index.filter(pl.col("status") == "retired")
    reasons = retired["retired_because"].fill_null("person").value_counts(sort=True)
    told = ", ".join(f"{name} {number}" for name, number in reasons.iter_rows())
    click.echo(f"{'retired':>9}  {told or 'none'}")


def _tell_coverage(found: Coverage) -> None:
    click.echo(f"{'modes':>9}  {found.covered} of {found.modes} active modes have a case")
    share = found.traffic
    if share is not None and share.value is not None:
        click.echo(
            f"{'traffic':>9}  {share.value:.1%} of failing conversations of the last four weeks "
            f"are of a mode with a case [{share.low:.1%}, {share.high:.1%}], n={share.n} "
            f"({share.estimator})"
        )
    for name, weighted in found.uncovered:
        click.echo(f"{'no case':>9}  {name} (about {weighted:,.0f} failures in the latest week)")


def _tell_openings(log: Openings) -> None:
    seen = counted(len(log.found), "time")
    torn = (
        f"; {counted(log.unreadable, 'line')} of the log cannot be read" if log.unreadable else ""
    )
    click.echo(f"{'holdout':>9}  opened {seen} by a command{torn}")
    for one in log.found[-_LISTED:]:
        at, who, target, why = map(on_one_line, (one.at, one.who, one.target, one.why))
        click.echo(f"{'':>9}  {at} {who}, {counted(one.cases, 'case')}, {target}: {why}")


def _tell_verdicts(place: DataDir, lake: object) -> None:
    from pipeline.lake import Lake
    from pipeline.review.annotations import collect_annotations
    from pipeline.suite.proposal import EVER
    from pipeline.tables import REDACTED_TRACES

    assert isinstance(lake, Lake)
    collected = collect_annotations(place.annotations, EVER)
    days = lake.windows(REDACTED_TRACES)
    known = set(lake.read(REDACTED_TRACES, days, ["trace_id"])["trace_id"]) if days else set()
    strange = sorted(set(collected.frame["trace_id"]) - known)
    if strange:
        shown = ", ".join(map(on_one_line, strange[:_LISTED]))
        shown += ", ..." if len(strange) > _LISTED else ""
        click.echo(
            f"{'verdicts':>9}  on {counted(len(strange), 'trace')} not in the lake (never drawn, "
            f"not run yet, or erased), without effect: {shown}"
        )
    if collected.problems:
        click.echo(f"{'verdicts':>9}  {counted(len(collected.problems), 'file')} cannot be read")
