"""Hands the offline embedders to assets."""

from __future__ import annotations

import dagster as dg

from pipeline.embedding import Embedder, sentence_embedder, word_embedder

__all__ = ["EmbedderResource"]


class EmbedderResource(dg.ConfigurableResource):
    """Texts to vectors without a network."""

    def sentences(self) -> Embedder:
        """Load the vectors for what users write, once a process."""
        return sentence_embedder()

    def words(self) -> Embedder:
        """Load the vectors for descriptions written by code, once a process."""
        return word_embedder()
