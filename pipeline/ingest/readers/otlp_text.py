"""JSON texts of OpenTelemetry files: lines, one document, or several one after another."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

import orjson

from pipeline.ingest.jsontext import KEPT_BYTES, JsonText, malformed, parse, without_surrogates
from pipeline.ingest.readers.otlp_values import int_value
from pipeline.ingest.records import Malformed
from pipeline.ingest.source import Source, Unreadable

__all__ = ["Raw", "layout", "line_text", "parse_leniently", "raw_documents", "raw_lines"]

_BOM = b"\xef\xbb\xbf"
_BUFFER = 1 << 20
_RESCUED = re.compile(rb'"(resource_?(spans|logs)|trace_?id)"\s*:', re.IGNORECASE)
_MANY_DIGITS = re.compile(rb"\d{19}")
Raw = tuple[int, bytes, bool]
"""Offset, bytes without white space around them, and whether a line break ended them."""


def layout(source: Source) -> str:
    """How a JSON file is laid out: `lines`, `array` (one, over lines) or `documents` (pretty)."""
    if source.start > 0:
        return "lines"
    with _opened(source) as handle:
        first = handle.readline(source.largest_record + 1).removeprefix(_BOM)
        while first and not first.strip():
            first = handle.readline(source.largest_record + 1)
        try:
            second = handle.readline(1 << 16)
        except Unreadable:  # the first line is sound, and will be read
            second = b""
    text = first.strip()
    if isinstance(parse(text), JsonText):
        single_array = text.startswith(b"[") and not second.strip()
        return "array" if single_array else "lines"
    if text.startswith(b"["):
        return "array"
    if not first.endswith(b"\n"):  # the only line, cut short
        return "lines"
    whole = text.startswith(b"{") and isinstance(parse_leniently(text, 0), JsonText)
    if whole or isinstance(parse(second.strip()), JsonText):  # one bad line among lines
        return "lines"
    # Prose before the first document, or one that goes on in the next line.
    pretty = not text.startswith(b"{") or text == b"{" or re.match(rb"[ \t]+\S|[}\]]", second)
    return "documents" if pretty else "lines"


def raw_lines(source: Source) -> Iterator[Raw | Malformed]:
    """Yield each line that is not blank; one above `largest_record` is malformed."""
    offset, largest = source.start, source.largest_record
    with _opened(source) as handle:
        while line := handle.readline(largest + 1):
            start, ended = offset, line.endswith(b"\n")
            offset += len(line)
            if len(line) > largest and not ended:
                kept = line[:KEPT_BYTES]
                while chunk := handle.readline(_BUFFER):
                    offset += len(chunk)
                    if chunk.endswith(b"\n"):
                        break
                detail = f"{offset - start} bytes, more than the {largest} that are read"
                yield Malformed("too_large", detail, start, offset - start, kept)
                continue
            if text := line_text(line) if start == 0 else line.strip():
                yield start, text, ended


def line_text(line: bytes) -> bytes:
    """A line without what may stand around it."""
    return line.removeprefix(_BOM).strip()


def raw_documents(source: Source) -> Iterator[Raw | Malformed]:
    """Yield documents that were printed over many lines, one after another.

    A document begins with a bracket at the start of a line and ends with one; what a program
    printed in between is malformed, each stretch of it once.
    """
    held: list[bytes] = []
    began = size = 0
    kind = ""  # "", document, other
    for line in _lines(source):
        offset, text = line
        opens, closes = text[:1] in (b"{", b"["), text[:1] in (b"}", b"]")
        if (kind and opens) or (kind == "other" and closes):
            yield _piece(kind, began, held, size, source)
            held, size, kind = [], 0, ""
        if not kind:
            if not text.strip():
                continue
            began, kind = offset, "document" if opens else "other"
        size += len(text)
        if size <= source.largest_record:
            held.append(text)
        whole = text.rstrip()[-1:] in (b"}", b"]") and opens and len(held) == 1
        if kind == "document" and (closes or (whole and isinstance(parse(text), JsonText))):
            yield _piece(kind, began, held, size, source)
            held, size, kind = [], 0, ""
    if kind:
        yield _piece(kind, began, held, size, source, torn=kind == "document")


def _lines(source: Source) -> Iterator[tuple[int, bytes]]:
    offset = 0
    with _opened(source) as handle:
        while line := handle.readline(source.largest_record):
            yield offset, line.removeprefix(_BOM) if offset == 0 else line
            offset += len(line)


def _piece(
    kind: str, began: int, held: list[bytes], size: int, source: Source, torn: bool = False
) -> Raw | Malformed:
    raw = b"".join(held)
    if size > source.largest_record:
        detail = f"{size} bytes, more than the {source.largest_record} that are read"
        return Malformed("too_large", detail, began, size, raw[:KEPT_BYTES])
    if kind == "other":
        detail = f"{len(held)} lines between JSON documents"
        return malformed("bad_json", detail, raw.strip(), began)
    return began, raw.strip(), not torn


def parse_leniently(raw: bytes, offset: int) -> JsonText | Malformed:
    """Parse JSON as its writers meant it, where the one parser refuses or would lose something.

    Bare NaN and Infinity, integers beyond 64 bits, and halves of surrogate pairs (JavaScript cuts
    text between them) come through as text; the last are flagged as invalid UTF-8 is.
    """
    parsed = parse(raw, offset)
    if isinstance(parsed, JsonText) and not _MANY_DIGITS.search(raw):
        return parsed
    if isinstance(parsed, Malformed) and (parsed.reason == "too_deep" or not _RESCUED.search(raw)):
        return parsed
    text = raw.decode("utf-8", "replace")
    try:
        value = json.loads(text, parse_int=_integer, parse_constant=str)
        repaired = isinstance(parsed, JsonText) and parsed.repaired
        try:
            orjson.dumps(value)
        except TypeError:  # a lone surrogate; or nesting, which the values' reader tells of
            value, repaired = without_surrogates(value), True
    except (ValueError, RecursionError):
        return parsed
    return JsonText(value, offset, len(raw), repaired or ("�" in text and "�".encode() not in raw))


def _integer(digits: str) -> int | str:
    return int_value(int(digits)) if len(digits) < 4000 else digits


@contextmanager
def _opened(source: Source) -> Iterator[BinaryIO]:
    """The content with a buffer that holds most lines whole: three times as fast to read."""
    with source.open() as handle:
        yield cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, handle), _BUFFER))
