"""Runs the lineage over past windows without a daemon: `python -m assets.backfill --help`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime, timedelta

import click
from rich.console import Console
from rich.markup import escape

from assets.execution import Outcome, Runner, fail_abandoned_runs, sign_of_life
from assets.home import HistoryBroken, HomeRefused, open_instance, telling_of_history
from assets.parallel import WorkerGone, Workers, workers
from assets.plan import PUBLISH, Task, backfill, catch_up, restatement
from assets.progress import Display, display
from pipeline.datadir import DataDir
from pipeline.due import look_for_due
from pipeline.errors import SHOW_ERRORS, tell_error
from pipeline.ingest.index import IndexFailed
from pipeline.lake import Lake
from pipeline.os_errors import describe
from pipeline.registry import RegistryError, load_registry
from pipeline.retention import PastRetention, is_past, kept_from
from pipeline.tables import RAW_TRACES
from pipeline.windows import FIRST_DAY, days_between

__all__ = ["main", "run"]

FINE, FINDING, WRONG_USE, FAILED, INTERRUPTED = 0, 1, 2, 3, 130

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command(context_settings={"max_content_width": 100})
@click.option("--from", "first", type=_DAY, help="First day of a backfill.")
@click.option("--to", "last", type=_DAY, help="Last day; the first one if left out.")
@click.option("--restate", type=_DAY, help="Run again every later day and week that is there.")
@click.option("--missing", is_flag=True, help="Whatever should have been run by yesterday.")
@click.option("--publish", is_flag=True, help="Only the suite and the warehouse.")
@click.option("--parallel", default=1, type=click.IntRange(1, 64), help="Processes, a day each.")
def main(
    first: datetime | None,
    last: datetime | None,
    restate: datetime | None,
    missing: bool,
    publish: bool,
    parallel: int,
) -> None:
    """Run days week by week, close each week they complete, then publish suite and warehouse.

    Exit codes: 0 fine, 1 an asset check failed, 2 wrong use, 3 could not finish, 130 stopped.
    """
    place = DataDir.from_environment()
    try:
        load_registry(
            place.registry, datetime.now(UTC).date()
        )  # a broken registry is told before anything is loaded
        if missing:
            _require_one(first, restate, missing, publish)
            tasks = _missing(place)
        else:
            tasks = _plan(Lake(place), first, last, restate, publish)
    except RegistryError as error:
        raise click.UsageError(f"registry: {error}") from None
    except (PastRetention, IndexFailed, OSError) as error:
        told = describe(error) if isinstance(error, OSError) else str(error)
        click.echo(f"Error: {told}", err=True)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        click.echo("\nStopped; nothing was run.", err=True)
        sys.exit(INTERRUPTED)
    sys.exit(run(place, tasks, parallel, Console(stderr=True)) if tasks else FINE)


def _plan(
    lake: Lake,
    first: datetime | None,
    last: datetime | None,
    restate: datetime | None,
    publish: bool,
) -> list[Task]:
    _require_one(first, restate, publish)
    if publish:
        return [PUBLISH]
    if restate is not None:
        tasks = restatement(restate.date(), lake)
        if not tasks:
            raise click.UsageError(f"no day from {restate.date()} on was ever run")
        return tasks
    assert first is not None
    return _checked(first.date(), (last or first).date(), lake)


def _require_one(*given: object) -> None:
    if sum(bool(one) for one in given) != 1:
        raise click.UsageError("give one of --from (with --to), --restate, --missing and --publish")


def _missing(place: DataDir) -> list[Task]:
    """Say what is missing and why, and plan it; nothing where nothing is."""
    due = look_for_due(place, datetime.now(UTC).date())
    for line in due.told():
        click.echo(line, err=True)
    return catch_up(due.days, due.weeks, Lake(place)) if due else []


def _checked(first: date, last: date, lake: Lake) -> list[Task]:
    today = datetime.now(UTC).date()
    if not FIRST_DAY <= first <= last:
        raise click.UsageError(f"days run from {FIRST_DAY} on, and --to is not before --from")
    if last >= today:
        raise click.UsageError(
            f"{last} is not over; the last day that can be run is {today - timedelta(days=1)} (UTC)"
        )
    dropped = [day for day in days_between(first, last) if is_past(lake.place, day)]
    if dropped:
        raise click.UsageError(
            f"raw data from {dropped[0].key} to {dropped[-1].key} has passed its retention and was "
            "dropped; nothing was run, and what was published of those days stays. Begin with "
            f"FROM={kept_from(lake.place)}, or see privacy.retention_days in registry/settings.yaml"
        )
    return backfill(first, last, lake)


def run(place: DataDir, tasks: list[Task], parallel: int, console: Console) -> int:
    """Run `tasks` over the data directory, showing progress; return the exit code.

    Args:
        place: the data directory; its Dagster instance is made on first use.
        tasks: as `assets.plan` makes them.
        parallel: processes that share the days of a week; 1 runs them as one range.
        console: where progress, warnings and errors are printed.
    """
    try:
        with _stopped_by_sigterm():
            return _run(place, tasks, parallel, console)
    except KeyboardInterrupt:
        console.print("\nStopped; what was published stays. Run the same command to go on.")
        return INTERRUPTED
    except HomeRefused as error:
        told, code = str(error), WRONG_USE
    except OSError as error:
        told, code = describe(error), FAILED
    except (HistoryBroken, WorkerGone) as error:
        told, code = str(error), FAILED
    except Exception as error:  # no step that could tell
        if os.environ.get(SHOW_ERRORS) == "1":
            raise
        told, code = tell_error(error), FAILED
    console.print(f"[red]error:[/] {escape(told)}", soft_wrap=True)
    return code


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """Let SIGTERM stop what runs as Ctrl-C does, also where Dagster does not listen for it."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(place: DataDir, tasks: list[Task], parallel: int, console: Console) -> int:
    with console.status("loading the lineage"):
        from assets.definitions import build

        defs = build(place)
    failed_checks = 0
    with (
        telling_of_history(place),
        open_instance(place) as instance,
        sign_of_life(place.dagster) as sign,
        workers(place, parallel) if parallel > 1 else nullcontext() as others,
        display(console) as shown,
    ):
        if abandoned := fail_abandoned_runs(instance, place.dagster):
            console.print(
                f"runs that a killed process left unfinished: {abandoned}; marked as failed"
            )
        runner = Runner(defs, instance, sign)
        for position, task in enumerate(tasks):
            outcomes = _run_task(task, runner, others, shown)
            failed_checks += sum(len(outcome.failed_checks) for outcome in outcomes)
            if _tell(outcomes, console):
                left = ", ".join(str(rest) for rest in tasks[position + 1 :])
                not_run = f"[bold]Not run:[/] {left}. " if left else ""
                console.print(f"{not_run}Run the same command once it is mended.")
                return FAILED
    _point_to_later_days(place, tasks, console)
    return FINDING if failed_checks else FINE


