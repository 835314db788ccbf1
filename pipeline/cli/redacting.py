"""`caselaw redact`: how well redaction works on texts that people have labelled."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.options import counted
from pipeline.datadir import DataDir

if TYPE_CHECKING:
    from pipeline.redaction import PiiPolicy
    from pipeline.redaction.corpora import LabelledText
    from pipeline.redaction.scoring import EntityScore, Miss, Scores
    from pipeline.redaction.spans import Span

__all__ = ["redact"]

_AT_ONCE = 200
_POLICY = "pii_policy.yaml"


@click.command()
@click.option("--eval", "corpus", type=click.Path(dir_okay=False, path_type=Path), required=True,
              metavar="CORPUS", help="Labelled texts: JSON, or JSON lines (.jsonl).")  # fmt: skip
@click.option("--thresholds", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="YAML with what must be reached; exit 1 where it is not.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
@click.pass_obj
def redact(place: DataDir, corpus: Path, thresholds: Path | None, as_json: bool) -> None:
    """Measure redaction under the registry's policy against a labelled corpus.

    A record has `full_text` or `text`, and `spans`: objects with entity_type, start_position and
    end_position (or label, start, end), or lists [start, end, label]. A record without spans is a
    text without personal data. Nothing of the texts is printed or kept.

    Exit codes: 0 fine, 1 a threshold is missed, 2 the corpus, policy or thresholds cannot be
    read, 4 the corpus has no label that a threshold asks for.
    """
    from pipeline.redaction import PolicyRefused, load_policy
    from pipeline.redaction.corpora import CorpusError, read_corpus
    from pipeline.redaction.scoring import Thresholds, ThresholdsRefused, judge, score

    try:
        wanted = Thresholds.read(thresholds) if thresholds else Thresholds()
        policy = load_policy(place.registry / _POLICY)
        texts = read_corpus(corpus)
    except (CorpusError, PolicyRefused, ThresholdsRefused) as error:
        click.echo(f"caselaw redact: {error}", err=True)
        sys.exit(2)
    scores = score(texts, _find(texts, policy))
    misses = judge(scores, wanted)
    if as_json:
        _print_json(scores, misses)
    else:
        _print_table(scores, len(texts))
        for miss in misses:
            measured = "nothing to measure" if miss.measured is None else f"{miss.measured:.4f}"
            click.echo(f"MISSED {miss.name}: {measured}, wanted {miss.wanted:g}")
    if misses:
        sys.exit(1 if any(miss.measured is not None for miss in misses) else 4)


def _find(texts: Sequence[LabelledText], policy: PiiPolicy) -> list[Sequence[Span] | None]:
    """Detect in every text; progress goes to stderr."""
    from pipeline.redaction import FieldPolicy
    from pipeline.redaction.detecting import Detectors

    detectors = Detectors(policy, FieldPolicy())
    found: list[Sequence[Span] | None] = []
    with click.progressbar(length=len(texts), label="Detecting", file=sys.stderr) as bar:
        for start in range(0, len(texts), _AT_ONCE):
            part = [text.text for text in texts[start : start + _AT_ONCE]]
            detectors.read_ahead(part)
            for text in part:
                try:
                    found.append(detectors.find(text))
                except Exception:  # counted, as its trace would be quarantined
                    found.append(None)
            bar.update(len(part))
    return found


def _print_table(scores: Scores, texts: int) -> None:
    import polars as pl

    from pipeline.cli.printing import print_frame

    print_frame(pl.DataFrame([_row(entity) for entity in scores.entities]))
    precision = scores.precision
    click.echo()
    if precision.value is not None:
        click.echo(
            f"precision: {precision.value:.4f} [{precision.low:.4f}, {precision.high:.4f}] of "
            f"{counted(precision.n, 'masked span')}, {scores.precision_chars or 0:.4f} of their "
            "characters; what the corpus leaves unlabelled counts as wrong"
        )
    if scores.masked_without_labels is not None:
        click.echo(
            f"masked where nothing is labelled: {scores.masked_without_labels:.4f} of "
            f"{counted(scores.unlabelled_chars, 'character')}"
        )
    click.echo(
        f"{counted(texts, 'text')}, {scores.failed} failed (a trace with such a text is "
        "quarantined). Found: half of a label's characters masked, under any type; strict: all; "
        "named: of those found, under a type that means the same. Intervals: Wilson, 95 %."
    )


def _row(score: EntityScore) -> dict[str, str | int | float | None]:
    recall = score.recall
    return {
        "label": score.entity,
        "n": recall.n,
        "found": recall.value,
        "95 %": f"{recall.low or 0:.3f} to {recall.high or 0:.3f}",
        "strict": score.strict.value,
        "named": score.named.value,
    }


def _print_json(scores: Scores, misses: Sequence[Miss]) -> None:
    import orjson

    value = dataclasses.asdict(scores) | {"missed": [dataclasses.asdict(miss) for miss in misses]}
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
