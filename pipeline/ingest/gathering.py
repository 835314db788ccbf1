"""A large day in shares: conversations spread over them, and their rows put together by key."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from pipeline.datadir import DataDir
from pipeline.files import is_alive, make_directory, replace_file
from pipeline.ingest.parts import BUCKETS, bucket_of
from pipeline.ingest.safety import safe_id

__all__ = ["read_rows", "scratch_folder", "spread", "write_rows"]

_SHARE_BYTES = 64 * 2**20


def spread(members: pl.DataFrame, content_key: bytes) -> tuple[pl.DataFrame, int]:
    """Add `share` to a plan's members, so that each share's records fit into memory.

    Shares follow the order of the key of `raw_traces`: one after the other they are the day. How
    many there are depends on the day's records alone, so that equal inputs give equal bytes.
    """
    total = int(members["bytes"].sum())
    shares = min(max(-(-total // _SHARE_BYTES), 1), BUCKETS)
    of = {
        conversation: bucket_of(str(safe_id(conversation, content_key))) * shares // BUCKETS
        for conversation in members["conversation"].unique().to_list()
    }
    column = pl.col("conversation").replace_strict(of, return_dtype=pl.Int64)
    return members.with_columns(column.alias("share")), shares


@contextmanager
def scratch_folder(place: DataDir) -> Iterator[Path]:
    """A private folder in the raw zone, removed at the end; those of killed processes go too."""
    make_directory(place.raw, private=True)
    for left in place.raw.glob(".assembling-*"):
        if not is_alive(int(left.name.split("-")[1])):
            shutil.rmtree(left, ignore_errors=True)
    folder = place.raw / f".assembling-{os.getpid()}-{os.urandom(4).hex()}"
    make_directory(folder, private=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_rows(scratch: Path, share: int, rows: pl.DataFrame) -> None:
    """Write the rows of a share."""
    with replace_file(scratch / f"rows-{share:04d}.parquet", 0o600, durable=False) as temporary:
        rows.write_parquet(temporary, compression="lz4", statistics=False)


def read_rows(scratch: Path) -> Iterator[pl.DataFrame]:
    """The rows of all shares in the order of their key, a share at a time."""
    for path in sorted(scratch.glob("rows-*.parquet")):
        yield pl.read_parquet(path, glob=False)
