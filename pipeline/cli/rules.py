"""Commands about the deterministic rules: what there is, and whether each does as it says."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from pipeline.cli.kinds import parameter_lines
from pipeline.cli.options import DAY, as_date, counted
from pipeline.datadir import DataDir

if TYPE_CHECKING:
    from datetime import date

    from pipeline.grading.examples import ExampleRun
    from pipeline.registry import Registry, Rule

__all__ = ["rules"]


@click.group()
def rules() -> None:
    """List rules and their kinds, and run each rule on its examples."""


_ON = click.option(
    "--on", "day", type=DAY, callback=as_date, help="As of this day, else as of today."
)


@rules.command("ls")
@_ON
@click.pass_obj
def list_rules(place: DataDir, day: date | None) -> None:
    """Print each rule with its kind, severity, version and number of examples."""
    from pipeline.grading.rules import rule_identity

    for rule in _registry(place, day).rules:
        click.echo(
            f"{rule.id:<24} {rule.kind:<20} {rule.severity:<7} {rule_identity(rule):<18}"
            f"{counted(len(rule.examples), 'example'):<12} {rule.title}"
        )


@rules.command("test")
@click.argument("ids", nargs=-1)
@_ON
@click.pass_obj
def test_rules(place: DataDir, ids: tuple[str, ...], day: date | None) -> None:
    """Run each rule, or those of IDS, on the examples beside it in the YAML.

    Exit 1 if a rule gives another verdict than its example states, or has no example.
    """
    from pipeline.grading.examples import run_examples

    registry = _registry(place, day)
    known = {rule.id: rule for rule in registry.rules}
    unknown = [name for name in ids if name not in known]
    if unknown:
        raise click.UsageError(f"no rule {unknown[0]!r}; there are: {', '.join(known)}")
    chosen = [known[name] for name in ids] or list(registry.rules)
    runs = run_examples(registry, chosen)
    wrong = [run for run in runs if not run.holds]
    bare = [rule for rule in chosen if not rule.examples]
    for run in wrong:
        click.echo(_told(run))
    for rule in bare:
        click.echo(f"{rule.id}: has no example; add one that fails and one that passes")
    click.echo(_sum(chosen, runs, wrong))
    sys.exit(1 if wrong or bare else 0)


@rules.command("kinds")
@click.argument("kind", required=False)
def list_kinds(kind: str | None) -> None:
    """Print the kinds of rules, or the parameters of KIND: type, default and meaning."""
    from pipeline.registry.rules import KINDS

    known = {str(model.model_fields["kind"].default): model for model in KINDS}
    if kind is None:
        for name, model in known.items():
            click.echo(f"{name:<22} {(model.__doc__ or '').strip()}")
    elif kind in known:
        click.echo(f"{kind}: {(known[kind].__doc__ or '').strip()}")
        for line in parameter_lines(known[kind].model_json_schema()):
            click.echo(line)
    else:
        raise click.UsageError(f"no kind {kind!r}; there are: {', '.join(known)}")


def _told(run: ExampleRun) -> str:
    wanted: str = run.example.verdict
    if run.example.error_class:
        wanted += f" ({run.example.error_class})"
    got = run.finding.verdict + (f" ({run.finding.error_class})" if run.finding.error_class else "")
    return (
        f"{run.rule.id}, example {run.number}: {wanted} is stated, the rule says {got}: "
        f"{run.finding.reason}"
    )


def _sum(chosen: list[Rule], runs: list[ExampleRun], wrong: list[ExampleRun]) -> str:
    held = len(runs) - len(wrong)
    return f"{counted(len(chosen), 'rule')}, {counted(len(runs), 'example')}: {held} hold"


def _registry(place: DataDir, day: date | None) -> Registry:
    from pipeline.registry import load_registry

    return load_registry(place.registry, day or datetime.now(UTC).date())
