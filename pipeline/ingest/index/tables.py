"""The Parquet parts of the landing index: what they hold, and how they are laid out."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.files import replace_file
from pipeline.ingest.records import Event, Span, Trace

__all__ = [
    "BUCKETS",
    "EVENTS",
    "MALFORMED",
    "RECORDS",
    "TRACES",
    "bucket_of",
    "decode_event",
    "decode_lines",
    "decode_records",
    "read_buckets",
    "write_records",
    "write_rows",
]

BUCKETS = 64
"""Records are laid out by a hash of their trace id, so that a large day is assembled in parts."""

_ONE_GROUP = 512  # rows of a part below which it is not laid out by bucket
RECORDS = pa.schema(
    [
        (
            "kind",
            pa.string(),
        ),  # spans (those of one trace), lines (how many, and where they lie), trace
        ("bucket", pa.uint8()),
        ("trace_id", pa.string()),
        ("span_ids", pa.string()),  # joined by line breaks
        ("body", pa.binary()),
    ]
)
TRACES = pa.schema(
    [
        ("trace_id", pa.string()),
        ("start", pa.int64()),  # microseconds since 1970, as all times here
        ("end", pa.int64()),
        ("records", pa.int64()),
        ("bytes", pa.int64()),
        ("timed", pa.bool_()),
        ("service", pa.string()),  # of several records that name it the lowest rank wins:
        ("session", pa.string()),  # both are "rank<TAB>value", so the smallest text
        ("ready", pa.bool_()),  # its row stands in the part's table `ready`
    ]
)
EVENTS = pa.schema(
    [
        ("trace_id", pa.string()),
        ("span_id", pa.string()),
        ("session", pa.string()),
        ("time", pa.int64()),
        ("body", pa.binary()),
    ]
)
MALFORMED = pa.schema(
    [
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("offset", pa.int64()),
        ("length", pa.int64()),
        ("payload", pa.binary()),
        ("attempts", pa.int64()),
    ]
)
decode_lines = msgspec.msgpack.Decoder(list[int]).decode
_decode_spans = msgspec.msgpack.Decoder(list[Span]).decode
_decode_trace = msgspec.msgpack.Decoder(Trace).decode
decode_event = msgspec.msgpack.Decoder(Event).decode


def bucket_of(trace_id: str) -> int:
    """The bucket of a trace id: ids that are hexadecimal stand in the order of their buckets."""
    try:
        return int(trace_id[:2], 16) * BUCKETS // 256 % BUCKETS  # an id may be -1
    except ValueError:
        return zlib.crc32(trace_id.encode()) % BUCKETS


def decode_records(kind: str, body: bytes) -> list[Span] | list[Trace]:
    """Records of one trace as the reader yielded them."""
    return _decode_spans(body) if kind == "spans" else [_decode_trace(body)]


def read_buckets(path: Path, buckets: Collection[int], columns: Sequence[str]) -> pa.Table:
    """The rows of a part that may be of these buckets: whole row groups, others among them."""
    meta, borders = _layout(path)
    chosen = [n for n, (low, high) in enumerate(borders) if any(low <= b <= high for b in buckets)]
    with pq.ParquetFile(path, metadata=meta) as parquet:
        return parquet.read_row_groups(chosen, columns, use_threads=False)


@lru_cache(maxsize=4096)
def _layout(path: Path) -> tuple[pq.FileMetaData, tuple[tuple[int, int], ...]]:
    """A part's footer, and the lowest and highest bucket of its row groups.

    Every share of a large day asks again; a part is named by its content and never changes.
    """
    meta = pq.read_metadata(path)
    at = [meta.row_group(0).column(n).path_in_schema for n in range(meta.num_columns)]
    bucket = at.index("bucket")
    seen = [meta.row_group(n).column(bucket).statistics for n in range(meta.num_row_groups)]
    return meta, tuple((found.min, found.max) for found in seen)


def write_records(path: Path, rows: Sequence[tuple[str, str, str, bytes]]) -> None:
    """Write rows of RECORDS, laid out by bucket: kind, trace id, span ids, body."""
    ordered = sorted((bucket_of(row[1]), *row) for row in rows)
    buckets, kinds, ids, span_ids, bodies = zip(*ordered, strict=True)
    columns = (kinds, buckets, ids, span_ids, bodies)
    arrays = [pa.array(c, f.type) for c, f in zip(columns, RECORDS, strict=True)]
    table = pa.Table.from_arrays(arrays, schema=RECORDS)
    with _writer(path, RECORDS) as writer:
        for start, end in _groups(buckets):
            writer.write_table(table.slice(start, end - start))


def _groups(buckets: Sequence[int]) -> Iterator[tuple[int, int]]:
    """One row group a bucket, where there are enough rows to be worth it."""
    if len(buckets) <= _ONE_GROUP:
        yield 0, len(buckets)
        return
    start = 0
    for _, run in groupby(buckets):
        end = start + sum(1 for _ in run)
        yield start, end
        start = end


def write_rows(path: Path, schema: pa.Schema, rows: Iterable[Sequence[Any]]) -> None:
    """Write a table of the index that has no buckets."""
    columns = zip(*rows, strict=True)
    arrays = [pa.array(c, field.type) for c, field in zip(columns, schema, strict=True)]
    with _writer(path, schema) as writer:
        writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


@contextmanager
def _writer(path: Path, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    numbered = [name for name in ("bucket",) if name in schema.names]
    with (
        replace_file(path, 0o600, durable=False) as temporary,
        pq.ParquetWriter(
            temporary, schema, compression="lz4", use_dictionary=["kind"],
            write_statistics=numbered or False,
        ) as writer,
    ):  # fmt: skip
        yield writer
