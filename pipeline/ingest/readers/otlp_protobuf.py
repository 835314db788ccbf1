"""OTLP protobuf files: one request, or messages with their lengths before them.

Checked at the source of the Collector's file exporter: `format: proto` writes 4 bytes of length,
high byte first, before each message; so does `compression: zstd` for JSON and protobuf alike, each
message compressed on its own. Protobuf's own delimited streams write the length as a varint.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

import zstandard

from pipeline.ingest.jsontext import KEPT_BYTES, JsonText, malformed
from pipeline.ingest.readers.head import Head
from pipeline.ingest.readers.otlp_fast import decode
from pipeline.ingest.readers.otlp_lenient import REQUESTS, read_value
from pipeline.ingest.readers.otlp_messages import read_message, read_resource, torn
from pipeline.ingest.readers.otlp_text import parse_leniently
from pipeline.ingest.readers.otlp_wire import Broken, kind_of_message
from pipeline.ingest.records import Event, Malformed, Span
from pipeline.ingest.source import Source, Unreadable

__all__ = ["OtlpProtobufReader", "framing_of"]

_HEAD = 256 * 1024
_ZSTD = b"\x28\xb5\x2f\xfd"
_WINDOW = 128 * 2**20
_REQUEST = re.compile(rb'\s*\{\s*"(' + "|".join(REQUESTS).encode() + rb')"\s*:')
_WIDEST = 5  # bytes of a varint that holds a length
_LARGEST = 2**27  # in a file's beginning; white space and brackets of JSON make larger numbers
_MOST_EMPTY, _MOST_BROKEN = 16, 3  # messages in a row; then the lengths are none

Records = Iterator[Span | Event | Malformed]


class OtlpProtobufReader:
    """Reads export requests of traces and logs in protobuf; metrics among them are skipped."""

    name = "otlp_protobuf"

    def sniff(self, head: Head) -> bool:
        """Bytes that lead to a span, log record or metric by every step of the wire format."""
        # The tag of a request is a line feed, its length may be a bracket: no container is sure.
        return head.container not in ("parquet", "zip") and framing_of(head.raw) is not None

    def read(self, source: Source) -> Records:
        """Yield every span and event, message by message; a bad one leaves the others alone.

        Raises:
            Unreadable: bad_protobuf, from somewhere on there are no messages any more.
        """
        with source.open() as handle:
            framing = framing_of(handle.read(_HEAD))
        with source.open() as handle:
            if framing == "one":
                yield from _one(handle, source)
            else:
                yield from _stream(handle, source, fixed=framing == "fixed")


def framing_of(head: bytes) -> str | None:
    """How messages follow each other: one, fixed (4 bytes of length), varint; None: no OTLP."""
    if kind_of_message(head) is not None:
        return "one"
    for framing in ("fixed", "varint"):
        at = 0
        for _ in range(_MOST_EMPTY):
            size, at = _length(head, at, framing == "fixed")
            if size is None or size > _LARGEST or at >= len(head):
                break
            if size:
                first = head[at : at + size]
                # JSON and compressed messages are the Collector's, with 4 bytes of length.
                known = _is_payload if framing == "fixed" else kind_of_message
                if known(first):
                    return framing
                break
    return None


def _length(data: bytes, at: int, fixed: bool) -> tuple[int | None, int]:
    """The length at a place, and where it ends; None if there is none."""
    if fixed:
        return int.from_bytes(data[at : at + 4], "big") if len(data) >= at + 4 else None, at + 4
    value = 0
    for n, byte in enumerate(data[at : at + _WIDEST]):
        value |= (byte & 0x7F) << 7 * n
        if byte < 0x80:
            return value, at + n + 1
    return None, at


def _is_payload(data: bytes) -> bool:
    if data.startswith(_ZSTD):
        try:
            reader = zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(data)
            return _is_payload(reader.read(_HEAD)[:_HEAD].removeprefix(_ZSTD))
        except zstandard.ZstdError:
            return False
    return bool(_REQUEST.match(data)) or kind_of_message(data) is not None


def _one(handle: BinaryIO, source: Source) -> Records:
    """One request, resource by resource: it may be larger than fits into memory."""
    offset = 0
    while tag := handle.read(1):
        size, width = _read_length(handle, fixed=False)
        if tag == b"\x0a" and size is None and width < _WIDEST:
            yield torn(tag, offset)
            return
        if tag != b"\x0a" or size is None:
            raise _lost(offset)
        start, offset = offset, offset + 1 + width + size
        data = handle.read(min(size, source.largest_record))
        if size > source.largest_record:
            yield _too_large(handle, data, start, size, source)
            continue
        cut = len(data) < size
        try:
            yield from read_resource(data, start + 1 + width, source.day, cut=cut)
        except Broken:
            if not cut:
                detail = "no OTLP protobuf from somewhere in it on"
                yield malformed("bad_protobuf", detail, data, start)
        if cut:
            yield torn(data, start)


def _stream(handle: BinaryIO, source: Source, fixed: bool) -> Records:
    offset = empty = broken = 0
    while True:
        size, width = _read_length(handle, fixed)
        if size is None:
            if width == _WIDEST:
                raise _lost(offset)
            if width:
                yield torn(bytes(width), offset)
            return
        start, offset = offset, offset + width + size
        empty = 0 if size else empty + 1
        if empty > _MOST_EMPTY or broken >= _MOST_BROKEN:
            raise _lost(start)
        data = handle.read(min(size, source.largest_record))
        if size > source.largest_record:
            broken += 1
            yield _too_large(handle, data, start, size, source)
            continue
        cut = len(data) < size
        try:
            yield from _payload(data, start + width, source, cut)
            broken = 0
        except (Broken, zstandard.ZstdError) as error:
            broken += 1
            if not cut:
                detail = f"no OTLP message ({type(error).__name__})"
                yield malformed("bad_protobuf", detail, data, start)
        if cut:
            yield torn(data, start)


def _payload(data: bytes, offset: int, source: Source, cut: bool) -> Records:
    """What one message holds: protobuf or JSON, compressed or not."""
    if data.startswith(_ZSTD):
        most = source.largest_record
        reader = zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(data)
        inner = reader.read(most + 1)
        if len(inner) > most:
            detail = f"a compressed message of more than {most >> 20} MB"
            yield malformed("too_large", detail, data, offset)
            return
        data = inner
    if not data[:64].lstrip().startswith(b"{") or kind_of_message(data) is not None:
        yield from read_message(data, offset, source.day, cut=cut)
    elif (records := decode(data)) is not None:
        yield from records
    elif not cut:
        parsed = parse_leniently(data, offset)
        yield from read_value(parsed, source.day) if isinstance(parsed, JsonText) else [parsed]


def _read_length(handle: BinaryIO, fixed: bool) -> tuple[int | None, int]:
    """The next length and its width; None where there is none, with what was there of it."""
    if fixed:
        data = handle.read(4)
        return (int.from_bytes(data, "big"), 4) if len(data) == 4 else (None, len(data))
    data = b""
    while byte := handle.read(1):
        data += byte
        if byte[0] < 0x80 or len(data) == _WIDEST:
            break
    size, _ = _length(data, 0, fixed=False)
    return size, len(data)


def _too_large(handle: BinaryIO, read: bytes, start: int, size: int, source: Source) -> Malformed:
    left = size - len(read)
    while left > 0 and (chunk := handle.read(min(left, 1 << 20))):
        left -= len(chunk)
    detail = f"{size} bytes, more than the {source.largest_record} that are read"
    return Malformed("too_large", detail, start, size - left, read[:KEPT_BYTES])


def _lost(offset: int) -> Unreadable:
    return Unreadable("bad_protobuf", f"no messages any more after {offset} bytes")
