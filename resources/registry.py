"""Hands the registry to assets, as it stood at the end of any window."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path

import dagster as dg

from pipeline.datadir import DataDir
from pipeline.registry import Registry, load_registry
from pipeline.windows import Window

__all__ = ["RegistryResource"]

Stamp = tuple[tuple[str, int, int], ...]


class RegistryResource(dg.ConfigurableResource):
    """The registry of the data directory `data_dir`, else the committed one."""

    data_dir: str

    def as_of(self, window: Window) -> Registry:
        """Read the registry as of the last day of `window`; unchanged files are read once.

        Raises:
            RegistryError: naming the file, the line and the field.
        """
        folder = DataDir(Path(self.data_dir)).registry
        return _load(folder, window.days[-1].first, _stamp(folder))


def _stamp(folder: Path) -> Stamp:
    """Changes whenever a file of the registry does."""
    found = [(path.name, path.stat()) for path in sorted(folder.glob("*.yaml"))]
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in found)


@lru_cache(maxsize=64)
def _load(folder: Path, instant: date, stamp: Stamp) -> Registry:
    return load_registry(folder, instant)
