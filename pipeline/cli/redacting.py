"""`caselaw redact`: try the policy out before a run does, and measure it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

import click

from pipeline.cli.options import counted
from pipeline.cli.rotating import key_errors
from pipeline.datadir import DataDir

__all__ = ["redact"]


@click.command()
@click.option("--check", is_flag=True, help="Run the tests beside the patterns of the policy.")
@click.option("--text", type=click.File(encoding="utf-8"),
              help="Redact a text or a JSON record; - is stdin.")  # fmt: skip
@click.option("--eval", "corpus", type=click.Path(dir_okay=False, path_type=Path), metavar="CORPUS",
              help="Measure on labelled texts: JSON, or JSON lines (.jsonl).")  # fmt: skip
@click.option("--thresholds", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="With --eval: YAML with what must be reached.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="With --eval: one JSON object.")
@click.pass_obj
def redact(
    place: DataDir,
    check: bool,
    text: IO[str] | None,
    corpus: Path | None,
    thresholds: Path | None,
    as_json: bool,
) -> None:
    """Try `registry/pii_policy.yaml` out before a run does, or measure it on texts.

    A record of a corpus has `full_text` or `text`, and `spans`: objects with entity_type,
    start_position and end_position (or label, start, end), or lists [start, end, label]. A record
    without spans is a text without personal data. Nothing of the texts is printed or kept.

    Exit codes: 0 fine, 1 a pattern fails its tests, the text would be quarantined or a threshold
    is missed, 2 a file cannot be read, 4 the corpus has no label that a threshold asks for.
    """
    if check + (text is not None) + (corpus is not None) != 1:
        raise click.UsageError("say one: --check, --text FILE (- is stdin) or --eval CORPUS")
    if corpus is None and (thresholds or as_json):
        raise click.UsageError("--thresholds and --json go with --eval")
    if corpus is not None:
        from pipeline.cli.measuring import measure

        sys.exit(measure(place, corpus, thresholds, as_json))
    with key_errors():
        sys.exit(_check(place) if text is None else _redact(place, _read(text)))


def _read(text: IO[str]) -> str:
    try:
        return text.read()
    except UnicodeDecodeError:
        raise click.UsageError(
            f"{text.name!r} is not UTF-8; convert it first: iconv -f WINDOWS-1252 -t UTF-8"
        ) from None


def _check(place: DataDir) -> int:
    from pipeline.redaction.policy.reading import load_policies
    from pipeline.redaction.policy.trying import check_policy

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
    from pipeline.redaction.policy.trying import redact_text
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
