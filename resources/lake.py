"""Hands the lake of one data directory to assets."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from pipeline.datadir import DataDir
from pipeline.lake import Lake

__all__ = ["LakeResource"]


class LakeResource(dg.ConfigurableResource):
    """The lake (and, as its `place`, every other room) of the data directory `data_dir`."""

    data_dir: str

    def open(self) -> Lake:
        """Open it; nothing is read or written yet."""
        return Lake(DataDir(Path(self.data_dir)))
