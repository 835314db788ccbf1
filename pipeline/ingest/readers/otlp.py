"""OTLP JSON: what the OpenTelemetry Collector's file exporter writes, and what SDKs print."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from pipeline.ingest.jsontext import JsonText, json_array
from pipeline.ingest.readers.head import Head
from pipeline.ingest.readers.otlp_bare import MAPS
from pipeline.ingest.readers.otlp_fast import decode
from pipeline.ingest.readers.otlp_lenient import REQUESTS, read_value
from pipeline.ingest.readers.otlp_text import (
    Raw,
    layout,
    line_text,
    parse_leniently,
    raw_documents,
    raw_lines,
)
from pipeline.ingest.records import Event, Line, Malformed, Span
from pipeline.ingest.source import Source

__all__ = ["OtlpJsonReader", "SpanDumpReader"]

_REQUEST = re.compile(
    rf'"({"|".join(REQUESTS)})"\s*:|^\s*\{{\s*("trace"\s*:\s*\{{\s*)?"batches"\s*:'
)
# A file may begin with half a line, or with what a program printed first.
_LATER = re.compile(rf'^\{{\s*"({"|".join(REQUESTS)})"\s*:', re.MULTILINE)
# Ids with 0x are the Python SDK's console exporter's alone.
_CONSOLE = re.compile(r'"(trace_id|span_id)"\s*:\s*"0x[0-9a-f]{16}')
_TRACE = re.compile(r'"(traceId|trace_id|traceID|TraceId)"\s*:')
_SPAN = re.compile(r'"(spanId|span_id|spanID|SpanId|id)"\s*:')
_TIME = re.compile(
    r'"(startTimeUnixNano|startTime|start_time|startTimestamp|duration|Duration)"\s*:'
)
_BODY = re.compile(r'"(attributes|SpanAttributes|tags)"\s*:')


class OtlpJsonReader:
    """Reads export requests of traces and logs; metrics beside them are skipped.

    As JSON lines, as one document or an array of requests, in camelCase or snake_case. The console
    exporter's spans and log records are read too, from whatever they were printed among.
    """

    name = "otlp_json"
    by_lines = True

    def sniff(self, head: Head) -> bool:
        """A key that tells an export request, or an id as the console exporter prints it."""
        if head.container in ("parquet", "zip"):
            return False
        request = _REQUEST if head.container == "json" else _LATER
        return bool(request.search(head.text) or _CONSOLE.search(head.text))

    def read(self, source: Source) -> Iterator[Span | Event | Malformed]:
        """Yield every span and event of every request; a bad span leaves the others alone."""
        return _read(source)

    def lines(self, source: Source) -> Iterator[Line] | None:
        """The same, line by line; None for a file that is no lines."""
        return _lines(source) if layout(source) == "lines" else None

    def line(self, raw: bytes, source: Source) -> Sequence[Span | Event | Malformed]:
        """The records of one line."""
        return list(_records((0, line_text(raw), True), source))


class SpanDumpReader:
    """Reads bare spans in the shapes that `otlp_bare` names; a general one, for after the others.

    Spans stand in lines, in an array, in an object by operation, or one pretty document after
    another; maps of attributes alone need the day that the file is landed with.
    """

    name = "otel_spans"

    def sniff(self, head: Head) -> bool:
        """The ids, a time and the attributes of a span; or an object of a model call's names."""
        if head.container != "json":
            return False
        if all(sign.search(head.text) for sign in (_TRACE, _SPAN, _TIME, _BODY)):
            return True
        first = head.first
        flat = not any(isinstance(value, Mapping) for value in first.values())
        return flat and any(key.startswith(MAPS) for key in first)

    def read(self, source: Source) -> Iterator[Span | Event | Malformed]:
        """Yield every span; a bad one leaves the others alone."""
        return _read(source)


def _read(source: Source) -> Iterator[Span | Event | Malformed]:
    kind = layout(source)
    if kind == "array":
        for element in json_array(source):
            if isinstance(element, Malformed) and element.length == len(element.payload):
                element = parse_leniently(element.payload, element.offset)
            yield from [element] if isinstance(element, Malformed) else _values(element, source)
        return
    for piece in raw_lines(source) if kind == "lines" else raw_documents(source):
        yield from _records(piece, source)


def _lines(source: Source) -> Iterator[Line]:
    for piece in raw_lines(source):
        offset = piece.offset if isinstance(piece, Malformed) else piece[0]
        yield Line(offset, list(_records(piece, source)))


def _records(piece: Raw | Malformed, source: Source) -> Iterable[Span | Event | Malformed]:
    if isinstance(piece, Malformed):
        return (piece,)
    offset, raw, ended = piece
    if (records := decode(raw)) is not None:
        return records
    parsed = parse_leniently(raw, offset)
    if isinstance(parsed, JsonText):
        return _values(parsed, source)
    return (parsed if ended else replace(parsed, reason="torn_line"),)


def _values(text: JsonText, source: Source) -> Iterator[Span | Event | Malformed]:
    return read_value(text, source.day)
