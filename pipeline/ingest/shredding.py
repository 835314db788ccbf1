"""A landing file, read once: its records as Parquet that any day can pick its own from."""

from __future__ import annotations

from array import array
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
from msgspec.structs import replace

from pipeline.ingest.collecting import collector_paused
from pipeline.ingest.dialects import is_unnamed, session_of
from pipeline.ingest.jsontext import KEPT_BYTES
from pipeline.ingest.parts import EVENTS, MALFORMED, RECORDS, TRACES, bucket_of, write_table
from pipeline.ingest.readers import Reader
from pipeline.ingest.records import Event, Malformed, Record, Span, Trace
from pipeline.ingest.safety import folded
from pipeline.ingest.source import Source, Unreadable
from pipeline.ingest.structure import is_app_root
from pipeline.ingest.telling import is_content
from pipeline.windows import FIRST_DAY

__all__ = ["Shredded", "shred"]

_PART_BYTES = 32 * 2**20
_PART_ROWS = 200_000
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_EARLIEST = datetime.combine(FIRST_DAY, datetime.min.time(), UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400_000_000  # microseconds
_NOTHING = "~"  # sorts after every rank

_encoder = msgspec.msgpack.Encoder()


class Shredded(msgspec.Struct):
    """What a file, or one process's share of it, held."""

    records: int = 0
    events: int = 0
    malformed: int = 0
    reasons: dict[str, int] = msgspec.field(default_factory=dict)
    days: list[str] = msgspec.field(default_factory=list)
    first_event: int | None = None
    last_event: int | None = None
    untimed_events: int = 0

    def plus(self, other: Shredded) -> Shredded:
        """Both together."""
        earliest = [e for e in (self.first_event, other.first_event) if e is not None]
        latest = [e for e in (self.last_event, other.last_event) if e is not None]
        return Shredded(
            self.records + other.records,
            self.events + other.events,
            self.malformed + other.malformed,
            dict(sorted((Counter(self.reasons) + Counter(other.reasons)).items())),
            sorted({*self.days, *other.days}),
            min(earliest, default=None),
            max(latest, default=None),
            self.untimed_events + other.untimed_events,
        )


def shred(reader: Reader, source: Source, folder: Path, label: str) -> Shredded:
    """Read `source` and write `<table>-<label>-<n>.parquet` files into `folder`.

    Records of one file are laid out by bucket; a table that stays empty has no file. Memory stays
    at some 100 MB whatever the file's size.
    """
    pile = _Pile(folder, label, source.day)
    with collector_paused():
        try:
            for record in reader.read(source):
                pile.add(record)
        except Unreadable as error:
            pile.add(Malformed(error.reason, error.detail, 0, 0, b""))
        return pile.finish()


class _Pile:
    """Collects rows, and writes them out as parts of a bounded size.

    A million spans go through here: bodies are encoded into one growing buffer, columns are
    plain lists, and what a trace is known by is one short list.
    """

    def __init__(self, folder: Path, label: str, day: date | None) -> None:
        self._folder, self._label, self._part = folder, label, 0
        self._day, self._moved = day, dict[str, timedelta]()
        self._total, self._reasons, self._days = Shredded(), Counter[str](), set[int]()
        self._begin()

    def _begin(self) -> None:
        self._body = bytearray()
        self._kinds: list[str] = []
        self._ids: list[str] = []
        self._spans: list[str | None] = []
        self._offsets: list[int] = [0]
        self._traces: dict[str, list[Any]] = {}
        self._events: list[tuple[Any, ...]] = []
        self._malformed: list[tuple[Any, ...]] = []
        self._beside = 0  # bytes of events and malformed records

    def add(self, record: Record) -> None:
        """Take one record; one that cannot be stored or lies outside of time is malformed."""
        kept = len(self._ids), len(self._body)
        try:
            if type(record) is Span:
                self._add_span(record)
            elif isinstance(record, Trace):
                self._add_trace(record)
            elif isinstance(record, Event):
                self._add_event(record)
            elif isinstance(record, Malformed):
                self._add_malformed(record)
        except (OverflowError, UnicodeEncodeError, TypeError, ValueError, RecursionError) as error:
            self._undo(*kept)
            detail = f"a value that cannot be stored ({type(error).__name__})"
            self._add_malformed(Malformed("bad_value", detail, 0, 0, b""))
        if len(self._body) + self._beside >= _PART_BYTES or len(self._ids) >= _PART_ROWS:
            self._write()

    def _undo(self, rows: int, size: int) -> None:
        for column in (self._kinds, self._ids, self._spans):
            del column[rows:]
        del self._offsets[rows + 1 :]
        del self._body[size:]

    def _add_span(self, span: Span) -> None:
        start, end, trace_id = span.start, span.end, folded(span.trace_id)
        if trace_id != span.trace_id:
            span = replace(span, trace_id=trace_id)
        if not _EARLIEST <= start < _LATEST:
            moved = self._move(trace_id, start)
            if moved is None:
                self._add_malformed(_out_of_range(span))
                return
            start, end = start + moved, end + moved
            span = replace(span, start=start, end=end, flags=span.flags | {"time_moved"})
        if not start <= end < _LATEST:
            end = start
            span = replace(span, end=end, flags=span.flags | {"clock_skew"})
        attributes, resource = span.attributes, span.resource
        session = session_of(attributes) or session_of(resource)
        service = resource.get("service.name") or attributes.get("service.name")
        if is_unnamed(service):
            service = None
        begin = round(start.timestamp() * 1e6)
        rooted = span.parent_id is None or is_app_root(span)
        place = "0" if span.envelope else "1" if rooted else "2"
        rank = f"{place}{begin:020d}{span.span_id}"
        size = self._add_row("span", span, trace_id, span.span_id)
        finish = round(end.timestamp() * 1e6)
        self._note(trace_id, begin, finish, size, True, _ranked(rank, service),
                   _ranked(rank, session))  # fmt: skip

    def _add_trace(self, trace: Trace) -> None:
        if trace.trace_id != folded(trace.trace_id):
            trace = replace(trace, trace_id=folded(trace.trace_id))
        if not _EARLIEST <= trace.started_at < _LATEST:
            moved = self._move(trace.trace_id, trace.started_at)
            if moved is None:
                self._add_malformed(_out_of_range(trace))
                return
            trace = replace(
                trace,
                started_at=trace.started_at + moved,
                ended_at=trace.ended_at + moved,
                flags=trace.flags | {"time_moved"},
            )
        if not trace.started_at <= trace.ended_at < _LATEST:
            trace = replace(trace, ended_at=trace.started_at, flags=trace.flags | {"clock_skew"})
        begin, end = (round(t.timestamp() * 1e6) for t in (trace.started_at, trace.ended_at))
        size = self._add_row("trace", trace, trace.trace_id, None)
        rank = f"0{begin:020d}"
        self._note(trace.trace_id, begin, end, size, trace.timed, _ranked(rank, trace.service),
                   _ranked(rank, trace.session_id))  # fmt: skip

    def _move(self, trace_id: str, start: datetime) -> timedelta | None:
        """By how many days a trace from outside of all partitions goes to the day given by hand."""
        if self._day is None:
            return None
        return self._moved.setdefault(trace_id, self._day - start.date())

    def _add_row(self, kind: str, record: Span | Trace, trace_id: str, span_id: str | None) -> int:
        """Add a record's row; returns the bytes of its body."""
        before = len(self._body)
        _encoder.encode_into(record, self._body, before)
        self._kinds.append(kind)
        self._ids.append(trace_id)
        self._spans.append(span_id)
        self._offsets.append(len(self._body))
        return len(self._body) - before

    def _note(
        self, trace_id: str, begin: int, end: int, size: int, timed: bool, service: str,
        session: str,
    ) -> None:  # fmt: skip
        """Add a record to what is known of its trace; an event, of no size, is no record."""
        self._days.add(begin // _DAY)
        known = self._traces.get(trace_id)
        if known is None:
            count = int(size > 0)
            self._traces[trace_id] = [trace_id, begin, end, count, size, timed, service, session]
            return
        if begin < known[1]:
            known[1] = begin
        if end > known[2]:
            known[2] = end
        known[3] += size > 0
        known[4] += size
        known[5] = known[5] and timed
        if service < known[6]:
            known[6] = service
        if session < known[7]:
            known[7] = session

    def _add_event(self, event: Event) -> None:
        if event.trace_id is not None:
            event = replace(event, trace_id=folded(event.trace_id))
        time = round(event.time.timestamp() * 1e6) if event.time else None
        session = session_of(event.attributes)
        body = _encoder.encode(event)
        if event.trace_id is not None and time is not None and is_content(event.name):
            # A trace may be known from its log records alone.
            named = _ranked("3", session)
            self._note(event.trace_id, time, time, 0, True, _NOTHING, named)
        self._events.append((event.trace_id, event.span_id, session, time, body))
        self._beside += len(body)
        self._total.events += 1
        if time is not None:
            self._total.first_event = min(time, self._total.first_event or time)
            self._total.last_event = max(time, self._total.last_event or time)
        else:
            self._total.untimed_events += 1

    def _add_malformed(self, record: Malformed) -> None:
        kept = record.payload[:KEPT_BYTES]
        self._malformed.append(
            (record.reason, record.detail, record.offset, record.length, kept, record.attempts)
        )
        self._beside += len(kept)
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
        self._total.records += len(self._ids)
        if self._ids:
            write_table(self._folder / f"records-{name}", self._records())
        for table, schema, rows in (
            ("traces", TRACES, list(self._traces.values())),
            ("events", EVENTS, self._events),
            ("malformed", MALFORMED, self._malformed),
        ):
            if rows:
                columns = zip(*rows, strict=True)
                arrays = [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)]
                path = self._folder / f"{table}-{name}"
                write_table(path, pa.Table.from_arrays(arrays, schema=schema))
        self._begin()

    def _records(self) -> pa.Table:
        offsets = pa.py_buffer(array("i", self._offsets))
        count = len(self._ids)
        body = pa.Array.from_buffers(pa.binary(), count, [None, offsets, pa.py_buffer(self._body)])
        arrays = [
            pa.array(self._kinds, pa.string()),
            pa.array([bucket_of(trace_id) for trace_id in self._ids], pa.uint8()),
            pa.array(self._ids, pa.string()),
            pa.array(self._spans, pa.string()),
            body,
        ]
        return pa.Table.from_arrays(arrays, schema=RECORDS)


def _ranked(rank: str, value: Any) -> str:
    """A name with the rank of the record that states it: of several the smallest text counts."""
    return _NOTHING if value is None else f"{rank}\t{value}"


def _out_of_range(record: Span | Trace) -> Malformed:
    raw = msgspec.json.encode(record)
    detail = (
        f"its time lies before {FIRST_DAY} or after the year 2099; "
        "land the file again with --day YYYY-MM-DD to move it there"
    )
    return Malformed("time_out_of_range", detail, 0, len(raw), raw)


def _day(number: int) -> str:
    return (_EPOCH + timedelta(days=number)).date().isoformat()
