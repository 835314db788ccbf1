"""Conversations that one stretch of a file tells whole: their rows are made as it is read.

Most traces lie together and are plain. Their rows wait in the index until a day asks for them, and
count only if nothing else in landing speaks of the trace; the records stay beside them for the
other case. A busy day is then put together without decoding a span twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
from pyarrow import ipc

from pipeline.datadir import DataDir
from pipeline.files import replace_file
from pipeline.ingest.index.landed import LandedFile, sound
from pipeline.ingest.index.tables import BUCKETS, bucket_of
from pipeline.ingest.records import Span, Trace
from pipeline.ingest.traces.columns import OPEN
from pipeline.ingest.traces.deduplication import UNUSABLE
from pipeline.ingest.traces.frames import keyed, open_rows
from pipeline.ingest.traces.labelling import relabelled
from pipeline.ingest.traces.plain import plain_trace

__all__ = ["read_ready", "read_ready_names", "ready_trace", "write_ready"]

_NAMES = ["trace_id", "session_id", "user_key"]
_WAITING = {"labels": "as they came"}
_NO_ROWS = pa.RecordBatch.from_pylist([], OPEN)


def ready_trace(
    spans: Sequence[Span], source: str, service: str | None, session: str | None
) -> Trace | None:
    """The conversation of spans that are plain, each there once; None for any others.

    Args:
        spans: those of one trace in a stretch of a file.
        source: the format they were read from.
        service: the service that they name.
        session: the session that they name.
    """
    if len({span.span_id for span in spans}) < len(spans):
        return None
    try:
        return plain_trace(spans, source=source, service=service, session=session)
    except UNUSABLE:
        return None


def write_ready(path: Path, traces: Iterable[Trace]) -> set[str]:
    """Write rows, a batch for each bucket of trace ids; returns the ids that have one.

    Without any there is no file. Arrow's own format, not compressed: with so many columns Parquet
    took a tenth of all time. (Not mapped into memory either: a file that is cut short meanwhile
    would end the process.) One table is built for all buckets: one for each took a twentieth.
    """
    made = open_rows(sorted(traces, key=_bucket))
    if not made.traces:
        return set()
    schema = OPEN.with_metadata(_WAITING) if made.waiting else OPEN
    table = made.table.combine_chunks().cast(schema)
    filled, start = Counter(map(_bucket, made.traces)), 0
    with (
        replace_file(path, 0o600, durable=False) as temporary,
        pa.OSFile(str(temporary), "wb") as sink,
        ipc.new_file(sink, schema) as writer,
    ):
        for bucket in range(BUCKETS):  # the number of a batch is that of its bucket
            rows = table.slice(start, filled[bucket])
            writer.write_batch(rows.to_batches()[0] if filled[bucket] else _NO_ROWS)
            start += filled[bucket]
    return {trace.trace_id for trace in made.traces}


def _bucket(trace: Trace) -> int:
    return bucket_of(trace.trace_id)


def read_ready(
    place: DataDir, files: Mapping[int, LandedFile], members: pl.DataFrame, content_key: bytes
) -> pl.DataFrame:
    """Rows of `raw_traces` for members that are ready.

    Args:
        place: the data directory.
        files: the landing files by their number in the plan.
        members: columns trace_id and file, the number of the one file that speaks of the trace.
        content_key: key of the digests of session and user.
    """
    buckets = sorted({bucket_of(trace_id) for trace_id in members["trace_id"]})
    tables, origins = [OPEN.empty_table()], list[str]()
    for number in members["file"].unique().sort():
        for path in files[number].tables(place, "ready"):
            table = _read(path, buckets)
            waiting = b"labels" in (table.schema.metadata or {})
            tables.append(relabelled(table, content_key) if waiting else table)
            origins += [files[number].sha256] * table.num_rows
    rows = pl.from_arrow(pa.concat_tables(tables))
    assert isinstance(rows, pl.DataFrame)
    wanted = pl.col("trace_id").is_in(members["trace_id"].implode())
    origin = pl.concat_list(pl.Series(origins, dtype=pl.String)).alias("source_files")
    return keyed(rows.with_columns(origin).filter(wanted), content_key)


def read_ready_names(
    place: DataDir, files: Mapping[int, LandedFile], members: pl.DataFrame
) -> pl.DataFrame:
    """Ids of members that are ready, as they landed: columns trace_id, session_id, user_key."""
    buckets = sorted({bucket_of(trace_id) for trace_id in members["trace_id"]})
    paths = [p for n in members["file"].unique().sort() for p in files[n].tables(place, "ready")]
    tables = [_read(path, buckets, _NAMES) for path in paths]
    rows = pl.from_arrow(pa.concat_tables([OPEN.empty_table().select(_NAMES), *tables]))
    assert isinstance(rows, pl.DataFrame)
    return rows.filter(pl.col("trace_id").is_in(members["trace_id"].implode()))


def _read(path: Path, buckets: Iterable[int], columns: Sequence[str] = OPEN.names) -> pa.Table:
    fields = [OPEN.get_field_index(name) for name in columns]
    options = ipc.IpcReadOptions(included_fields=fields if list(columns) != OPEN.names else None)
    with (
        sound(path),
        pa.OSFile(str(path)) as source,
        ipc.open_file(source, options=options) as reader,
    ):
        batches = [reader.get_batch(bucket) for bucket in buckets]
        schema = pa.schema([OPEN.field(n) for n in fields], reader.schema.metadata)
        return pa.Table.from_batches(batches, schema)
