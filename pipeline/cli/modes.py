"""`caselaw modes`: where each failure mode stands, and what people say of it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.options import DAY, as_date
from pipeline.datadir import COMMITTED, DataDir

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from pipeline.failures.lifecycle.words import Known, Written

__all__ = ["modes"]

_LISTED = (
    "failure_mode_id", "name", "state", "since", "seen", "rate", "rate_low", "rate_high", "rate_n",
    "fix_release", "last_seen", "active_cases",
)  # fmt: skip
_ORDER = ("regressed", "escalating", "fixed_unverified", "new", "ongoing", "verified", "quiet")


@click.group()
def modes() -> None:
    """List failure modes, and write what people say of them into the registry.

    What is said is a dated entry of registry/failure_modes.yaml. Entries that were in force stay
    as they were: past days depend on them.
    """


_FROM = click.option(
    "--from",
    "day",
    type=DAY,
    callback=as_date,
    help="First day on which it holds; today (UTC) if left out.",
)


@modes.command("ls")
@click.option("--state", help="Only modes in this state, such as regressed.")
@click.option("--all", "everything", is_flag=True, help="Archived and ignored ones, too.")
@click.pass_obj
def list_modes(place: DataDir, state: str | None, everything: bool) -> None:
    """List the failure modes as the last closed week left them, gravest states first.

    rate: of all traffic of that week, weighted, with its 95 % interval.
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
    print_frame(shown, fold=False)


@modes.command()
@click.argument("mode")
@click.pass_obj
def show(place: DataDir, mode: str) -> None:
    """Print all that is known of one MODE: state, fix, rates by release, life, cases."""
    import polars as pl

    from pipeline.cli.printing import print_frame
    from pipeline.failures.lifecycle.reading import read_lives
    from pipeline.lake import Lake

    lake = Lake(place)
    lives = read_lives(lake)
    folded = {
        old: new
        for new, merged in lives.modes.select("failure_mode_id", "merged_from").iter_rows()
        for old in merged or ()
    }
    current = folded.get(mode, mode)
    state = lives.states.filter(pl.col("failure_mode_id") == current)
    if state.is_empty():
        raise click.UsageError(f"no failure mode {mode!r}; to list them: caselaw modes ls --all")
    if current != mode:
        click.echo(f"{mode} lives on as {current}.")
    _print_row(state)
    of_mode = pl.col("failure_mode_id") == current
    told = lives.modes.filter(of_mode).select("check", "intent", "severity", "size_total",
                                              "days_seen", "merged_from", "exemplars")  # fmt: skip
    _print_row(told)
    for title, frame in (
        ("Rates by week and release:", lives.rates.filter(of_mode).select(
            "week", "release", "seen", "n", "rate", "low", "high", "estimator")),
        ("Life:", lives.life.filter(of_mode).select("week", "state", "reason")),
        ("Cases of the suite:", lives.cases.filter(of_mode).select(
            "case_id", "status", "split", "intent", "first_day", "last_day", "occurrences")),
    ):  # fmt: skip
        click.echo(f"\n{title}")
        print_frame(frame)


@modes.command()
@click.argument("mode")
@click.argument("name")
@click.option("--description", help="What goes wrong, in a sentence.")
@_FROM
@click.pass_obj
def name(place: DataDir, mode: str, name: str, description: str | None, day: date | None) -> None:
    """Give MODE the NAME that everybody is to read from now on."""
    said = {"name": name} | ({} if description is None else {"description": description})
    _say(place, mode, day, said)


@modes.command()
@click.argument("mode")
@_FROM
@click.pass_obj
def close(place: DataDir, mode: str, day: date | None) -> None:
    """Close MODE: archived, whatever is seen of it."""
    _say(place, mode, day, {"state": "archived"})


@modes.command()
@click.argument("mode")
@_FROM
@click.pass_obj
def ignore(place: DataDir, mode: str, day: date | None) -> None:
    """Ignore MODE: still counted, and never promoted."""
    _say(place, mode, day, {"state": "ignored"})


@modes.command()
@click.argument("mode")
@_FROM
@click.pass_obj
def reopen(place: DataDir, mode: str, day: date | None) -> None:
    """Take back what closed or ignored MODE."""
    _say(place, mode, day, {"state": "open"})


@modes.command()
@click.argument("mode")
@click.argument("into")
@_FROM
@click.pass_obj
def merge(place: DataDir, mode: str, into: str, day: date | None) -> None:
    """Merge MODE into another: its failures, past and future, belong to INTO."""
    from pipeline.failures.lifecycle.words import merge_modes

    folder, known, since = _where(place, day)
    _tell(place, merge_modes(folder, known, mode, into, since), folder, since)


@modes.command()
@click.argument("mode")
@click.argument("release")
@click.option("--note", default="", help="What was done.")
@_FROM
@click.pass_obj
def fix(place: DataDir, mode: str, release: str, note: str, day: date | None) -> None:
    """Claim that RELEASE mends MODE; production then shows whether it does."""
    from pipeline.failures.lifecycle.words import claim_fix
    from pipeline.registry import Fix

    folder, known, since = _where(place, day)
    if not release.strip():
        raise click.UsageError("the release is empty")
    claimed = Fix(mode=mode, release=release, effective_from=since, note=note)
    _tell(place, claim_fix(folder, known, claimed), folder, since)


def _say(place: DataDir, mode: str, day: date | None, said: dict[str, Any]) -> None:
    from pipeline.failures.lifecycle.words import say_of_mode

    folder, known, since = _where(place, day)
    _tell(place, say_of_mode(folder, known, mode, since, **said), folder, since)


def _where(place: DataDir, day: date | None) -> tuple[Path, Known, date]:
    """The registry to write to, the modes of the lake, and the day."""
    from pipeline.failures.lifecycle.reading import known_modes
    from pipeline.lake import Lake

    own = place.root / "registry"
    if not own.is_dir():
        raise click.UsageError(
            f"{place.root} has no registry of its own, and the committed one is shared by others; "
            f"nothing was written. Copy it first: cp -r {COMMITTED / 'registry'} {own}"
        )
    return own, known_modes(Lake(place)), day or datetime.now(UTC).date()


def _tell(place: DataDir, written: Written, folder: Path, since: date) -> None:
    """Print what was written, and what makes it take effect."""
    from pipeline.lake import Lake
    from pipeline.tables import FAILURE_MODES, GRADES

    click.echo(f"Written to {folder / 'failure_modes.yaml'}:\n{written.text}", nl=False)
    for mode in written.retired:
        click.echo(f"The entry that {mode} had until then is kept, retired on {since}.")
    lake = Lake(place)
    days = [day for day in lake.windows(GRADES) if day.first >= since]
    weeks = [week for week in lake.windows(FAILURE_MODES) if week.days[-1].first >= since]
    if days or weeks:
        again = place.make("restate", since.isoformat())
        click.echo(f"Days or weeks from then on were run already. Next: {again}")
    else:
        click.echo(f"It holds for days and weeks that are run from then on, the first on {since}.")


def _print_row(frame: pl.DataFrame) -> None:
    from pipeline.cli.printing import print_frame

    filled = [column for column in frame.columns if frame[column].null_count() < frame.height]
    print_frame(frame.select(filled))
