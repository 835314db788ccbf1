"""Records sorted by their kind as they are read, and written out in parts of a bounded size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from pipeline.ingest.dialects import session_of
from pipeline.ingest.index.part import UNFIT, Part
from pipeline.ingest.index.tables import EVENTS, MALFORMED, write_rows
from pipeline.ingest.jsontext import KEPT_BYTES
from pipeline.ingest.records import Event, Malformed, Record, Span, Trace
from pipeline.ingest.safety import folded
from pipeline.ingest.traces.ranks import NOTHING, micros, ranked
from pipeline.ingest.traces.telling import is_content
from pipeline.windows import FIRST_DAY

__all__ = ["Pile", "Shredded"]

_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_EARLIEST = datetime.combine(FIRST_DAY, datetime.min.time(), UTC)
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


class Pile:
    """Sorts records by their kind, and writes them out as parts of a bounded size."""

    def __init__(self, folder: Path, label: str, source: str, day: date | None) -> None:
        self._folder, self._label, self._parts = folder, label, 0
        self._source = source
        self._day, self._moved = day, dict[str, timedelta]()
        self._total, self._reasons, self._days = Shredded(), Counter[str](), set[date]()
        self._today = (_EARLIEST, _EARLIEST)
        self._begin()

    def _begin(self) -> None:
        self._part = Part(self._source)
        self._events: list[tuple[Any, ...]] = []
        self._malformed: list[tuple[Any, ...]] = []
        self._beside = 0  # bytes of events and malformed records

    def add(self, records: Iterable[Record], offset: int | None = None) -> None:
        """Take a few records; one that cannot be stored or lies outside of time is malformed.

        Args:
            records: of any kind.
            offset: where the line begins that can be read again for them.
        """
        for record in records:
            try:
                if type(record) is Span:
                    self._add_span(record, offset)
                elif isinstance(record, Trace):
                    self._add_trace(record)
                elif isinstance(record, Event):
                    self._add_event(record)
                elif isinstance(record, Malformed):
                    self.add_malformed(record)
            except UNFIT as error:
                self._add_unfit(error)
        if self._part.is_full(self._beside):
            self._write()

    def _add_span(self, span: Span, offset: int | None) -> None:
        start, end = span.start, span.end
        if span.trace_id.lower() != span.trace_id:
            span, offset = replace(span, trace_id=folded(span.trace_id)), None
        if not _EARLIEST <= start < _LATEST:
            moved = self._move(span.trace_id, start)
            if moved is None:
                self._part.store(span.trace_id)  # its line would bring this span back
                self.add_malformed(_out_of_range(span))
                return
            start, end, offset = start + moved, end + moved, None
            span = replace(span, start=start, end=end, flags=span.flags | {"time_moved"})
        if not start <= end < _LATEST:
            span, offset = replace(span, end=start, flags=span.flags | {"clock_skew"}), None
        self._part.add_span(span, offset)
        if not self._today[0] <= start < self._today[1]:
            self._note_day(start)

    def _add_trace(self, trace: Trace) -> None:
        if trace.trace_id != folded(trace.trace_id):
            trace = replace(trace, trace_id=folded(trace.trace_id))
        if not _EARLIEST <= trace.started_at < _LATEST:
            moved = self._move(trace.trace_id, trace.started_at)
            if moved is None:
                self.add_malformed(_out_of_range(trace))
                return
            trace = replace(
                trace,
                started_at=trace.started_at + moved,
                ended_at=trace.ended_at + moved,
                flags=trace.flags | {"time_moved"},
            )
        if not trace.started_at <= trace.ended_at < _LATEST:
            trace = replace(trace, ended_at=trace.started_at, flags=trace.flags | {"clock_skew"})
        self._part.add_trace(trace)
        self._note_day(trace.started_at)

    def _move(self, trace_id: str, start: datetime) -> timedelta | None:
        """By how many days a trace from outside of all partitions goes to the day given by hand."""
        if self._day is None:
            return None
        return self._moved.setdefault(trace_id, self._day - start.date())

    def _note_day(self, start: datetime) -> None:
        begin = start.replace(hour=0, minute=0, second=0, microsecond=0)
        self._today = (begin, begin + timedelta(days=1))
        self._days.add(begin.date())

    def _add_event(self, event: Event) -> None:
        if event.trace_id is not None:
            event = replace(event, trace_id=folded(event.trace_id))
        time = micros(event.time) if event.time else None
        session = session_of(event.attributes)
        body = _encoder.encode(event)
        if event.trace_id is not None and event.time is not None and is_content(event.name):
            # A trace may be known from its log records alone.
            at = micros(event.time)
            self._part.note(event.trace_id, at, at, 0, 0, True, NOTHING, ranked("3", session))
            self._note_day(event.time)
        self._events.append((event.trace_id, event.span_id, session, time, body))
        self._beside += len(body)
        self._total.events += 1
        if time is not None:
            self._total.first_event = min(time, self._total.first_event or time)
            self._total.last_event = max(time, self._total.last_event or time)
        else:
            self._total.untimed_events += 1

    def add_malformed(self, record: Malformed) -> None:
        """Take a record that could not be read."""
        kept = record.payload[:KEPT_BYTES]
        self._malformed.append(
            (record.reason, record.detail, record.offset, record.length, kept, record.attempts)
        )
        self._beside += len(kept)
        self._reasons[record.reason] += 1
        self._total.malformed += 1

    def _add_unfit(self, error: Exception) -> None:
        detail = f"a value that cannot be stored ({type(error).__name__})"
        self.add_malformed(Malformed("bad_value", detail, 0, 0, b""))

    def finish(self) -> Shredded:
        """Write what is left."""
        self._write()
        self._total.reasons = dict(sorted(self._reasons.items()))
        self._total.days = [day.isoformat() for day in sorted(self._days)]
        return self._total

    def _write(self) -> None:
        name = f"{self._label}-{self._parts:04d}"
        self._parts += 1
        written, unfit = self._part.write(self._folder, name)
        self._total.records += written
        for error in unfit:
            self._add_unfit(error)
        for table, schema, rows in (
            ("events", EVENTS, self._events),
            ("malformed", MALFORMED, self._malformed),
        ):
            if rows:
                write_rows(self._folder / f"{table}-{name}.parquet", schema, rows)
        self._begin()


def _out_of_range(record: Span | Trace) -> Malformed:
    raw = msgspec.json.encode(record)
    detail = (
        f"its time lies before {FIRST_DAY} or after the year 2099; "
        "land the file again with --day YYYY-MM-DD to move it there"
    )
    return Malformed("time_out_of_range", detail, 0, len(raw), raw)