def _point_to_later_days(place: DataDir, tasks: list[Task], console: Console) -> None:
    """A week that was closed anew is what the days after it were matched against."""
    closed = [window.days[-1] for task in tasks if task.job == "weekly" for window in task.windows]
    run_now = {day for task in tasks if task.job == "daily" for day in task.windows}
    later = [
        day
        for day in Lake(place).windows(RAW_TRACES)
        if closed and day > min(closed) and day not in run_now
    ]
    if later:
        console.print(
            f"{len(later)} later days were matched against the week as it was before. Bring them "
            f"up to date with: {place.make('restate', later[0].key)}",
            soft_wrap=True,
        )


def _run_task(task: Task, runner: Runner, others: Workers | None, shown: Display) -> list[Outcome]:
    shown.begin(task)
    if others is not None and len(task.windows) > 1:
        outcomes = []
        for day, outcome in others.run(task):
            shown.finished_day(day)
            outcomes.append(outcome)
    else:
        outcomes = [runner.run(task, shown.listen)]
    shown.end(failed=any(outcome.errors for outcome in outcomes))
    return outcomes


def _tell(outcomes: list[Outcome], console: Console) -> bool:
    """Print what went wrong; true if a run could not finish."""
    for outcome in outcomes:
        for text in outcome.warnings:
            console.print(f"[yellow]warning:[/] {escape(text)}", soft_wrap=True)
        for text in outcome.failed_checks:
            console.print(f"[red]check failed:[/] {escape(text)}", soft_wrap=True)
        for text in outcome.errors:
            told = f"[red]error:[/] {escape(text)} [dim](run {outcome.run_id})[/]"
            console.print(told, soft_wrap=True)  # a path or command stays in one piece
    return any(outcome.errors for outcome in outcomes)


if __name__ == "__main__":
    main()
