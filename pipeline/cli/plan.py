"""The command that says what a backfill will ask of the judge, before it is done."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from pipeline.cli.options import DAY, as_date, counted
from pipeline.datadir import DataDir
from pipeline.windows import days_between

if TYPE_CHECKING:
    from datetime import date

    from pipeline.grading.forecast import DayForecast, Price
    from pipeline.registry.settings import Judge as JudgeSettings
    from pipeline.windows import Window

__all__ = ["plan"]

_SUNDAY = 6  # weeks run from Monday


@click.command()
@click.option("--from", "first", type=DAY, callback=as_date,
              help="First day; without it, whatever is missing.")  # fmt: skip
@click.option("--to", "last", type=DAY, callback=as_date, help="Last day; else the first one.")
@click.pass_obj
def plan(place: DataDir, first: date | None, last: date | None) -> None:
    """Say how many calls of the judge a backfill will make, and what they will cost.

    Without a day it first says what should have been run by now and was not, or not to its end,
    and what was made before something that it depends on has changed.

    Nothing is run and nobody is asked. Days that this judge has graded cost nothing again, since
    its answers are kept; of the others an estimate is printed, and what it rests on. A week that
    the days complete also asks about known failures with injected orders, once a judge.
    """
    import polars as pl

    from pipeline.calibration import missing_canaries
    from pipeline.cli.printing import print_frame
    from pipeline.due import LATE
    from pipeline.grading import JudgeRefused, make_judge
    from pipeline.grading.forecast import call_price, forecast_days
    from pipeline.lake import Lake
    from pipeline.registry import load_registry

    today = datetime.now(UTC).date()
    if first is None:
        if last is not None:
            raise click.UsageError("--to takes --from")
        due = _missing(place, today)
        if not due:
            return
        windows = list(due)
        late = [window for window, why in due.items() if why == LATE]
    else:
        last = last or first
        if not first <= last < today:
            raise click.UsageError("--to is not before --from, and no later than yesterday (UTC)")
        windows, late = list(days_between(first, last)), []
    lake = Lake(place)
    days = [(day, load_registry(place.registry, day)) for day in windows]
    registry = days[-1][1]
    try:
        judge = make_judge(registry, place.ledger)
        price = call_price(lake, registry, judge)
    except JudgeRefused as refused:
        raise click.UsageError(str(refused)) from None
    found = forecast_days(lake, days, judge, price, _landed(place), late)
    closes_week = any(window.first.weekday() == _SUNDAY for window, _ in days)
    canaries = missing_canaries(judge) if closes_week else 0
    print_frame(pl.DataFrame([vars(one) for one in found]), fold=False)
    click.echo(f"\n{_sum(found, canaries)} Judge: {judge.identity}. {_basis(price)}")
    if price.usd:
        total = sum(one.usd or 0 for one in found) + canaries * price.usd
        click.echo(_budgets(total, registry.settings.judge))
    span = (str(first), str(last)) if first else ()
    click.echo(f"Run it with: {place.make('backfill', *span)}")


def _missing(place: DataDir, today: date) -> dict[Window, str]:
    """Print what is missing and what is outdated; returns the days that are missing, and why."""
    from pipeline.cli.landing import reading_bar
    from pipeline.due import look_for_due
    from pipeline.made_from import outdated

    with reading_bar() as progress:
        due = look_for_due(place, today, progress)
    for line in due.told():
        click.echo(line)
    run_anyway = due.days.keys() | due.weeks.keys()
    old = {one: changed for one, changed in outdated(place).items() if one not in run_anyway}
    if old:
        weeks = sum(window.unit == "week" for window in old)
        many = [counted(n, what) for n, what in ((len(old) - weeks, "day"), (weeks, "week")) if n]
        what = ", ".join(sorted({one for changed in old.values() for one in changed}))
        earliest = min(window.first for window in old).isoformat()
        click.echo(
            f"Made before this changed ({what}): {' and '.join(many)}, from {earliest} on. Bring "
            f"them up to date, if you wish, with: {place.make('restate', earliest)}"
        )
    if due and not due.days:
        click.echo(f"Run it with: {place.make('backfill')}")
    elif due:
        click.echo("")
    return due.days


def _landed(place: DataDir) -> dict[str, int] | None:
    """The days that landing files tell of, and the records of these files; None if one is unread.

    A file that tells of several days counts whole on each: what is said is an upper bound.
    """
    from pipeline.ingest.index import lying_and_known

    days: dict[str, int] = {}
    for _, _, file in lying_and_known(place):
        if file is None:
            return None
        for day in {*file.days, file.fallback_day}:
            days[day] = days.get(day, 0) + file.records
    return days


def _sum(found: list[DayForecast], canaries: int) -> str:
    calls = sum(one.calls or 0 for one in found)
    open_ones = sum(one.calls is None for one in found)
    more = f", and of {counted(open_ones, 'day')} nobody knows how many" if open_ones else ""
    told = f"About {counted(calls, 'call')} in {counted(len(found), 'day')}{more}."
    if not canaries:
        return told
    return f"{told} And {counted(canaries, 'call')} about known failures, when the week is closed."


def _basis(price: Price) -> str:
    if price.usd is None:
        return "What a call costs is known once a day has been graded."
    if price.usd == 0 and not price.n:
        return "It costs nothing."
    if price.n:
        return f"A call costs {price.usd:.4f} USD, the mean of {price.n} answered ones."
    return f"A call costs {price.usd:.4f} USD at most, by the length of the latest conversations."


def _budgets(total: float, settings: JudgeSettings) -> str:
    least = min(settings.budget_usd_per_run, settings.budget_usd_per_day)
    told = f"About {total:.2f} USD in all; the budgets allow {least:g} a run"
    if total > least:
        runs = -(-total // least) if least else 0
        return f"{told}, so it will stop and ask to be run again, about {int(runs)} times."
    return f"{told}."
