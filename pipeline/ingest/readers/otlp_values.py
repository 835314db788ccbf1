"""Ids, times, statuses and attribute values as OTLP and its many relatives write them."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from pipeline.windows import FIRST_DAY

__all__ = [
    "EARLIEST",
    "LATEST",
    "STATUS_ERROR",
    "BadSpan",
    "any_value",
    "attributes_of",
    "at",
    "either",
    "float_value",
    "hex_id",
    "int_value",
    "interval",
    "plain",
    "unix_time",
]

# In nanoseconds: before the first partition nothing is published; after 2099 a clock was wrong.
EARLIEST = int(datetime.combine(FIRST_DAY, time(), UTC).timestamp()) * 10**9
LATEST = 4102444800 * 10**9
STATUS_ERROR = frozenset(
    {2, "2", "STATUS_CODE_ERROR", "ERROR", "Error", "error", "StatusCode.ERROR"}
)
# Where one unit's numbers of the years 2000 to 2261 end the next one's have not begun.
_UNITS = (("ns", 1), ("us", 10**3), ("ms", 10**6), ("s", 10**9))
_FROM, _TO = 946684800 * 10**9, 2**63
_HEX = re.compile(r"[0-9a-fA-F]+")
# What `orjson.dumps` takes is 254 levels deep; values lie a few levels down in their record.
_DEEPEST = 200


class BadSpan(ValueError):
    """One span or log record cannot be read; `reason` is the quarantine's code."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def either(record: Mapping[str, Any], *names: str) -> Any:
    """The first of `names` that says something; None if none does."""
    return next((v for n in names if (v := record.get(n)) is not None and v != ""), None)


