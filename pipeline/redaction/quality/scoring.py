"""How well the redactor finds what people marked: recall by entity, precision, and thresholds.

A labelled value is found when at least half of its characters are masked, whatever the mask is
called: what reaches a judge is the text. The strict measure asks for every letter and digit.
A masked span is right when at least half of its characters are labelled, under any label. Labels
are taken to be complete, so personal data that a corpus leaves unmarked lowers the precision.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.estimation import Estimate, wilson
from pipeline.redaction.quality.corpora import MEANING, LabelledText
from pipeline.redaction.spans import Span

__all__ = ["EntityScore", "Miss", "Scores", "Thresholds", "ThresholdsRefused", "judge", "score"]

Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, slots=True)
class EntityScore:
    """What became of the labels of one type.

    Attributes:
        recall: share of which half of the characters or more are masked.
        strict: share of which every letter and digit is masked.
        named: among those found, the share masked under a type that means the same.
    """

    entity: str
    recall: Estimate
    strict: Estimate
    named: Estimate


@dataclass(frozen=True, slots=True)
class Scores:
    """The whole table.

    Attributes:
        entities: one row a type of label, the most frequent first.
        precision: share of masked spans of which half is labelled.
        precision_chars: share of masked characters that are labelled.
        masked_without_labels: share of characters masked in the texts that have no label; None
            where there is no such text.
        unlabelled_chars: how many characters those texts have.
        failed: texts that no detector could finish; a trace with such a text is quarantined.
    """

    entities: tuple[EntityScore, ...]
    precision: Estimate
    precision_chars: float | None
    masked_without_labels: float | None
    unlabelled_chars: int
    failed: int


class ThresholdsRefused(ValueError):
    """A file of thresholds cannot be used; the message names the field."""


class Thresholds(BaseModel):
    """What the scores must reach.

    Attributes:
        recall: the least recall by label.
        precision: the least share of masked spans that are labelled.
        masked_without_labels: the largest share of characters masked where nothing is labelled.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    recall: Mapping[str, Share] = Field(default_factory=dict)
    precision: Share = 0.0
    masked_without_labels: Share = 1.0

    @classmethod
    def read(cls, path: Path) -> Thresholds:
        """Read a YAML file.

        Raises:
            ThresholdsRefused: it is missing, no YAML, has other fields, or asks for nothing.
        """
        try:
            wanted = cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
        except OSError as error:
            raise ThresholdsRefused(f"{str(path)!r} cannot be read: {error.strerror}") from None
        except yaml.YAMLError:
            raise ThresholdsRefused(f"{str(path)!r} is no YAML") from None
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise ThresholdsRefused(f"{str(path)!r}: {where}: {first['msg']}") from None
        if wanted == cls():
            fields = ", ".join(cls.model_fields)
            raise ThresholdsRefused(f"{str(path)!r} asks for nothing; it may state {fields}")
        return wanted


@dataclass(frozen=True, slots=True)
class Miss:
    """A threshold that was not met; `measured` is None where there was nothing to measure."""

    name: str
    measured: float | None
    wanted: float


_NO_MEANING: Final[frozenset[str]] = frozenset()


def score(texts: Sequence[LabelledText], found: Iterable[Sequence[Span] | None]) -> Scores:
    """Compare what was masked with what is labelled.

    Args:
        texts: the corpus.
        found: the merged spans of each text, in the same order; None where detection failed.

    Returns:
        Scores with Wilson's 95 % intervals; a failed text has neither hits nor false alarms.
    """
    of: dict[str, Counter[str]] = {}
    right = spans_seen = chars_right = chars_masked = failed = idle = idle_masked = 0
    for text, spans in zip(texts, found, strict=True):
        if spans is None:
            failed += 1
            continue
        masked = {i for span in spans for i in range(span.start, span.end)}
        labelled = {i for label in text.labels for i in range(label.start, label.end)}
        for label in text.labels:
            place = range(label.start, label.end)
            hit = 2 * sum(i in masked for i in place) >= len(place)
            counts = of.setdefault(label.entity, Counter())
            counts["n"] += 1
            counts["hit"] += hit
            counts["whole"] += all(i in masked for i in place if text.text[i].isalnum())
            meant = MEANING.get(label.entity, _NO_MEANING) | {label.entity}
            counts["named"] += hit and any(
                span.entity in meant
                for span in spans
                if span.start < label.end and span.end > label.start
            )
        spans_seen += len(spans)
        right += sum(
            2 * sum(i in labelled for i in range(s.start, s.end)) >= s.end - s.start for s in spans
        )
        chars_masked += len(masked)
        chars_right += len(masked & labelled)
        if not text.labels:
            idle += len(text.text)
            idle_masked += len(masked)
    rows = [
        EntityScore(
            entity,
            recall=wilson(c["hit"], c["n"]),
            strict=wilson(c["whole"], c["n"]),
            named=wilson(c["named"], c["hit"]),
        )
        for entity, c in sorted(of.items(), key=lambda item: (-item[1]["n"], item[0]))
    ]
    return Scores(
        tuple(rows),
        precision=wilson(right, spans_seen),
        precision_chars=chars_right / chars_masked if chars_masked else None,
        masked_without_labels=idle_masked / idle if idle else None,
        unlabelled_chars=idle,
        failed=failed,
    )


def judge(scores: Scores, wanted: Thresholds) -> list[Miss]:
    """List the thresholds that `scores` do not meet, and those they say nothing of."""
    recall = {row.entity: row.recall.value for row in scores.entities}
    asked = [
        (f"recall of {name}", recall.get(name), least) for name, least in wanted.recall.items()
    ]
    if wanted.precision:
        asked.append(("precision", scores.precision.value, wanted.precision))
    misses = [Miss(*one) for one in asked if one[1] is None or one[1] < one[2]]
    most, share = wanted.masked_without_labels, scores.masked_without_labels
    if most < 1 and (share is None or share > most):
        misses.append(Miss("characters masked without labels", share, most))
    return misses
