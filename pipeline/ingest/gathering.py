"""A large day in shares: conversations spread over them, and their rows put together by key."""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from pipeline.datadir import DataDir
from pipeline.files import is_alive, make_directory, replace_file
from pipeline.ingest.shredding import BUCKETS, bucket_of

__all__ = ["read_rows_by_key", "scratch_folder", "spread", "write_rows"]

_SHARE_BYTES = 64 * 2**20


def spread(members: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Add `share` to a plan's members, so that each share's records fit into memory.

    How many there are depends on the day's records alone, so that equal inputs give equal bytes.
    """
    total = int(members["bytes"].sum())
    shares = min(max(-(-total // _SHARE_BYTES), 1), BUCKETS)
    of = {c: bucket_of(c) % shares for c in members["conversation"].unique().to_list()}
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
    """Write a share's rows, one row group for each first character of the id."""
    headed = rows.with_columns(pl.col("trace_id").str.head(1).alias("head"))
    with (
        replace_file(scratch / f"rows-{share:04d}.parquet", 0o600) as temporary,
        pq.ParquetWriter(temporary, headed.to_arrow().schema, compression="lz4") as writer,
    ):
        for _, group in headed.group_by("head", maintain_order=True):
            writer.write_table(group.to_arrow())


def read_rows_by_key(scratch: Path) -> Iterator[pl.DataFrame]:
    """The rows of all shares in the order of their key, those of one first character at a time."""
    groups: dict[str, list[tuple[Path, int]]] = defaultdict(list)
    for path in sorted(scratch.glob("rows-*.parquet")):
        with pq.ParquetFile(path) as parquet:
            for number in range(parquet.metadata.num_row_groups):
                head = parquet.read_row_group(number, ["head"])["head"][0].as_py()
                groups[head].append((path, number))
    for head in sorted(groups):
        found = [pl.from_arrow(pq.ParquetFile(p).read_row_group(n)) for p, n in groups[head]]
        frames = [frame.drop("head") for frame in found if isinstance(frame, pl.DataFrame)]
        yield pl.concat(frames).sort("trace_id")