def at(nanoseconds: int) -> datetime:
    """A Unix time to the microsecond (a double holds 2.4e-7 s exactly until the year 2106)."""
    return datetime.fromtimestamp(nanoseconds // 1000 / 1e6, UTC)


def hex_id(value: Any, size: int) -> str | None:
    """An id in lower-case hex; base64 (the protobuf JSON mapping) is told by its length.

    None where there is none: missing, empty, or all zeros.

    Raises:
        BadSpan: neither of them, or not `size` bytes.
    """
    if value is None or value == "":
        return None
    text = str(value)
    if len(text) == 2 * size and _HEX.fullmatch(text):
        found = text.lower()
    else:
        try:
            decoded = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadSpan("bad_span", "an id that is neither hex nor base64") from error
        if len(decoded) != size:
            raise BadSpan("bad_span", f"an id of {len(decoded)} bytes where {size} are due")
        found = decoded.hex()
    return found if found.strip("0") else None


def unix_time(value: Any) -> tuple[int | None, str]:
    """A time in nanoseconds, and the unit it was read in: ns, us, ms, s, or text.

    Numbers tell their unit by their size. `[seconds, nanoseconds]` is JavaScript's hrTime,
    `{"low", "high"}` its 64-bit integer; ISO 8601 without a zone is UTC. None: there is no time.

    Raises:
        BadSpan: no time in any unit.
    """
    if value is None or value in ("", 0, "0") or isinstance(value, bool):
        return None, "text"
    if isinstance(value, Mapping) and {"low", "high"} <= value.keys():
        value = (int(value["high"]) << 32) + (int(value["low"]) & 0xFFFFFFFF)
    if isinstance(value, list | tuple) and len(value) == 2:
        return int(value[0]) * 10**9 + int(value[1]), "text"
    if isinstance(value, str) and not re.fullmatch(r"[\d.eE+]+", value):
        return _iso(value), "text"
    try:
        number = value if isinstance(value, int) else _number(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadSpan("bad_span", f"a time that is none ({type(error).__name__})") from error
    for unit, factor in _UNITS:
        if _FROM <= number * factor < _TO:
            # Doubles hold microseconds of these years, and no finer.
            whole = isinstance(number, int)
            return int(number * factor if whole else round(number * factor / 1e3) * 1000), unit
    raise BadSpan("bad_span", "a number that is no time in any unit")


def _number(value: Any) -> int | float:
    number = float(value)
    if isinstance(value, str) and value.isdigit() and len(value) < 30:
        return int(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _iso(text: str) -> int:
    try:
        parsed = datetime.fromisoformat(text.removesuffix(" UTC").strip())
        parsed = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        since = parsed - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise BadSpan("bad_span", "a time that is no ISO 8601") from error
    return (since.days * 86400 + since.seconds) * 10**9 + since.microseconds * 1000


def interval(
    start: Any, end: Any, day: date | None, *, duration: int | None = None
) -> tuple[datetime, datetime, set[str]]:
    """Start and end, and what was odd: unfinished_span, clock_skew, time_unit_*, day_given.

    Args:
        start: a time of any kind that `unix_time` reads.
        end: another; None for none.
        day: given to spans without a time.
        duration: nanoseconds, where no end is told.

    Raises:
        BadSpan: no usable start.
    """
    began, unit = unix_time(start)
    flags = set() if unit in ("ns", "text") else {f"time_unit_{unit}"}
    if began is None:
        if day is None:
            detail = "the span has no time; land the file again with --day YYYY-MM-DD"
            raise BadSpan("no_time", detail)
        began = int(datetime.combine(day, time(), UTC).timestamp()) * 10**9
        flags.add("day_given")
    if not EARLIEST <= began < LATEST:
        detail = f"its time lies before {FIRST_DAY} or after the year 2099"
        raise BadSpan("time_out_of_range", detail)
    try:
        ended = unix_time(end)[0]
    except BadSpan:
        ended = -1
    if ended is None and duration is not None:
        ended = began + duration
    if ended is None:
        flags.add("unfinished_span")
        ended = began
    elif not began <= ended < LATEST:
        flags.add("clock_skew")
        ended = began
    return at(began), at(ended), flags


def attributes_of(pairs: Any) -> dict[str, Any]:
    """Attributes as plain values, from OTLP's list of pairs or from a flat mapping."""
    return _attributes(pairs, 0)


def _attributes(pairs: Any, depth: int) -> dict[str, Any]:
    if isinstance(pairs, Mapping):
        return {str(key): plain(value, depth + 1) for key, value in pairs.items()}
    return {str(pair["key"]): any_value(pair.get("value"), depth) for pair in pairs or ()}


def any_value(wrapped: Any, depth: int = 0) -> Any:
    """Unwrap an AnyValue; what is none (as some write) is taken as it is."""
    if depth > _DEEPEST:
        raise BadSpan("too_deep", f"a value of more than {_DEEPEST} levels")
    if not isinstance(wrapped, Mapping):
        return plain(wrapped, depth)
    for kind, value in wrapped.items():
        match kind:
            case "intValue" | "int_value":
                return int_value(int(value))
            case "doubleValue" | "double_value":
                return float_value(float(value))
            case "arrayValue" | "array_value":
                return [any_value(item, depth + 1) for item in (value or {}).get("values") or ()]
            case "kvlistValue" | "kvlist_value":
                return _attributes((value or {}).get("values"), depth + 1)
            case _:
                return plain(value, depth)
    return None


def plain(value: Any, depth: int = 0) -> Any:
    """A JSON value that every later stage can hold.

    Integers beyond 64 bits become text, so do NaN and the infinities.

    Raises:
        BadSpan: it is too deep.
    """
    if isinstance(value, str | bool) or value is None:
        return value
    if isinstance(value, int):
        return int_value(value)
    if isinstance(value, float):
        return float_value(value)
    if depth > _DEEPEST:
        raise BadSpan("too_deep", f"a value of more than {_DEEPEST} levels")
    if isinstance(value, Mapping):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    return [plain(item, depth + 1) for item in value]


def int_value(number: int) -> int | str:
    """An integer, as text where it needs more than 64 bits."""
    return number if -(2**63) <= number < 2**63 else str(number)


def float_value(number: float) -> float | str:
    """A number, as the protobuf JSON mapping's text where it is none."""
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
