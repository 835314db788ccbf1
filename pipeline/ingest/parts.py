"""The Parquet parts of the landing index: what they hold, and how they are laid out."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
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
    "decode_record",
    "write_table",
]

BUCKETS = 64
"""Records are laid out by a hash of their trace id, so that a large day is assembled in parts."""

_ONE_GROUP = 4096  # rows of a part below which it is not laid out by bucket
RECORDS = pa.schema(
    [
        ("kind", pa.string()),  # span, trace
        ("bucket", pa.uint8()),
        ("trace_id", pa.string()),
        ("span_id", pa.string()),
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
_decode_span = msgspec.msgpack.Decoder(Span).decode
_decode_trace = msgspec.msgpack.Decoder(Trace).decode
decode_event = msgspec.msgpack.Decoder(Event).decode


def bucket_of(trace_id: str) -> int:
    """The bucket of a trace id: ids that are hexadecimal stand in the order of their buckets."""
    try:
        return int(trace_id[:2], 16) * BUCKETS // 256 % BUCKETS  # an id may be -1
    except ValueError:
        return zlib.crc32(trace_id.encode()) % BUCKETS


def decode_record(kind: str, body: bytes) -> Span | Trace:
    """A record as the reader yielded it."""
    return _decode_span(body) if kind == "span" else _decode_trace(body)


def write_table(path: Path, table: pa.Table) -> None:
    """Write a table of the index; one with buckets is laid out by them."""
    buckets = "bucket" in table.schema.names
    with (
        replace_file(path, 0o600) as temporary,
        pq.ParquetWriter(
            temporary, table.schema, compression="lz4", use_dictionary=["kind"],
            write_statistics=["bucket"] if buckets else False,
        ) as writer,
    ):  # fmt: skip
        for group in _by_bucket(table) if buckets else [table]:
            writer.write_table(group)


def _by_bucket(table: pa.Table) -> Iterator[pa.Table]:
    """One row group a bucket, where the part is large enough to be worth it."""
    if table.num_rows <= _ONE_GROUP:
        yield table
        return
    ordered = table.take(pc.sort_indices(table["bucket"]))
    start = 0
    for run in pc.run_end_encode(ordered["bucket"].combine_chunks()).run_ends.to_pylist():
        yield ordered.slice(start, run - start)
        start = run
