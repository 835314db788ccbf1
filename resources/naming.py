"""Hands the model that names failure modes to assets, where settings name one."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from pipeline.datadir import DataDir
from pipeline.failures import ModelNamer
from pipeline.registry import Registry

__all__ = ["NamerResource"]


class NamerResource(dg.ConfigurableResource):
    """Names for new modes; the ledger of the data directory `data_dir` keeps what it said."""

    data_dir: str

    def of(self, registry: Registry) -> ModelNamer | None:
        """The model of this state of the registry; None where terms name modes."""
        if registry.settings.failures.naming_model is None:
            return None
        return ModelNamer(registry.settings, DataDir(Path(self.data_dir)).ledger)
