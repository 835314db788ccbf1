"""Times as OTLP and its relatives write them, and what is odd about them."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, time
from typing import Any

from pipeline.ingest.readers.otlp_values import BadSpan
from pipeline.windows import FIRST_DAY

__all__ = ["EARLIEST", "LATEST", "at", "interval", "unix_time"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# In nanoseconds: before the first partition nothing is published; after 2099 a clock was wrong.
EARLIEST = int(datetime.combine(FIRST_DAY, time(), UTC).timestamp()) * 10**9
LATEST = 4102444800 * 10**9
# Where one unit's numbers of the years 2000 to 2261 end the next one's have not begun.
_UNITS = (("ns", 1), ("us", 10**3), ("ms", 10**6), ("s", 10**9))
_FROM, _TO = 946684800 * 10**9, 2**63


def at(nanoseconds: int) -> datetime:
    """A Unix time to the microsecond (a double holds 2.4e-7 s exactly until the year 2106)."""
    try:
        return datetime.fromtimestamp(nanoseconds // 1000 / 1e6, UTC)
    except OSError as error:  # what the C library cannot hold
        raise OverflowError("a time out of range") from error


def unix_time(value: Any) -> tuple[int | None, str]:
    """A time in nanoseconds, and the unit it was read in: ns, us, ms, s, or text.

    Numbers tell their unit by their size. `[seconds, nanoseconds]` is JavaScript's hrTime,
    `{"low", "high"}` its 64-bit integer; ISO 8601 without a zone is UTC. None: there is no time.

    Raises:
        BadSpan: no time in any unit.
    """
    if isinstance(value, str) and value.isdigit() and len(value) == 19:
        value = int(value)  # OTLP's own way
    if value is None or isinstance(value, bool) or value in ("", 0, "0"):
        return None, "text"
    if isinstance(value, dict) and {"low", "high"} <= value.keys():
        value = (int(value["high"]) << 32) + (int(value["low"]) & 0xFFFFFFFF)
    if isinstance(value, list | tuple) and len(value) == 2:
        return int(value[0]) * 10**9 + int(value[1]) or None, "text"
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
    if isinstance(value, str) and value.isdigit() and len(value) < 30:
        return int(value)
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return int(number) if number.is_integer() else number


def _iso(text: str) -> int:
    try:
        parsed = datetime.fromisoformat(text.removesuffix(" UTC").strip())
        parsed = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        since = parsed - _EPOCH
    except (ValueError, OverflowError) as error:
        raise BadSpan("bad_span", "a time that is no ISO 8601") from error
    return (since.days * 86400 + since.seconds) * 10**9 + since.microseconds * 1000


def interval(
    start: Any, end: Any, day: date | None, *, duration: int | None = None
) -> tuple[datetime, datetime, set[str]]:
    """Start and end, and what was odd: unfinished_span, clock_skew, time_unit_*, day_given.

    Whether the start lies in a time that is published is the caller's question.

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
    try:
        ended = unix_time(end)[0]
    except BadSpan:
        ended = -1
    if ended is None and duration is not None:
        ended = began + duration
    if ended is None:
        flags.add("unfinished_span")
        ended = began
    elif ended < began or ended >= LATEST > began:
        flags.add("clock_skew")
        ended = began
    return at(began), at(ended), flags
