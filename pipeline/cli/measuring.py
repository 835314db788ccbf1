"""How well redaction works on texts that people have labelled: the table, or one JSON object."""

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
    from pipeline.redaction.quality.corpora import LabelledText
    from pipeline.redaction.quality.scoring import EntityScore, Miss, Scores
    from pipeline.redaction.spans import Span

__all__ = ["measure"]

_AT_ONCE = 200


def measure(place: DataDir, corpus: Path, thresholds: Path | None, as_json: bool) -> int:
    """Measure redaction under the registry's policy against a labelled corpus.

    Returns:
        The exit code: 0 fine, 1 a threshold is missed, 2 the corpus, policy or thresholds cannot
        be read, 4 the corpus has no label that a threshold asks for.
    """
    from pipeline.redaction import PolicyRefused, load_policy
    from pipeline.redaction.quality.corpora import CorpusError, read_corpus
    from pipeline.redaction.quality.scoring import Thresholds, ThresholdsRefused, judge, score

    try:
        wanted = Thresholds.read(thresholds) if thresholds else Thresholds()
        policy = load_policy(place.registry / "pii_policy.yaml")
        texts = read_corpus(corpus)
    except (CorpusError, PolicyRefused, ThresholdsRefused) as error:
        click.echo(f"caselaw redact: {error}", err=True)
        return 2
    scores = score(texts, _find(texts, policy))
    misses = judge(scores, wanted)
    if as_json:
        _print_json(scores, misses)
    else:
        _print_table(scores, len(texts))
        for miss in misses:
            measured = "nothing to measure" if miss.measured is None else f"{miss.measured:.4f}"
            click.echo(f"MISSED {miss.name}: {measured}, wanted {miss.wanted:g}")
        labels = {row.entity for row in scores.entities}
        if wanted.recall.keys() - labels:
            click.echo(f"Thresholds go by the labels of the corpus: {', '.join(sorted(labels))}")
    if not misses:
        return 0
    return 1 if any(miss.measured is not None for miss in misses) else 4


def _find(texts: Sequence[LabelledText], policy: PiiPolicy) -> list[Sequence[Span] | None]:
    """Detect in every text; progress goes to stderr."""
    from pipeline.redaction import FieldPolicy
    from pipeline.redaction.detection.detectors import Detectors
    from pipeline.redaction.notation.json_text import Leaf

    detectors = Detectors(policy, FieldPolicy())
    found: list[Sequence[Span] | None] = []
    with click.progressbar(length=len(texts), label="Detecting", file=sys.stderr) as bar:
        for start in range(0, len(texts), _AT_ONCE):
            part = [text.text for text in texts[start : start + _AT_ONCE]]
            detectors.read_ahead(Leaf((), text) for text in part)
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
