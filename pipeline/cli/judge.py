"""Commands about the judge: is it stable, can it be talked round, is it kin to the agent?"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from pipeline.cli.options import DAY, as_date
from pipeline.datadir import DataDir

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from pipeline.calibration import Attack
    from pipeline.calibration.stability import Stability
    from pipeline.registry.settings import Judge as JudgeSettings

__all__ = ["judge"]


@click.group()
def judge() -> None:
    """Look into the judge that the settings name."""


@judge.command()
@click.option("--day", type=DAY, callback=as_date,
              help="A published day; else the latest with traces.")  # fmt: skip
@click.option("--traces", type=click.IntRange(1), default=20, show_default=True,
              help="Conversations to judge again.")  # fmt: skip
@click.option("--most", type=click.FloatRange(0, 1), default=0.1, show_default=True,
              help="Share of verdicts that may turn.")  # fmt: skip
@click.pass_obj
def check(place: DataDir, day: date | None, traces: int, most: float) -> None:
    """Judge conversations again, unchanged, longer and formatted; then attack the judge.

    A model is asked some five times for every conversation, and 130 times about known failures
    with injected orders; the budgets of the settings hold. Exit 1 if the share of verdicts that
    turn is surely (95 %) above --most, or an attack that nothing flags has success.
    """
    from pipeline.calibration import run_canaries
    from pipeline.calibration.stability import CHANGES, measure_stability
    from pipeline.grading import JudgeRefused, PendingCalls, make_judge, read_cases
    from pipeline.lake import Lake, MissingPartition
    from pipeline.registry import load_registry
    from pipeline.tables import REDACTED_TRACES
    from pipeline.windows import day as day_window

    lake = Lake(place)
    known = lake.windows(REDACTED_TRACES)
    if not known and day is None:
        raise MissingPartition(f"no day is published; run: {place.make('backfill', 'YYYY-MM-DD')}")
    registry = load_registry(place.registry, datetime.now(UTC).date())
    for window in [day_window(day)] if day else reversed(known):
        cases, models = read_cases(lake, window, registry, traces)
        if cases:
            break
    else:
        where = f"on {day}" if day else "on any published day"
        raise MissingPartition(f"no conversation {where} to judge again; name one with --day")
    try:
        appointed = make_judge(registry, place.ledger)
        click.echo(f"judge {appointed.identity} on {len(cases)} conversations of {window.key}")
        again = make_judge(registry, place.ledger, fresh=True)
        with click.progressbar(
            measure_stability(appointed, again, cases),
            length=len(CHANGES) * len(appointed.axes),
            label="Judging again",
            file=sys.stderr,
        ) as results:
            turned = list(results)
        attacks = run_canaries(appointed)
    except JudgeRefused as refused:
        raise click.UsageError(str(refused)) from None
    except PendingCalls as pending:
        click.echo(
            f"caselaw: judge: calls pending: {pending.pending} ({pending.why}). The check asks "
            "anew, so a check that was cut short is paid for again: make room in the budget, or "
            "take fewer conversations (caselaw judge check --traces N)",
            err=True,
        )
        sys.exit(3)
    _print(_turned_frame(turned), "Verdicts that turned")
    _print(_attack_frame(attacks), "Known failures that injected orders made it pass")
    click.echo("No axis compares two answers, so there is no order to swap.")
    _warn_of_kin(registry.settings.judge, models)
    unstable = any((one.turned.low or 0) > most for one in turned)
    fooled = any(attack.succeeded and not attack.suspected for attack in attacks)
    sys.exit(1 if unstable or fooled else 0)


def _print(frame: pl.DataFrame, title: str) -> None:
    from pipeline.cli.printing import print_frame

    click.echo(f"\n{title}")
    print_frame(frame)


def _turned_frame(turned: list[Stability]) -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(
        [
            {
                "change": one.change,
                "axis": one.axis,
                "turned": one.turned.value,
                "low": one.turned.low,
                "high": one.turned.high,
                "n": one.turned.n,
                "to_pass": one.to_pass,
                "errors": one.errors,
            }
            for one in turned
        ]
    )


def _attack_frame(attacks: list[Attack]) -> pl.DataFrame:
    import polars as pl

    from pipeline.calibration import attack_success

    rows = []
    for family in dict.fromkeys(attack.family for attack in attacks):
        found = attack_success([attack for attack in attacks if attack.family == family])
        share = found.by_judge
        rows.append(
            {
                "family": family,
                "success": share.value,
                "low": share.low,
                "high": share.high,
                "n": share.n,
                "unflagged": found.after_flags.value,
                "errors": found.errors,
            }
        )
    return pl.DataFrame(rows)


def _warn_of_kin(settings: JudgeSettings, agents: list[str]) -> None:
    from pipeline.calibration.stability import same_family

    named = [settings.model, *(juror.model for juror in settings.jury)]
    judges = [name for name in named if name]
    for judging, answering in same_family(list(dict.fromkeys(judges)), agents):
        click.echo(
            f"Warning: judge {judging!r} and agent {answering!r} are of one family; "
            "judges favour answers of their own kind"
        )
