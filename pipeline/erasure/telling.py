"""Whose record it is, as the readers tell: the one judge of what may stay in a landing file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from pipeline.ingest.dialects import session_of
from pipeline.ingest.readers import Reader
from pipeline.ingest.records import Malformed, Record, Span, Trace
from pipeline.ingest.source import Source, Unreadable
from pipeline.ingest.suppression import Suppression

__all__ = ["Look", "Speakers", "Told", "look_at", "looker"]

# Sets in order: the same record has to take the same bytes every time it is read.
_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_MOST = 2**128


@dataclass(frozen=True)
class Speakers:
    """Those who are being erased: the list, and what else in landing points at them.

    Attributes:
        listed: with the names of everyone and of every trace of theirs.
        spans: ids of spans of these traces: a score may name nothing else.
        sessions: sessions that speak of nobody else.
    """

    listed: Suppression
    spans: frozenset[str]
    sessions: frozenset[str]

    def own(self, record: Record) -> bool:
        """Whether a record is theirs."""
        if isinstance(record, Span | Trace):
            return self._is_listed(record.trace_id)
        if isinstance(record, Malformed):
            return bool(self.listed.found_in_text(record.payload))
        return self.own_event(record.trace_id, record.span_id, session_of(record.attributes))

    def own_event(self, trace: str | None, span: str | None, session: str | None) -> bool:
        """Whether a score or log record that points at these is theirs."""
        if trace is not None:
            return self._is_listed(trace)
        return span in self.spans if span is not None else session in self.sessions

    def _is_listed(self, trace: str) -> bool:
        return self.listed.covers("trace", self.listed.form("trace", trace))


@dataclass(frozen=True)
class Told:
    """What a reader found: records of theirs, those of others, and a digest of the latter.

    `seal` is the same for the same records of others in whatever order.
    """

    theirs: int
    others: int
    seal: int


Look = Callable[[bytes], Told]


def look_at(reader: Reader, source: Source, speakers: Speakers) -> Told:
    """Read a file and tell whose its records are."""
    theirs = others = seal = 0
    try:
        for record in reader.read(source):
            if speakers.own(record):
                theirs += 1
            else:
                others += 1
                seal += int.from_bytes(hashlib.blake2b(_content(record), digest_size=16).digest())
    except Unreadable as error:
        others += 1
        seal += int.from_bytes(hashlib.blake2b(error.reason.encode(), digest_size=16).digest())
    return Told(theirs, others, seal % _MOST)


def looker(reader: Reader, scratch: Path, source: Source, speakers: Speakers) -> Look:
    """Looks at contents as if they lay in the place of `source`."""
    aside = scratch / source.path.name

    def look(content: bytes) -> Told:
        aside.write_bytes(content)
        return look_at(reader, Source(aside, source.day, source.largest_record), speakers)

    return look


def _content(record: Record) -> bytes:
    if isinstance(record, Malformed):  # where it stands in the file does not count
        return _encode((record.reason, record.payload))
    body: bytes = _encode(record)
    return type(record).__name__.encode() + body
