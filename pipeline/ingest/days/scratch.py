"""Where the shares of a large day wait until they are published."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.datadir import DataDir
from pipeline.files import is_alive, make_directory

__all__ = ["rows_file", "scratch_folder", "sweep_scratch"]


def rows_file(scratch: Path, share: int) -> Path:
    """Where the rows of a share lie."""
    return scratch / f"rows-{share:04d}.parquet"


@contextmanager
def scratch_folder(place: DataDir) -> Iterator[Path]:
    """A private folder in the raw zone, removed at the end; those of killed processes go too."""
    make_directory(place.raw, private=True)
    sweep_scratch(place)
    folder = place.raw / f".assembling-{os.getpid()}-{os.urandom(4).hex()}"
    make_directory(folder, private=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep_scratch(place: DataDir) -> None:
    """Remove the folders that killed processes left."""
    for left in place.raw.glob(".assembling-*"):
        if not is_alive(int(left.name.split("-")[1])):
            shutil.rmtree(left, ignore_errors=True)
