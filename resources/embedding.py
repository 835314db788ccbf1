"""Hands embedders to assets: offline ones, and for failures the model that settings name."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from pipeline.datadir import DataDir
from pipeline.embedding import Embedder, sentence_embedder, word_embedder
from pipeline.failures import RemoteVectors
from pipeline.registry import Registry

__all__ = ["EmbedderResource"]


class EmbedderResource(dg.ConfigurableResource):
    """Texts to vectors; what users wrote never leaves the machine for it."""

    data_dir: str

    def sentences(self) -> Embedder:
        """Load the vectors for what users write, once a process."""
        return sentence_embedder()

    def words(self, registry: Registry) -> Embedder:
        """The vectors for descriptions of failures: offline, unless settings name a model."""
        settings = registry.settings.failures
        if settings.embedding_model is None:
            return word_embedder()
        ledger = DataDir(Path(self.data_dir)).ledger
        return RemoteVectors(settings.embedding_model, settings.embedding_api_base, ledger)
