"""What a sentence means, by its nearest example: for wording that no lexicon lists."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.embedding import Embedder, Vectors, word_embedder
from pipeline.grading.lexicons import LANGUAGES, phrases
from pipeline.redaction.replacement.surrogates import SURROGATE

__all__ = ["leaning", "likeness", "likeness_to", "sense_identity"]

_CODES: Final = re.compile(r"\b[\w-]{0,60}\d[\w-]*\b")


def likeness(sentence: str, examples: str) -> float:
    """The cosine of `sentence` with its nearest example in the lists `examples`, 4 decimals.

    The lists (`kind_sentences`, ...) stand in `vocabulary/<language>.yaml`; an empty or
    unreadable sentence is like nothing: 0.
    """
    return likeness_to(sentence, _listed(examples))


def leaning(sentence: str, towards: str, against: str) -> float:
    """How much nearer `sentence` is to the examples `towards` than to those of `against`."""
    return round(likeness(sentence, towards) - likeness(sentence, against), 4)


@lru_cache(maxsize=65_536)
def likeness_to(sentence: str, examples: tuple[str, ...]) -> float:
    """The cosine of `sentence` with its nearest of `examples`, 4 decimals; numbers left out."""
    return round(float(np.max(_vectors(examples) @ _vector(sentence), initial=-1.0)), 4)


@lru_cache(maxsize=16_384)
def _vector(sentence: str) -> NDArray[np.float32]:
    """A sentence is held against several lists, and its vector costs more than all of them."""
    plain = _CODES.sub(" ", SURROGATE.sub(" ", sentence)).strip().lower()
    return _embedder().embed([plain])[0]  # type: ignore[no-any-return]


@cache
def sense_identity() -> str:
    """Name and version of the model: part of the identity of every grader that compares."""
    return _embedder().identity


@cache
def _listed(name: str) -> tuple[str, ...]:
    return tuple(text for code in LANGUAGES for text in phrases(code, name))


@lru_cache(maxsize=512)
def _vectors(examples: tuple[str, ...]) -> Vectors:
    return _embedder().embed([text.lower() for text in examples])


@cache
def _embedder() -> Embedder:
    return word_embedder()
