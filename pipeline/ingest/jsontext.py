"""JSON texts one by one from a file: each with its offset, each failing alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from msgspec.structs import replace

from pipeline.ingest.records import Malformed
from pipeline.ingest.source import Source

__all__ = ["KEPT_BYTES", "JsonText", "json_array", "json_lines", "parse"]

_BOM = b"\xef\xbb\xbf"
KEPT_BYTES = 64 * 1024
"""What quarantine keeps of a malformed record."""


@dataclass(frozen=True)
class JsonText:
    """One parsed value and where it stood; `repaired` if undecodable bytes became U+FFFD."""

    value: Any
    offset: int
    length: int
    repaired: bool = False


def parse(raw: bytes, offset: int = 0) -> JsonText | Malformed:
    """Parse one JSON text; invalid UTF-8 is replaced and flagged, anything else is malformed."""
    try:
        return JsonText(orjson.loads(raw), offset, len(raw))
    except orjson.JSONDecodeError as error:
        first = error
    repaired = raw.decode("utf-8", "replace")
    if "�" in repaired:
        try:
            return JsonText(orjson.loads(repaired), offset, len(raw), repaired=True)
        except orjson.JSONDecodeError as error:
            first = error
    reason = "too_deep" if "depth" in first.msg or "recursion" in first.msg else "bad_json"
    return malformed(reason, f"{first.msg} at character {first.pos}", raw, offset, attempts=2)


def malformed(reason: str, detail: str, raw: bytes, offset: int, attempts: int = 1) -> Malformed:
    """Keep the beginning of a record that could not be read."""
    return Malformed(reason, detail, offset, len(raw), raw[:KEPT_BYTES], attempts)


def json_lines(source: Source) -> Iterator[JsonText | Malformed]:
    """Yield each line of a file that is not blank; one above `largest_record` is malformed.

    A last line without its line break that is no JSON was torn off.
    """
    offset, largest = source.start, source.largest_record
    with source.open() as handle:
        while raw := handle.readline(largest + 1):
            start, length = offset, len(raw)
            if length > largest and not raw.endswith(b"\n"):
                kept, length = raw[:KEPT_BYTES], length + _skip_line(handle)
                detail = f"{length} bytes, more than the {largest} that are read"
                yield Malformed("too_large", detail, start, length, kept)
            else:
                text = raw.removeprefix(_BOM).strip() if start == 0 else raw.strip()
                if text:
                    parsed = parse(text, start)
                    if isinstance(parsed, Malformed) and not raw.endswith(b"\n"):
                        parsed = replace(parsed, reason="torn_line")
                    yield parsed
            offset += length


def _skip_line(handle: Any) -> int:
    """Read on to the end of an oversized line without holding it; returns the bytes skipped."""
    skipped = 0
    while chunk := handle.readline(1 << 20):
        skipped += len(chunk)
        if chunk.endswith(b"\n"):
            break
    return skipped


def json_array(source: Source) -> Iterator[JsonText | Malformed]:
    """Yield each element of a file that holds one JSON array, or each value that stands in it.

    Elements are decoded one after another, so what stands before a broken one still lands; from
    the broken one on nothing can be told apart, and the rest is one malformed record.
    """
    raw = source.read().removeprefix(_BOM)
    text = raw.decode("utf-8", "replace")
    repaired = "�" in text and "�".encode() not in raw
    decoder = json.JSONDecoder()
    at = _skip(text, 0, "")
    single = not text.startswith("[", at)
    at = at if single else _skip(text, at + 1, "")
    offset, counted = 0, 0
    while at < len(text) and (single or text[at] != "]"):
        offset, counted = offset + len(text[counted:at].encode("utf-8", "replace")), at
        try:
            value, after = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            reason = "too_deep" if isinstance(error, RecursionError) else "bad_json"
            rest = text[at:].encode("utf-8", "replace")
            yield malformed(reason, f"{type(error).__name__} in an array's element", rest, offset)
            return
        raw = text[at:after].encode("utf-8", "replace")
        try:
            orjson.dumps(value)  # half a surrogate pair, an integer beyond 64 bits, depth
            yield JsonText(value, offset, len(raw), repaired)
        except TypeError as error:
            reason = "too_deep" if "ecursion" in str(error) else "bad_json"
            yield malformed(reason, f"{type(error).__name__} in an array's element", raw, offset)
        at = _skip(text, after, "" if single else ",")


def _skip(text: str, at: int, also: str) -> int:
    while at < len(text) and (text[at].isspace() or text[at] in also):
        at += 1
    return at
