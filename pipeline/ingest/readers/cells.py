"""Cells of platform exports as plain values: opened, dated, and such as JSON can hold."""

from __future__ import annotations

import ast
import json
import math
import warnings
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import orjson

from pipeline.ingest.jsontext import malformed
from pipeline.ingest.records import Malformed
from pipeline.ingest.source import Source

__all__ = ["NoTime", "duration", "interval", "moment", "number", "opened", "plain", "unreadable"]

_DEEPEST = 200
_LONGEST_REPR = 1 << 20  # the parser of Python literals takes a hundred times its text in memory
_INT64 = 1 << 63
_UINT64 = 1 << 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Seconds, milliseconds, microseconds, nanoseconds since 1970 are told apart by size. For times of
# 1973 to 2286 the four ranges do not meet.
_UNITS = ((10**11, Decimal(1_000_000)), (10**14, Decimal(1_000)), (10**17, Decimal(1)))


class NoTime(ValueError):
    """The record says no time, and no day was given for the file."""


def opened(cell: Any) -> Any:
    """A cell as the value it holds: JSON text parsed once, also pandas' text of lists and dicts.

    What looks like neither stays text.
    """
    if isinstance(cell, bytes):
        cell = cell.decode("utf-8", "replace")
    if not isinstance(cell, str):
        return plain(cell)
    start = cell.lstrip()[:1]
    if start not in ("{", "[", '"'):
        return plain(cell)
    try:
        return plain(orjson.loads(cell))
    except orjson.JSONDecodeError:
        pass
    try:
        return plain(json.loads(cell))  # NaN, integers beyond 64 bits, lone surrogates
    except (ValueError, RecursionError):
        pass
    if start != '"' and len(cell) <= _LONGEST_REPR:
        try:
            with warnings.catch_warnings(action="ignore"):  # on escapes that Python does not know
                return plain(ast.literal_eval(cell.strip()))
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            pass
    return plain(cell)


def plain(value: Any, depth: int = 0) -> Any:
    """A value that JSON can hold: no decimal, date, NaN, lone surrogate or integer over 64 bits.

    Raises:
        RecursionError: it is nested more than 200 deep.
    """
    if depth > _DEEPEST:
        raise RecursionError("nested too deep")
    match value:
        case None | bool():
            return value
        case str():
            return value if value.isascii() else _whole(value)
        case int():
            return value if -_INT64 <= value < _UINT64 else str(value)
        case float() | Decimal():
            return number(value)
        case datetime():
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
        case date() | time():
            return value.isoformat()
        case Mapping():
            return {str(plain(str(k))): plain(v, depth + 1) for k, v in value.items()}
        case list() | tuple() | set():
            return [plain(item, depth + 1) for item in value]
        case bytes():
            return value.decode("utf-8", "replace")
        case _:
            return str(value)


def _whole(text: str) -> str:
    """Text in which half a surrogate pair became U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def moment(cell: Any) -> datetime | None:
    """A time in UTC, to the microsecond; None where the cell says none.

    Text is ISO 8601, UTC where it names no zone; a number counts seconds, milliseconds,
    microseconds or nanoseconds since 1970, told apart by its size.

    Raises:
        ValueError, OverflowError: it is no time.
    """
    if isinstance(cell, str):
        cell = _from_text(cell.strip())
    if isinstance(cell, datetime):
        return (cell if cell.tzinfo else cell.replace(tzinfo=UTC)).astimezone(UTC)
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    if isinstance(cell, bool) or not isinstance(cell, int | float | Decimal):
        raise ValueError("no time")
    told = Decimal(repr(cell)) if isinstance(cell, float) else Decimal(cell)
    factor = next((factor for above, factor in _UNITS if abs(told) < above), Decimal("0.001"))
    return _EPOCH + timedelta(microseconds=int(told * factor))


def _from_text(text: str) -> datetime | int | Decimal | None:
    if text.lower() in ("", "none", "null", "nan", "nat"):
        return None
    if not text.lstrip("-").replace(".", "", 1).isdecimal():
        return datetime.fromisoformat(text)
    return Decimal(text) if "." in text else int(text)


def interval(start: Any, end: Any, source: Source) -> tuple[datetime, datetime, frozenset[str]]:
    """Start and end of a span, and flags: unfinished_span, clock_skew, untimed.

    Raises:
        NoTime: there is no start, and `source` has no day.
        ValueError, OverflowError: a time that is none.
    """
    begun, ended = moment(start), moment(end)
    if begun is None:
        if source.day is None:
            raise NoTime("no start, and no day was given")
        midnight = datetime.combine(source.day, time(), UTC)
        return midnight, midnight, frozenset({"untimed"})
    if ended is None:
        return begun, begun, frozenset({"unfinished_span"})
    if ended < begun:
        return begun, begun, frozenset({"clock_skew"})
    return begun, ended, frozenset()


def duration(cell: Any) -> timedelta | None:
    """Milliseconds, or seconds as text with their unit ("0.031s", protobuf's JSON); None if none.

    Raises:
        ValueError, OverflowError: it is no duration.
    """
    if isinstance(cell, str) and cell.endswith("s"):
        return timedelta(seconds=float(cell[:-1]))
    milliseconds = number(cell)
    return None if milliseconds is None else timedelta(milliseconds=milliseconds)


def number(cell: Any) -> float | None:
    """A finite number, also from a decimal, a boolean or text; None where the cell holds none."""
    if not isinstance(cell, bool | int | float | Decimal | str):
        return None
    try:
        value = float(cell)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def unreadable(error: Exception, row: Any, offset: int, reason: str = "bad_span") -> Malformed:
    """A row that could not be read: its reason code by the error, its beginning kept."""
    if isinstance(error, NoTime):
        reason = "no_time"
        detail = "the record has no time; land the file again with --day YYYY-MM-DD"
    elif isinstance(error, RecursionError):
        reason, detail = "too_deep", f"nested more than {_DEEPEST} deep"
    else:
        detail = f"not as such a record is ({type(error).__name__})"
    try:
        raw = orjson.dumps(row, default=str, option=orjson.OPT_NON_STR_KEYS)
    except (TypeError, RecursionError):
        try:
            raw = json.dumps(row, default=str).encode()
        except (TypeError, ValueError, RecursionError):
            raw = b""
    return malformed(reason, detail, raw, offset)
