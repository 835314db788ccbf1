"""What a user came for: the nearest planned intent, or `unknown` where none is near.

Evidence for an intent, all from the registry, none from other traces of the day:

    0.5 · cosine of the embedder to the intent's nearest exemplar   meaning, mostly English
  + 0.5 · cosine of character n-grams (TF-IDF over the exemplars)   wording, in every language
  + 0.15 where a keyword pattern hits                               what the team knows
  + 0.10 where a tool that points to the intent was called          settles what words leave open

The tools weigh little on purpose: an agent that picks the wrong tool must not thereby change what
the user wanted, or no check could see it. The best sum is the score; below
`sampling.unknown_below` the intent is `unknown`. Figures: README.md beside this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import re2
from numpy.typing import NDArray

from pipeline.embedding import Embedder
from pipeline.registry import UNKNOWN, Intent
from pipeline.sampling.conversations import Conversation

__all__ = [
    "Classified",
    "classify",
    "evidence_of",
    "held_out_evidence",
    "intent_targets",
    "opening",
]

_KEYWORD, _TOOL = 0.15, 0.10
_FEWEST_WORDS = 4  # a shorter first message is a greeting
_LONGEST = 2_000  # characters; what a user came for stands in the beginning

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Classified:
    """The intent of one trace and the evidence for it, up to 1."""

    intent: str
    score: float


def classify(
    conversations: Sequence[Conversation],
    intents: Sequence[Intent],
    embedder: Embedder,
    unknown_below: float,
) -> list[Classified]:
    """Name the intent of each conversation; a merged intent counts as the one it went into."""
    if not intents or not conversations:
        return [Classified(UNKNOWN, 0.0) for _ in conversations]
    texts = [opening(c.user) for c in conversations]
    evidence = _similarity(texts, intents, embedder)
    evidence += _KEYWORD * _keyword_hits(texts, intents)
    evidence += _TOOL * _tool_hits([c.tools for c in conversations], intents)
    evidence = np.minimum(evidence, 1.0).round(4)
    best = evidence.argmax(axis=1)  # the first of equals: the registry's order
    names = intent_targets(intents)
    found = [
        Classified(names[column], float(evidence[row, column])) for row, column in enumerate(best)
    ]
    return [c if c.score >= unknown_below else Classified(UNKNOWN, c.score) for c in found]


def opening(user: Sequence[str]) -> str:
    """What the user came with: the first message, and the next where that one is a greeting."""
    text = ""
    for message in user[:3]:
        text = f"{text} {message}".strip()
        if len(text.split()) >= _FEWEST_WORDS:
            break
    return text[:_LONGEST]


def _similarity(texts: Sequence[str], intents: Sequence[Intent], embedder: Embedder) -> Scores:
    """Texts by intents: the mean of both cosines to the intent's nearest exemplars."""
    exemplars = [text for intent in intents for text in intent.exemplars]
    starts = np.cumsum([0, *(len(intent.exemplars) for intent in intents[:-1])])
    meaning = _products(embedder.embed(texts), embedder.embed(exemplars))
    wording = _wording(texts, exemplars)
    return 0.5 * (
        np.maximum.reduceat(meaning, starts, axis=1) + np.maximum.reduceat(wording, starts, axis=1)
    )


def _products(rows: NDArray[Any], columns: NDArray[Any]) -> Scores:
    """Inner products, each summed in one order: with BLAS the batch could move the last bit."""
    product: Scores = np.einsum("id,jd->ij", rows, columns, optimize=False).astype(np.float64)
    return product


def _wording(texts: Sequence[str], exemplars: Sequence[str]) -> Scores:
    """Cosines of character n-grams within words, weighted over the exemplars alone."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
    known = grams.fit_transform(exemplars)
    cosines: Scores = (grams.transform(texts) @ known.T).toarray()
    return cosines


def _keyword_hits(texts: Sequence[str], intents: Sequence[Intent]) -> Scores:
    hits = np.zeros((len(texts), len(intents)))
    for column, intent in enumerate(intents):
        if intent.keywords:
            pattern = re2.compile("(?i)" + "|".join(f"(?:{word})" for word in intent.keywords))
            hits[:, column] = [pattern.search(text) is not None for text in texts]
    return hits


def _tool_hits(tools: Sequence[Sequence[str]], intents: Sequence[Intent]) -> Scores:
    pointing = [frozenset(intent.tools) for intent in intents]
    return np.array([[float(not of.isdisjoint(used)) for of in pointing] for used in tools])


def intent_targets(intents: Sequence[Intent]) -> list[str]:
    """The id each intent counts as; the registry has made sure that merges end somewhere."""
    merged = {intent.id: intent.merged_into for intent in intents}

    def end(name: str) -> str:
        onward = merged[name]
        return name if onward is None else end(onward)

    return [end(intent.id) for intent in intents]


def evidence_of(texts: Sequence[str], intents: Sequence[Intent], embedder: Embedder) -> Scores:
    """The best sum of each text, as `classify` scores a request without tools."""
    evidence = _similarity(texts, intents, embedder) + _KEYWORD * _keyword_hits(texts, intents)
    best: Scores = np.minimum(evidence, 1.0).max(axis=1).round(4)
    return best


def held_out_evidence(intents: Sequence[Intent], embedder: Embedder) -> Scores:
    """The best sum of each exemplar, in the registry's order, were it not an exemplar itself.

    As `classify` scores a request without tools, so that a threshold can be calibrated on it.
    """
    texts = [text for intent in intents for text in intent.exemplars]
    starts = np.cumsum([0, *(len(intent.exemplars) for intent in intents[:-1])])
    vectors = embedder.embed(texts)
    meaning, wording = _products(vectors, vectors), _wording(texts, texts)
    np.fill_diagonal(meaning, -1.0)
    np.fill_diagonal(wording, 0.0)
    near = 0.5 * (
        np.maximum.reduceat(meaning, starts, axis=1) + np.maximum.reduceat(wording, starts, axis=1)
    )
    evidence = np.minimum(near + _KEYWORD * _keyword_hits(texts, intents), 1.0)
    best: Scores = evidence.max(axis=1).round(4)
    return best
