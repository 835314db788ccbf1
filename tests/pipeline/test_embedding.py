"""Vectors do not depend on what else is embedded with them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.embedding import offline_embedder

TEXTS = st.lists(st.text(max_size=60), min_size=1, max_size=6)


@given(TEXTS, TEXTS)
def test_a_text_has_one_vector_whatever_the_batch(texts: list[str], others: list[str]) -> None:
    alone = np.vstack([offline_embedder().embed([text]) for text in texts])
    assert np.array_equal(offline_embedder().embed(texts + others)[: len(texts)], alone)


@given(TEXTS)
def test_vectors_have_length_one_or_are_zero(texts: list[str]) -> None:
    lengths = np.linalg.norm(offline_embedder().embed(texts), axis=1)
    assert np.all((np.abs(lengths - 1) < 1e-5) | (lengths == 0))


def test_texts_of_one_meaning_lie_nearer_than_others() -> None:
    parcel, package, refund = offline_embedder().embed(
        ["where is my parcel?", "my package has not arrived yet", "I want my money back"]
    )
    assert parcel @ package > parcel @ refund


def test_what_is_no_valid_unicode_is_embedded_all_the_same() -> None:
    assert offline_embedder().embed(["broken \ud800 text", ""]).shape == (2, 256)
