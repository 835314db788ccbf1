"""JSON texts one by one from a file: each with its offset, each failing alone."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from msgspec.structs import replace

from pipeline.ingest.records import Malformed
from pipeline.ingest.source import Source

__all__ = [
    "KEPT_BYTES",
    "JsonText",
    "json_array",
    "json_lines",
    "malformed",
    "parse",
    "parse_leniently",
    "without_surrogates",
]

_BOM = b"\xef\xbb\xbf"
KEPT_BYTES = 64 * 1024
"""What quarantine keeps of a malformed record."""
_DEEPEST = 200  # levels
_ORJSON_WRITES = 254  # levels, where it reads 1,024
_MANY_DIGITS = re.compile(rb"\d{19}")
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_SIGNS = re.compile(r'"(?:[^"\\]++|\\.)*+"|[][{},]', re.DOTALL)
_SURROGATE = re.compile(r"[\ud800-\udfff]")


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


def parse_leniently(raw: bytes, offset: int = 0) -> JsonText | Malformed:
    """Parse JSON as its writers meant it, where the one parser refuses or would lose something.

    NaN and Infinity are nothing, integers beyond 64 bits are text, control characters stay, and
    halves of surrogate pairs (JavaScript cuts text between them) are replaced and flagged.
    """
    parsed = parse(raw, offset)
    if isinstance(parsed, JsonText) and not _MANY_DIGITS.search(raw):
        return _checked(parsed, raw)
    if isinstance(parsed, Malformed) and parsed.reason == "too_deep":
        return parsed
    text = raw.decode("utf-8", "replace")
    try:
        value = _lenient.decode(text)
    except (ValueError, RecursionError):
        return parsed
    repaired = "�" in text and "�".encode() not in raw
    return _checked(JsonText(value, offset, len(raw), repaired), raw)


def without_surrogates(value: Any) -> Any:
    """A JSON value with halves of surrogate pairs replaced."""
    match value:
        case str():
            return _SURROGATE.sub("�", value)
        case list():
            return [without_surrogates(item) for item in value]
        case dict():
            return {without_surrogates(k): without_surrogates(v) for k, v in value.items()}
        case _:
            return value


def _checked(text: JsonText, raw: bytes) -> JsonText | Malformed:
    """A value that can be written as JSON again, whatever a reader wraps around it."""
    value, repaired = text.value, text.repaired
    try:
        if _HALF.search(raw):
            value = without_surrogates(value)
            repaired = repaired or value != text.value
        if raw.count(b"[") + raw.count(b"{") > _DEEPEST:
            _require_shallow(value)
    except (TypeError, RecursionError):
        return malformed("too_deep", f"more than {_DEEPEST} levels deep", raw, text.offset)
    return JsonText(value, text.offset, text.length, repaired)


def _require_shallow(value: Any) -> None:
    """Raise TypeError where a value is nested more deeply than is kept."""
    for _ in range(_ORJSON_WRITES - _DEEPEST):
        value = [value]
    orjson.dumps(value)


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _integer(digits: str) -> int | str:
    """An integer of 64 bits, or its digits."""
    if len(digits) > 20:
        return digits
    number = int(digits)
    return number if -(2**63) <= number < 2**64 else digits


_lenient = json.JSONDecoder(
    strict=False, parse_int=_integer, parse_float=_finite, parse_constant=lambda _: None
)


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
                    parsed = parse_leniently(text, start)
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

    Elements are decoded one after another. A broken one is passed over where its brackets tell
    its end; where they do not, nothing more can be told apart, and the rest is one malformed
    record.

    Raises:
        Unreadable: it is too large; or it is damaged, once what came before has been yielded.
    """
    content, damage = source.salvage()
    raw = content.removeprefix(_BOM)
    text = raw.decode("utf-8", "replace")
    repaired = "�" in text and "�".encode() not in raw
    at = _skip(text, 0, "")
    single = not text.startswith("[", at)
    at = at if single else _skip(text, at + 1, "")
    offset, counted = 0, 0
    while at < len(text) and (single or text[at] != "]"):
        offset, counted = offset + len(text[counted:at].encode("utf-8", "replace")), at
        try:
            value, after = _lenient.raw_decode(text, at)
            raw = text[at:after].encode("utf-8", "replace")
            yield _checked(JsonText(value, offset, len(raw), repaired), raw)
        except (ValueError, RecursionError) as error:
            reason = "too_deep" if isinstance(error, RecursionError) else "bad_json"
            after = _end_of(text, at)
            raw = text[at:after].encode("utf-8", "replace")
            yield malformed(reason, f"{type(error).__name__} in an array's element", raw, offset)
        at = _skip(text, after, "" if single else ",")
    if damage is not None:
        raise damage


def _end_of(text: str, at: int) -> int:
    """Where a broken element ends: after its last bracket, or at the comma that follows it."""
    depth = 0
    for sign in _SIGNS.finditer(text, at):
        if sign[0] in ("{", "["):
            depth += 1
        elif sign[0] in ("}", "]"):
            depth -= 1
            if depth <= 0:
                return sign.end() if depth == 0 else max(sign.start(), at + 1)
        elif sign[0] == "," and depth == 0 and sign.start() > at:
            return sign.start()
    return len(text)


def _skip(text: str, at: int, also: str) -> int:
    while at < len(text) and (text[at].isspace() or text[at] in also):
        at += 1
    return at
