from __future__ import annotations

import pytest

from pipeline.embedding import Embedder, word_embedder


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The default embedder, which needs no network."""
    return word_embedder()
