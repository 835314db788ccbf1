"""The same record twice counts once: which of two copies stays is a matter of their content."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from pipeline.ingest.records import Event, Span, Trace

__all__ = ["UNUSABLE", "Broken", "unique_events", "unique_records"]

UNUSABLE = (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
"""What a value of an unforeseen kind may raise; one odd trace never takes the day with it."""

_encode = msgspec.msgpack.Encoder(order="sorted").encode


class Broken(msgspec.Struct, frozen=True):
    """A trace whose spans are readable one by one but make no trace."""

    trace_id: str
    file: str
    started_at: datetime
    spans: int
    error: str


def unique_records(
    records: Iterable[Span | Trace],
) -> tuple[list[Span], list[Trace], int, bool]:
    """The spans of one trace each once, and whole conversations of its id, the best first.

    Of two spans with one id the one with more attributes stays, then the one that ends later,
    then the one whose bytes sort last. Returned besides are the number of repeated spans, and
    whether any copies differed.
    """
    by_id: dict[tuple[str, bool], list[Span]] = defaultdict(list)
    wholes: list[Trace] = []
    for record in records:
        if isinstance(record, Span):
            by_id[record.span_id, record.envelope].append(record)
        else:
            wholes.append(record)
    spans, repeated, conflicting = [], 0, False
    for copies in by_id.values():
        if len(copies) == 1:
            spans.append(copies[0])
            continue
        repeated += len(copies) - 1
        conflicting |= len({_encode(copy) for copy in copies}) > 1
        best = max(copies, key=lambda span: (len(span.attributes), span.end, _encode(span)))
        spans.append(_united(best, copies) if best.envelope else best)
    wholes.sort(key=lambda t: (len(t.messages), t.started_at, _encode(t)), reverse=True)
    conflicting |= any(other.messages != wholes[0].messages for other in wholes[1:])
    return spans, wholes, repeated, conflicting


def unique_events(events: Sequence[Event]) -> list[Event]:
    """Every event once."""
    return list({_encode(event): event for event in events}.values())


def _united(best: Span, copies: Iterable[Span]) -> Span:
    """Rows about one trace from several exports add up: what the best does not say, others may."""
    attributes = dict(best.attributes)
    for copy in sorted(copies, key=_encode):
        for name, value in copy.attributes.items():
            if attributes.get(name) in (None, "", [], {}):
                attributes[name] = value
    return replace(best, attributes=attributes)
