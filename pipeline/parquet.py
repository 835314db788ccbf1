"""A partition's Parquet file: written frame by frame, its provenance in the footer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.tables import SchemaError, Table

__all__ = ["conform_all", "count_rows", "write_frames"]


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
    """Write frames of one schema as row groups of one file."""
    writer: pq.ParquetWriter | None = None
    try:
        for rows in frames:
            arrow = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
            if writer is None:
                # Column statistics would put the smallest and largest text into the footer.
                numeric = [name for name, dtype in rows.schema.items() if dtype.is_numeric()]
                schema = pa.schema(arrow.schema, metadata=dict(footer))
                writer = pq.ParquetWriter(
                    path, schema, compression="zstd", write_statistics=numeric
                )
            writer.write_table(arrow.cast(writer.schema))
    finally:
        if writer is not None:
            writer.close()


def count_rows(path: Path) -> int:
    """The rows of a file, from its footer."""
    return int(pq.read_metadata(path).num_rows)
