"""A partition's Parquet file: written frame by frame, its provenance in the footer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar, cast

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.tables import SchemaError, Table

__all__ = ["conform_all", "count_rows", "write_frames"]

_T = TypeVar("_T")
_DICTIONARY = 2**16  # bytes: texts that are all different are not sought in a larger one


def conform_all(table: Table, frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Conform every frame to the table; they come in the order of its key.

    Raises:
        SchemaError: a frame does not fit, or begins before the one before it ends.
    """
    last: tuple[object, ...] | None = None
    for frame in frames:
        rows = table.conform(frame)
        if rows.is_empty():
            continue
        first = rows.select(table.key).row(0)
        if last is not None and not first > last:
            raise SchemaError(f"{table.name}: frames out of the order of the key {table.key}")
        last = rows.select(table.key).row(-1)
        yield rows
    if last is None:
        yield table.empty()


def write_frames(path: Path, frames: Iterable[pl.DataFrame], footer: Mapping[str, str]) -> None:
    """Write frames of one schema as row groups of one file, each made while the last is written."""
    writer: pq.ParquetWriter | None = None
    try:
        for rows in _ahead(_arrow(rows, footer) for rows in frames):
            if writer is None:
                # Column statistics would put the smallest and largest text into the footer.
                numbers = (pa.types.is_integer, pa.types.is_floating)
                numeric = [f.name for f in rows.schema if any(is_a(f.type) for is_a in numbers)]
                writer = pq.ParquetWriter(
                    path,
                    rows.schema,
                    compression="zstd",
                    write_statistics=numeric,
                    dictionary_pagesize_limit=_DICTIONARY,
                )
            writer.write_table(rows)
    finally:
        if writer is not None:
            writer.close()


def _arrow(rows: pl.DataFrame, footer: Mapping[str, str]) -> pa.Table:
    arrow = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
    return arrow.replace_schema_metadata(dict(footer))


def _ahead(items: Iterator[_T]) -> Iterator[_T]:
    """The same items, each made by a thread while the one before it is in use."""
    with ThreadPoolExecutor(1) as pool:
        end = object()
        waiting = pool.submit(next, items, end)
        while (item := waiting.result()) is not end:
            waiting = pool.submit(next, items, end)
            yield cast(_T, item)


def count_rows(path: Path) -> int:
    """The rows of a file, from its footer."""
    return int(pq.read_metadata(path).num_rows)
