"""`caselaw modes`: where each failure mode stands, and what people say of it."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import click

from pipeline.cli.modes_page import mode_lines
from pipeline.cli.saying import SAYING
from pipeline.datadir import DataDir

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    import polars as pl

__all__ = ["modes"]

_LISTED = (
    "failure_mode_id", "name", "state", "since", "seen", "rate", "rate_low", "rate_high", "rate_n",
    "fix_release", "last_seen", "active_cases",
)  # fmt: skip
_CREEPING = ("failure_mode_id", "subject", "metric", "value", "low", "high", "n", "since",
             "baseline", "passing_share", "q_value")  # fmt: skip
_ORDER = ("regressed", "escalating", "fixed_unverified", "new", "ongoing", "verified", "quiet")


@click.group()
def modes() -> None:
    """List failure modes, and write what people say of them into the registry.

    What is said is a dated entry of registry/failure_modes.yaml. Entries that were in force stay
    as they were: past days depend on them.
    """


@modes.command("ls")
@click.option("--state", help="Only modes in this state, such as regressed.")
@click.option("--all", "everything", is_flag=True, help="Archived and ignored ones, too.")
@click.pass_obj
def list_modes(place: DataDir, state: str | None, everything: bool) -> None:
    """List the failure modes as the last closed week left them, gravest states first.

    rate: of all traffic of that week, weighted, with its 95 % interval. In a pipe: a table, one
    line a mode.
    """
    import polars as pl

    from pipeline.cli.printing import print_frame
    from pipeline.failures.lifecycle.reading import read_lives
    from pipeline.lake import Lake

    lives = read_lives(Lake(place))
    rows = lives.states
    if state is not None:
        rows = rows.filter(pl.col("state") == state)
    elif not everything:
        rows = rows.filter(~pl.col("state").is_in(["archived", "ignored"]))
    rank = pl.col("state").replace_strict(
        {name: n for n, name in enumerate(_ORDER)}, default=len(_ORDER), return_dtype=pl.Int64
    )
    shown = rows.sort(rank, -pl.col("failures"), "failure_mode_id").select(_LISTED)
    click.echo(f"As week {lives.week.key} left them:")
    if sys.stdout.isatty():
        for line in mode_lines(shown, shutil.get_terminal_size((100, 24)).columns):
            click.echo(line)
    else:
        print_frame(shown, fold=False, whole=True)
    for estimator in rows["estimator"].drop_nulls().unique().sort():
        click.echo(f"rate: {estimator}; 95 % interval")
    creeping = lives.slow.filter("creeping", week=pl.lit(lives.week.first))
    if state is None and not creeping.is_empty():
        click.echo("\nCreeping up without a failed check (caselaw query slow_failures):")
        print_frame(creeping.select(_CREEPING), fold=False)


@modes.command()
@click.argument("mode")
@click.pass_obj
def show(place: DataDir, mode: str) -> None:
    """Print all that is known of one MODE: state, fix, rates by release, life, cases.

    Here and in every other command MODE is an id, or six characters and more that begin one.
    """
    import polars as pl

    from pipeline.cli.printing import print_frame
    from pipeline.failures.lifecycle.drafts import whole_id
    from pipeline.failures.lifecycle.reading import folded_since, read_lives
    from pipeline.lake import Lake

    lake = Lake(place)
    lives = read_lives(lake)
    folded = {
        old: new
        for new, merged in lives.modes.select("failure_mode_id", "merged_from").iter_rows()
        for old in merged or ()
    }
    ids = (frame["failure_mode_id"].drop_nulls() for frame in (lives.states, lives.slow))
    mode = whole_id(mode, {*folded, *(one for column in ids for one in column)})
    current = folded.get(mode, mode)
    state = lives.states.filter(pl.col("failure_mode_id") == current)
    of_mode = pl.col("failure_mode_id") == current
    cases = lives.cases.filter(of_mode).select(
        "case_id", "status", "split", "intent", "first_day", "last_day", "occurrences"
    )
    slow = lives.slow.filter(of_mode)
    if state.is_empty() and not slow.is_empty():
        click.echo(f"{mode}: {slow['metric'][0]} of {slow['subject'][0]}, which no check fails on.")
        for title, frame in (
            ("By week:", slow.select("week", "value", "low", "high", "n", "estimator", "rise",
                                     "q_value", "creeping", "baseline", "passing_share")),
            ("Cases of the suite:", cases),
        ):  # fmt: skip
            click.echo(f"\n{title}")
            print_frame(frame)
        return
    if state.is_empty():
        raise click.UsageError(f"no failure mode {mode!r}; to list them: caselaw modes ls --all")
    if current != mode:
        since = folded_since(lake, mode)
        week = f", since week {since.key}" if since else ""
        click.echo(f"{mode} lives on as {current}{week}.")
        click.echo(f"To take that back: caselaw modes unmerge {mode}")
    _print_row(state)
    told = lives.modes.filter(of_mode).select("check", "intent", "severity", "size_total",
                                              "days_seen", "merged_from", "exemplars")  # fmt: skip
    _print_row(told)
    for line in _not_run_yet(place, current, lives.week.days[-1].first):
        click.echo(line)
    for title, frame in (
        ("Rates by week and release:", lives.rates.filter(of_mode).select(
            "week", "release", "seen", "n", "rate", "low", "high", "estimator")),
        ("Life:", lives.life.filter(of_mode).select("week", "state", "reason")),
        ("Cases of the suite:", cases),
    ):  # fmt: skip
        click.echo(f"\n{title}")
        print_frame(frame)


def _not_run_yet(place: DataDir, mode: str, closed: date) -> Iterator[str]:
    """What the registry says of a mode from a later day on than the last closed week has."""
    from pipeline.failures.lifecycle.drafts import BESIDE
    from pipeline.registry import Fix, NamedMode
    from pipeline.registry.loading import read_entries

    path = place.registry / "failure_modes.yaml"
    for entry in read_entries(path, "failure_modes", NamedMode, BESIDE):
        if entry.id == mode and entry.effective_from > closed:
            what = f"part of {entry.merged_into}" if entry.merged_into else f"{entry.name!r}"
            state = "" if entry.state == "open" else f", {entry.state}"
            yield f"In the registry from {entry.effective_from} on: {what}{state}"
    for fix in read_entries(path, "fixes", Fix, BESIDE):
        if fix.mode == mode and fix.effective_from > closed:
            yield f"In the registry from {fix.effective_from} on: release {fix.release} mends it"


def _print_row(frame: pl.DataFrame) -> None:
    from pipeline.cli.printing import print_frame

    filled = [column for column in frame.columns if frame[column].null_count() < frame.height]
    print_frame(frame.select(filled))


for command in SAYING:
    modes.add_command(command)
