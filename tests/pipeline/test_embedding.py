"""Vectors do not depend on what else is embedded with them, nor on when or beside what."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.embedding import Embedder, SentenceVectors, sentence_embedder, word_embedder

TEXTS = st.lists(st.text(max_size=60), min_size=1, max_size=6)
ASKED = [
    "where is my parcel?",
    "Where is my parcel? The courier says that it was handed over on Monday, nobody has it.",
    "Ich möchte mein Geld zurück",
    "ok",
    "A che punto è il mio ordine? " * 40,
]

both = pytest.mark.parametrize("load", [word_embedder, sentence_embedder])


@both
@settings(deadline=None, max_examples=50)
@given(texts=TEXTS, others=TEXTS)
def test_a_text_has_one_vector_whatever_the_batch(
    load: Callable[[], Embedder], texts: list[str], others: list[str]
) -> None:
    alone = np.vstack([load().embed([text]) for text in texts])
    assert np.array_equal(load().embed(texts + others)[: len(texts)], alone)


@both
@settings(deadline=None, max_examples=50)
@given(texts=TEXTS)
def test_vectors_have_length_one_or_are_zero(
    load: Callable[[], Embedder], texts: list[str]
) -> None:
    lengths = np.linalg.norm(load().embed(texts), axis=1)
    assert np.all((np.abs(lengths - 1) < 1e-5) | (lengths == 0))


def test_neither_what_was_embedded_before_nor_threads_move_a_bit_of_a_sentence() -> None:
    # one that has read nothing yet, so that no vector comes from memory
    expected = SentenceVectors().embed(ASKED)
    assert np.array_equal(SentenceVectors().embed(ASKED[::-1])[::-1], expected)
    fresh = SentenceVectors()
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(lambda text: fresh.embed([text])[0], ASKED))
    assert np.array_equal(np.vstack(rows), expected)


@both
def test_texts_of_one_meaning_lie_nearer_than_others(load: Callable[[], Embedder]) -> None:
    parcel, package, refund = load().embed(
        ["where is my parcel?", "my package has not arrived yet", "I want my money back"]
    )
    assert parcel @ package > parcel @ refund


def test_sentences_are_nearer_by_what_they_mean_than_words_are() -> None:
    asked, meant, shares = (
        "the vase was shattered when it got here",
        "my item arrived damaged",
        "the courier was here when it got dark",
    )
    # measured: words 0.258 - 0.238, sentences 0.420 - 0.183
    margins = []
    for embedder in (word_embedder(), sentence_embedder()):
        one, same, other = embedder.embed([asked, meant, shares])
        margins.append(float(one @ same - one @ other))
    assert margins[0] < 0.05 < 0.2 < margins[1]


@both
def test_what_is_no_valid_unicode_is_embedded_all_the_same(load: Callable[[], Embedder]) -> None:
    broken, empty = load().embed(["broken \ud800 text", ""])
    assert np.linalg.norm(broken) == pytest.approx(1)
    assert not empty.any()


def test_no_texts_have_no_vectors() -> None:
    assert word_embedder().embed([]).shape == (0, 256)
    assert sentence_embedder().embed([]).shape == (0, 384)
