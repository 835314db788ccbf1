"""Hands the offline embedder to assets."""

from __future__ import annotations

import dagster as dg

from pipeline.embedding import Embedder, offline_embedder

__all__ = ["EmbedderResource"]


class EmbedderResource(dg.ConfigurableResource):
    """Texts to vectors without a network."""

    def load(self) -> Embedder:
        """Load the vectors, once a process."""
        return offline_embedder()
