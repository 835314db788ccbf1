"""What nobody planned for, on banking77 with 15 of 77 intents hidden: is it seen, and grouped?

The hidden intents are a seeded choice; the planned ones have the training questions as exemplars,
traffic is the test questions. Everything runs offline. Beside it the three embedders that were
weighed, as far as they are installed.
"""

from __future__ import annotations

import csv
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.embedding import Embedder, sentence_embedder, word_embedder
from pipeline.registry import Intent
from pipeline.sampling import evidence_of, held_out_evidence
from pipeline.unknown_intents.grouping import Groups, group_far
from pipeline.unknown_intents.novelty import calibrate, fit_novelty

__all__ = ["Banking", "Novel", "compare_novelty", "measure", "read_banking"]

_BANKING = Path(__file__).resolve().parents[3] / "shared" / "data" / "banking77"
_SEEDS = (7, 1, 2, 3)
_HIDDEN = 15
_FALSE_ALARMS = 0.1  # as in the settings


@dataclass(frozen=True)
class Banking:
    """Questions and intents: exemplars of the planned, traffic of all, and what is hidden."""

    exemplars: list[str]
    labels: list[str]
    traffic: list[str]
    truth: list[str]
    hidden: frozenset[str]

    @property
    def intents(self) -> list[Intent]:
        """The planned intents as the registry would hold them, without keywords or tools."""
        texts: dict[str, list[str]] = {}
        for text, label in zip(self.exemplars, self.labels, strict=True):
            texts.setdefault(label, []).append(text)
        return [
            Intent.model_construct(
                id=label, title=label, exemplars=tuple(said), keywords=(), tools=(),
                merged_into=None,
            )
            for label, said in texts.items()
        ]  # fmt: skip


@dataclass(frozen=True)
class Novel:
    """How well the hidden intents were told: areas and adjusted Rand index, 0 to 1."""

    auroc: float
    auroc_nearest: float
    ari: float
    groups: Groups
    false_alarms: float
    found: float


def read_banking(folder: Path, seed: int, per_intent: int | None, traffic: int | None) -> Banking:
    """Read the data, hide 15 intents by `seed`, and take so many exemplars and questions."""
    train, test = (_rows(folder / f"{name}.csv") for name in ("train", "test"))
    hidden = frozenset(random.Random(seed).sample(sorted({label for _, label in train}), _HIDDEN))
    draw = random.Random(1)
    by_label: dict[str, list[str]] = {}
    for text, label in train:
        if label not in hidden:
            by_label.setdefault(label, []).append(text)
    known = [
        (text, label)
        for label, texts in sorted(by_label.items())
        for text in (texts if per_intent is None else draw.sample(texts, per_intent))
    ]
    asked = test if traffic is None else draw.sample(test, traffic)
    return Banking(
        [text for text, _ in known], [label for _, label in known],
        [text for text, _ in asked], [label for _, label in asked], hidden,
    )  # fmt: skip


def measure(banking: Banking, embedder: Embedder) -> Novel:
    """Score the traffic, and group what is hidden."""
    from sklearn.metrics import adjusted_rand_score, roc_auc_score

    intents = banking.intents
    model = fit_novelty(
        _vectors(banking.exemplars, embedder), banking.labels, held_out_evidence(intents, embedder)
    )
    threshold = calibrate(model.held_out, _FALSE_ALARMS)
    traffic = _vectors(banking.traffic, embedder)
    scores = model.score(traffic, evidence_of(banking.traffic, intents, embedder))
    hidden = np.array([label in banking.hidden for label in banking.truth])
    _, near = model.parts(traffic)
    keys = sorted(np.flatnonzero(hidden), key=lambda row: banking.traffic[row])
    said = [banking.traffic[row] for row in keys]
    groups = group_far(model.view(traffic[keys]), said, model.cohesion().cut)
    return Novel(
        float(roc_auc_score(hidden, scores)),
        float(roc_auc_score(hidden, -near)),
        float(adjusted_rand_score([banking.truth[row] for row in keys], groups.labels)),
        groups,
        float((scores > threshold.value)[~hidden].mean()),
        float((scores > threshold.value)[hidden].mean()),
    )


def compare_novelty() -> None:
    """Print one line an embedder and seed."""
    print("\n== unknown intents: banking77, 15 of 77 intents hidden, offline ==")
    if not _BANKING.exists():
        print("no banking77 beside the checkout: left out")
        return
    for name, embedder in (("words", word_embedder()), ("sentences", sentence_embedder())):
        began, texts = time.perf_counter(), _rows(_BANKING / "test.csv")[:300]
        embedder.embed([text for text, _ in texts])
        rate = len(texts) / (time.perf_counter() - began)
        print(f"{name}: {rate:,.0f} texts/s")
        for seed in _SEEDS:
            found = measure(read_banking(_BANKING, seed, None, None), embedder)
            print(
                f"  seed {seed}: AUROC {found.auroc:.3f} (nearest exemplar alone "
                f"{found.auroc_nearest:.3f}); hidden in {found.groups.count} groups, ARI "
                f"{found.ari:.2f}; at {_FALSE_ALARMS:.0%} false alarms of exemplars "
                f"{found.false_alarms:.1%} of the planned and {found.found:.1%} of the hidden far"
            )
            sys.stdout.flush()


def _vectors(texts: Sequence[str], embedder: Embedder) -> np.ndarray:
    return embedder.embed(texts).astype(np.float64)


def _rows(path: Path) -> list[tuple[str, str]]:
    with open(path, encoding="utf-8") as handle:
        return [(row["text"], row["category"]) for row in csv.DictReader(handle)]


if __name__ == "__main__":
    compare_novelty()
