"""A landing file, read once: its records as Parquet that any day can pick its own from."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from msgspec.structs import replace

from pipeline.files import replace_file
from pipeline.ingest.dialects import session_of
from pipeline.ingest.jsontext import KEPT_BYTES
from pipeline.ingest.readers import Reader
from pipeline.ingest.records import Event, Malformed, Span, Trace
from pipeline.ingest.source import Source, Unreadable
from pipeline.ingest.telling import is_content
from pipeline.windows import FIRST_DAY

__all__ = ["BUCKETS", "Shredded", "bucket_of", "decode_event", "decode_record", "shred"]

BUCKETS = 64
"""Records are laid out by a hash of their trace id, so that a large day is assembled in parts."""

_PART_BYTES = 32 * 2**20
_PART_ROWS = 200_000
_ONE_GROUP = 4096  # rows of a part below which it is not laid out by bucket
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_EARLIEST = datetime.combine(FIRST_DAY, datetime.min.time(), UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400_000_000  # microseconds
_NOTHING = "~"  # sorts after every rank

_RECORDS = pa.schema(
    [
        ("kind", pa.string()),  # span, trace
        ("bucket", pa.uint8()),
        ("trace_id", pa.string()),
        ("span_id", pa.string()),
        ("start", pa.int64()),  # microseconds since 1970, as all times here
        ("body", pa.binary()),
    ]
)
_TRACES = pa.schema(
    [
        ("trace_id", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("records", pa.int64()),
        ("bytes", pa.int64()),
        ("rooted", pa.bool_()),  # a root, or a whole conversation, is among them
        ("timed", pa.bool_()),
        ("service", pa.string()),  # of several records that name it the lowest rank wins:
        ("session", pa.string()),  # both are "rank<TAB>value", so the smallest text
    ]
)
_EVENTS = pa.schema(
    [
        ("trace_id", pa.string()),
        ("span_id", pa.string()),
        ("session", pa.string()),
        ("time", pa.int64()),
        ("body", pa.binary()),
    ]
)
_MALFORMED = pa.schema(
    [
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("offset", pa.int64()),
        ("length", pa.int64()),
        ("payload", pa.binary()),
        ("attempts", pa.int64()),
    ]
)
_encode = msgspec.msgpack.Encoder(order="sorted").encode
_decode_span = msgspec.msgpack.Decoder(Span).decode
_decode_trace = msgspec.msgpack.Decoder(Trace).decode
decode_event = msgspec.msgpack.Decoder(Event).decode


class Shredded(msgspec.Struct):
    """What a file, or one process's share of it, held."""

    records: int = 0
    events: int = 0
    malformed: int = 0
    reasons: dict[str, int] = msgspec.field(default_factory=dict)
    days: list[str] = msgspec.field(default_factory=list)
    first_event: int | None = None


def bucket_of(trace_id: str) -> int:
    """The bucket of a trace id, the same on every machine."""
    return zlib.crc32(trace_id.encode()) % BUCKETS


def decode_record(kind: str, body: bytes) -> Span | Trace:
    """A record as the reader yielded it."""
    return _decode_span(body) if kind == "span" else _decode_trace(body)


def shred(reader: Reader, source: Source, folder: Path, label: str) -> Shredded:
    """Read `source` and write `<table>-<label>-<n>.parquet` files into `folder`.

    Records of one file are laid out by bucket; a table that stays empty has no file. Memory stays
    at some 100 MB whatever the file's size.
    """
    pile = _Pile(folder, label, source.day)
    try:
        for record in reader.read(source):
            pile.add(record)
    except Unreadable as error:
        pile.add(Malformed(error.reason, error.detail, 0, 0, b""))
    return pile.finish()


