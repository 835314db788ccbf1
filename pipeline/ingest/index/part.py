"""A stretch of a file: its records by trace, what is known of each, and the rows that are ready."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from pipeline.ingest.index.ready import ready_trace, write_ready
from pipeline.ingest.index.tables import TRACES, write_records, write_rows
from pipeline.ingest.records import Span, Trace
from pipeline.ingest.traces.ranks import micros, names_of, ranked, value_of

__all__ = ["UNFIT", "Part"]

_BYTES = 96 * 2**20
_SPANS = 100_000
UNFIT = (OverflowError, UnicodeEncodeError, TypeError, ValueError, RecursionError)
"""What a value raises that cannot be stored."""

_NOWHERE = -1  # in the place of an offset
_READY = 8  # where it stands in what is known of a trace
_encode = msgspec.msgpack.Encoder().encode
# Sets in order: the same content has to take the same bytes in every process.
_encode_ordered = msgspec.msgpack.Encoder(order="deterministic").encode


class Part:
    """Collects a bounded number of records and writes their tables.

    A million spans go through here: what can be done once a trace is not done for every span, and
    a span whose line can be read again is not stored if its trace is ready.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._size = self._count = 0
        self._last: int | None = None
        self._spans: defaultdict[str, list[Span]] = defaultdict(list)
        self._lines: defaultdict[str, list[int]] = defaultdict(list)
        """Where the lines of a trace begin."""
        self._known: dict[str, list[Any]] = {}
        self._rows: list[tuple[str, str, str, bytes]] = []

    def is_full(self, beside: int) -> bool:
        """Whether it is time to write, `beside` being the bytes that others hold."""
        return self._size + beside >= _BYTES or self._count >= _SPANS

    def add_span(self, span: Span, offset: int | None) -> None:
        """Take a span, of the line that begins at `offset` if it can be read again as it is.

        Raises:
            One of UNFIT: it cannot be stored.
        """
        lines = self._lines[span.trace_id]
        if offset is None:
            self._size += len(_encode(span))
            lines.append(_NOWHERE)
        elif not lines or lines[-1] != offset:
            lines.append(offset)
            self._size += 0 if self._last is None else max(offset - self._last, 0)
            self._last = offset
        self._spans[span.trace_id].append(span)
        self._count += 1

    def store(self, trace_id: str) -> None:
        """Store this trace's spans: its lines hold more than what counts of it."""
        self._lines[trace_id].append(_NOWHERE)

    def add_trace(self, trace: Trace) -> None:
        """Take a whole conversation.

        Raises:
            One of UNFIT: it cannot be stored.
        """
        body = _encode_ordered(trace)
        self._rows.append(("trace", trace.trace_id, "", body))
        begin, end = micros(trace.started_at), micros(trace.ended_at)
        rank = f"0{begin:020d}"
        names = ranked(rank, trace.service), ranked(rank, trace.session_id)
        self.note(trace.trace_id, begin, end, 1, len(body), trace.timed, *names)
        self._size += len(body)
        self._count += 1

    def note(
        self, trace_id: str, begin: int, end: int, records: int, size: int, timed: bool,
        service: str, session: str,
    ) -> None:  # fmt: skip
        """Add to what is known of a trace (a row of TRACES) records, or of an event none."""
        now = [trace_id, begin, end, records, size, timed, service, session, False]
        known = self._known.setdefault(trace_id, now)
        if known is now:
            return
        known[1] = min(known[1], begin)
        known[2] = max(known[2], end)
        known[3] += records
        known[4] += size
        known[5] = known[5] and timed
        known[6] = min(known[6], service)
        known[7] = min(known[7], session)

    def write(self, folder: Path, name: str) -> tuple[int, list[Exception]]:
        """Write the tables of this part as `<table>-<name>` into `folder`.

        Returns:
            How many records were written, and the error of each one that cannot be stored.
        """
        unfit: list[Exception] = []
        made: list[Trace] = []
        # In the order they came: their memory is walked through once, not here and there.
        for trace_id in list(self._spans):
            spans = self._spans.pop(trace_id)
            service, session = names_of(spans)
            trace = None
            if trace_id not in self._known:  # otherwise more than spans speaks of it
                trace = ready_trace(spans, self._source, value_of(service), value_of(session))
            if trace is not None:
                made.append(trace)
            unfit += self._store(trace_id, spans, service, session, plain=trace is not None)
        for trace_id in write_ready(folder / f"ready-{name}.arrow", made):
            self._known[trace_id][_READY] = True
        if self._rows:
            write_records(folder / f"records-{name}.parquet", self._rows)
        if self._known:
            write_rows(folder / f"traces-{name}.parquet", TRACES, self._known.values())
        return self._count - len(unfit), unfit

    def _store(
        self, trace_id: str, spans: list[Span], service: str, session: str, *, plain: bool
    ) -> Sequence[Exception]:
        """Keep a trace's spans, or where they lie; returns the errors of those that cannot be."""
        lines, unfit = self._lines.pop(trace_id), list[Exception]()
        if plain and _NOWHERE not in lines:
            kind, body = "lines", _encode([len(spans), *dict.fromkeys(lines)])
            size = self._size // self._count * len(spans)
        else:
            kind = "spans"
            encode = _encode_ordered if any(len(s.flags) > 1 for s in spans) else _encode
            try:
                body = encode(spans)
            except UNFIT:
                spans, unfit = _fit(spans)
                body = encode(spans)
            size = len(body)
        if spans:
            self._rows.append((kind, trace_id, "\n".join([span.span_id for span in spans]), body))
            begin, end = min([s.start for s in spans]), max([s.end for s in spans])
            self.note(trace_id, micros(begin), micros(end), len(spans), size, True,
                      service, session)  # fmt: skip
        return unfit


def _fit(spans: Iterable[Span]) -> tuple[list[Span], list[Exception]]:
    """The spans that can be stored, and the errors of the others."""
    fit, unfit = list[Span](), list[Exception]()
    for span in spans:
        try:
            _encode(span)
        except UNFIT as error:
            unfit.append(error)
        else:
            fit.append(span)
    return fit, unfit
