"""`caselaw redact`: try the policy out before a run does."""

from __future__ import annotations

import os
import sys
from typing import IO

import click

from pipeline.cli.options import counted
from pipeline.cli.rotating import key_errors
from pipeline.datadir import DataDir

__all__ = ["redact"]


@click.command()
@click.option("--check", is_flag=True, help="Run the tests beside the patterns of the policy.")
@click.option("--text", type=click.File(), help="Redact a text or a JSON record; - is stdin.")
@click.pass_obj
def redact(place: DataDir, check: bool, text: IO[str] | None) -> None:
    """Try `registry/pii_policy.yaml` out before a run does.

    Exit codes: 0 fine, 1 a pattern fails its tests or the text would be quarantined.
    """
    if check == (text is not None):
        raise click.UsageError("say what: --check, or --text FILE (- is stdin)")
    with key_errors():
        sys.exit(_check(place) if text is None else _redact(place, text.read()))


def _check(place: DataDir) -> int:
    from pipeline.redaction.policy_file import load_policies
    from pipeline.redaction.trying import check_policy

    path = place.registry / "pii_policy.yaml"
    findings = list(check_policy(path))
    for finding in findings:
        click.echo(finding)
    states = load_policies(path)
    patterns = {pattern.name for _, policy in states for pattern in policy.patterns}
    click.echo(
        f"{path}: {counted(len(patterns), 'pattern')} of your own in "
        f"{counted(len(states), 'dated state')}, {counted(len(findings), 'finding')}"
    )
    return 1 if findings else 0


def _redact(place: DataDir, text: str) -> int:
    from pipeline.lake import Lake
    from pipeline.redaction import load_key, load_policy
    from pipeline.redaction.trying import redact_text
    from pipeline.tables import REDACTED_TRACES

    policy = load_policy(place.registry / "pii_policy.yaml")
    # Made here only where nothing was redacted yet; a lost key is not made anew beside its days.
    fresh = not Lake(place).windows(REDACTED_TRACES)
    key = load_key(place.keys / "surrogate.key", os.environ, create=fresh)
    shown, redaction = redact_text(text, policy, key)
    if redaction.failure:
        click.echo(f"quarantined: {redaction.failure} ({redaction.detail})", err=True)
        return 1
    click.echo(shown)
    counts = ", ".join(f"{entity} {n}" for entity, n in redaction.entity_counts.items())
    click.echo(counts or "nothing personal found", err=True)
    return 0