class _Pile:
    """Collects rows, and writes them out as parts of a bounded size."""

    def __init__(self, folder: Path, label: str, day: date | None) -> None:
        self._folder, self._label, self._part = folder, label, 0
        self._day, self._moved = day, dict[str, timedelta]()
        self._total, self._reasons, self._days = Shredded(), Counter[str](), set[int]()
        self._begin()

    def _begin(self) -> None:
        self._bytes = 0
        self._rows: list[tuple[str, int, str, str | None, int, bytes]] = []
        self._traces: dict[str, list[Any]] = {}
        self._events: list[tuple[Any, ...]] = []
        self._malformed: list[tuple[Any, ...]] = []

    def add(self, record: Span | Event | Trace | Malformed) -> None:
        """Take one record; one that cannot be stored or lies outside of time is malformed."""
        try:
            if isinstance(record, Span):
                self._add_span(record)
            elif isinstance(record, Trace):
                self._add_trace(record)
            elif isinstance(record, Event):
                self._add_event(record)
            else:
                self._add_malformed(record)
        except (OverflowError, UnicodeEncodeError, TypeError, ValueError, RecursionError) as error:
            detail = f"a value that cannot be stored ({type(error).__name__})"
            self._add_malformed(Malformed("bad_value", detail, 0, 0, b""))
        if self._bytes >= _PART_BYTES or len(self._rows) >= _PART_ROWS:
            self._write()

    def _add_span(self, span: Span) -> None:
        if not _EARLIEST <= span.start < _LATEST:
            moved = self._move(span.trace_id, span.start)
            if moved is None:
                self._add_malformed(_out_of_range(span))
                return
            span = replace(span, start=span.start + moved, end=span.end + moved,
                           flags=span.flags | {"time_moved"})  # fmt: skip
        session = session_of(span.attributes) or session_of(span.resource)
        service = span.resource.get("service.name") or span.attributes.get("service.name")
        begin, end = _micros(span.start), _micros(span.end)
        rooted = span.parent_id is None
        place = "0" if span.envelope else "1" if rooted else "2"
        rank = f"{place}{begin:020d}{span.span_id}"
        size = self._add_row("span", span, begin)
        self._note(span.trace_id, begin, end, rooted, True, service, session, rank, size)

    def _add_trace(self, trace: Trace) -> None:
        if not _EARLIEST <= trace.started_at < _LATEST:
            moved = self._move(trace.trace_id, trace.started_at)
            if moved is None:
                self._add_malformed(_out_of_range(trace))
                return
            trace = replace(trace, started_at=trace.started_at + moved,
                            ended_at=trace.ended_at + moved,
                            flags=trace.flags | {"time_moved"})  # fmt: skip
        begin, end = _micros(trace.started_at), _micros(trace.ended_at)
        size = self._add_row("trace", trace, begin)
        session = trace.session_id
        rank = f"0{begin:020d}"
        service = trace.service
        self._note(trace.trace_id, begin, end, True, trace.timed, service, session, rank, size)

    def _move(self, trace_id: str, start: datetime) -> timedelta | None:
        """By how many days a trace from outside of all partitions goes to the day given by hand."""
        if self._day is None:
            return None
        return self._moved.setdefault(trace_id, self._day - start.date())

    def _add_row(self, kind: str, record: Span | Trace, begin: int) -> int:
        body = _encode(record)
        span_id = record.span_id if isinstance(record, Span) else None
        bucket = bucket_of(record.trace_id)
        self._rows.append((kind, bucket, record.trace_id, span_id, begin, body))
        self._bytes += len(body)
        self._total.records += 1
        return len(body)

    def _note(
        self, trace_id: str, begin: int, end: int, rooted: bool, timed: bool,
        service: Any, session: str | None, rank: str, size: int = 0,
    ) -> None:  # fmt: skip
        """Add a record to what is known of its trace."""
        self._days.add(begin // _DAY)
        service = _NOTHING if service is None else f"{rank}\t{service}"
        session = _NOTHING if session is None else f"{rank}\t{session}"
        known = self._traces.get(trace_id)
        if known is None:
            count = int(size > 0)  # an event is no record of its own
            known = [trace_id, begin, end, count, size, rooted, timed, service, session]
            self._traces[trace_id] = known
            return
        known[1], known[2] = min(known[1], begin), max(known[2], end)
        known[3], known[4] = known[3] + (size > 0), known[4] + size
        known[5], known[6] = known[5] or rooted, known[6] and timed
        known[7], known[8] = min(known[7], service), min(known[8], session)

    def _add_event(self, event: Event) -> None:
        time = _micros(event.time) if event.time else None
        session = session_of(event.attributes)
        if event.trace_id is not None and time is not None and is_content(event.name):
            # A trace may be known from its log records alone.
            self._note(event.trace_id, time, time, False, True, None, session, "3")
        self._events.append((event.trace_id, event.span_id, session, time, _encode(event)))
        self._bytes += len(self._events[-1][-1])
        self._total.events += 1
        if time is not None:
            self._total.first_event = min(time, self._total.first_event or time)

    def _add_malformed(self, record: Malformed) -> None:
        row = (record.reason, record.detail, record.offset, record.length,
               record.payload[:KEPT_BYTES], record.attempts)  # fmt: skip
        self._malformed.append(row)
        self._bytes += len(row[4])
        self._reasons[record.reason] += 1
        self._total.malformed += 1

    def finish(self) -> Shredded:
        """Write what is left."""
        self._write()
        self._total.reasons = dict(sorted(self._reasons.items()))
        self._total.days = [_day(number) for number in sorted(self._days)]
        return self._total

    def _write(self) -> None:
        name = f"{self._label}-{self._part:04d}.parquet"
        self._part += 1
        for table, schema, rows in (
            ("records", _RECORDS, self._rows),
            ("traces", _TRACES, list(self._traces.values())),
            ("events", _EVENTS, self._events),
            ("malformed", _MALFORMED, self._malformed),
        ):
            if rows:
                _write_rows(self._folder / f"{table}-{name}", schema, rows)
        self._begin()


def _write_rows(path: Path, schema: pa.Schema, rows: list[Any]) -> None:
    columns = [pa.array(c, f.type) for c, f in zip(zip(*rows, strict=True), schema, strict=True)]
    table = pa.table(columns, schema=schema)
    with (
        replace_file(path, 0o600) as temporary,
        pq.ParquetWriter(
            temporary, schema, compression="lz4", use_dictionary=["kind"],
            write_statistics=["bucket"] if "bucket" in schema.names else False,
        ) as writer,
    ):  # fmt: skip
        for group in _by_bucket(table) if "bucket" in schema.names else [table]:
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


def _out_of_range(record: Span | Trace) -> Malformed:
    raw = msgspec.json.encode(record)
    detail = (
        f"its time lies before {FIRST_DAY} or after the year 2099; "
        "land the file again with --day YYYY-MM-DD to move it there"
    )
    return Malformed("time_out_of_range", detail, 0, len(raw), raw)


def _micros(instant: datetime) -> int:
    gone = instant - _EPOCH
    return (gone.days * 86_400 + gone.seconds) * 1_000_000 + gone.microseconds


def _day(number: int) -> str:
    return (_EPOCH + timedelta(days=number)).date().isoformat()
