"""Signatures as vectors: a third what the words mean, two thirds which codes they are.

Meaning alone joins `missing_citation` to `invented_citation`, which people keep apart; codes
alone see nothing in common between a rule and its successor under a new name. So the cosine of
two vectors is about

    0.35 * cosine of the word vectors + 0.65 * (summed weight of equal codes / of those given)

with the weights below, the words of what went wrong outweighing those of where. Titles and
reasons stay out: what all descriptions share tells nothing apart, and a signature must have one
vector on every day. Measured on the pairs of tests/pipeline/failures/test_vectors.py: one kind
of failure in two intents 0.72 to 0.84, two kinds in one intent 0.34 to 0.66; the thresholds in
the settings lie between. tests/bench/likeness.py compares this with the words of the reasons, alone
and together, on 18,000 labelled pairs: they add nothing (docs/failure-modes.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.embedding import Embedder
from pipeline.failures.signatures import Signature, words

__all__ = ["CODE_WEIGHTS", "Matrix", "centre", "signature_vectors"]

Matrix = NDArray[np.float64]

CODE_WEIGHTS = {"check": 0.30, "error_class": 0.40, "intent": 0.20, "subject": 0.10}
"""How much two equal codes bring failures together; a code that both lack counts for nothing."""

_CODES = 0.65  # share of the codes in a vector, the rest is meaning
_WHAT = 0.70  # share of what went wrong in the meaning, the rest is where
_BITS = 512  # two unlike codes then have a cosine of 0 +- 0.04


def signature_vectors(signatures: Sequence[Signature], embedder: Embedder) -> Matrix:
    """Return unit vectors of shape (len(signatures), embedder's dimensions + 512)."""
    what = _embed([(found.error_class, found.check) for found in signatures], embedder)
    where = _embed([(found.subject, found.intent) for found in signatures], embedder)
    meaning = _unit(np.sqrt(_WHAT) * what + np.sqrt(1 - _WHAT) * where)
    codes = np.zeros((len(signatures), _BITS))
    for row, signature in enumerate(signatures):
        for field, weight in CODE_WEIGHTS.items():
            if code := getattr(signature, field):
                codes[row] += np.sqrt(weight) * _signs(field, code)
    halves = [np.sqrt(1 - _CODES) * meaning, np.sqrt(_CODES) * _unit(codes)]
    return np.round(_unit(np.hstack(halves)), 6)


def centre(vectors: Matrix) -> Matrix:
    """The unit vector in the middle of `vectors` (rows), 4 decimals."""
    mean: Matrix = np.round(_unit(vectors.mean(axis=0, keepdims=True))[0], 4)
    return mean


def _embed(codes: Sequence[tuple[str, str]], embedder: Embedder) -> Matrix:
    texts = [" ".join(dict.fromkeys(" ".join(map(words, pair)).split())) for pair in codes]
    return embedder.embed(texts).astype(np.float64)


def _signs(field: str, code: str) -> Matrix:
    """A pseudo-random corner of the unit cube for one code of one field."""
    raw = hashlib.blake2b(f"{field}={code}".encode(), digest_size=_BITS // 8).digest()
    bits = np.unpackbits(np.frombuffer(raw, dtype=np.uint8)).astype(np.float64)
    corner: Matrix = (2 * bits - 1) / np.sqrt(_BITS)
    return corner


def _unit(vectors: Matrix) -> Matrix:
    lengths = np.sqrt(np.square(vectors).sum(axis=1, keepdims=True))
    scaled: Matrix = vectors / np.maximum(lengths, 1e-12)
    return scaled
