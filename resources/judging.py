"""Hands the judge that a day's settings ask for to assets."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from pipeline.datadir import DataDir
from pipeline.grading import Judge, make_judge
from pipeline.registry import Registry

__all__ = ["JudgeResource"]


class JudgeResource(dg.ConfigurableResource):
    """The judge of the data directory `data_dir`; which one, its settings say."""

    data_dir: str

    def appoint(self, registry: Registry) -> Judge:
        """The judge of this state of the registry; the ledger caches and counts its calls."""
        return make_judge(registry, DataDir(Path(self.data_dir)).ledger)
