from __future__ import annotations

import pytest

from pipeline.embedding import Embedder, offline_embedder


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The default embedder, which needs no network."""
    return offline_embedder()
