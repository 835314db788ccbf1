"""What readers of whole conversations share: their time span, their counts, their tool calls."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeVar

import orjson
from msgspec.structs import replace

from pipeline.ids import canonical_json
from pipeline.ingest.content import as_text
from pipeline.ingest.jsontext import JsonText, malformed
from pipeline.ingest.records import Call, Malformed, Message
from pipeline.ingest.source import Source
from pipeline.ingest.traces.outcomes import calls_from_messages

__all__ = [
    "BAD_VALUE",
    "NoTime",
    "TimeSpan",
    "Usage",
    "as_amount",
    "as_count",
    "as_dollars",
    "as_list",
    "as_mapping",
    "as_time",
    "calls_with",
    "prose",
    "read_each",
    "read_one",
    "time_span",
]

BAD_VALUE = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
"""What a record with a value of an unforeseen kind raises."""

_Item = TypeVar("_Item")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The unit of a Unix time, told by its size: seconds of the year 5000 are milliseconds of 1973.
_UNITS = ((1e11, 10**6), (1e14, 10**3), (1e17, 1))
# What a model thought is no part of what was said; signatures are of no use to a reader.
_UNSAID = {"thinking", "redacted_thinking", "reasoning", "tool_use", "tool_result", "toolCall"}


class NoTime(ValueError):
    """A record has no time, and no day was given for its file."""


@dataclass(frozen=True)
class TimeSpan:
    """When a conversation began and ended; `timed` if its source says so itself."""

    start: datetime
    end: datetime
    timed: bool


@dataclass(frozen=True)
class Usage:
    """Tokens, cached ones included in the input, and dollars; None where nobody counted."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None

    def __add__(self, other: Usage) -> Usage:
        cost = _sum(self.cost_usd, other.cost_usd)
        return Usage(
            _sum(self.input_tokens, other.input_tokens),
            _sum(self.output_tokens, other.output_tokens),
            None if cost is None else round(cost, 9),
        )


def _sum(first: Any, second: Any) -> Any:
    return second if first is None else first if second is None else first + second


def as_time(value: Any) -> datetime | None:
    """A time as ISO 8601 (UTC where no zone is given) or Unix time; None where it is none.

    A number's size tells whether it counts seconds, milli-, micro- or nanoseconds.
    """
    try:
        if isinstance(value, str):
            parsed = datetime.fromisoformat(value.strip())
            return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            scale = next((micros for limit, micros in _UNITS if abs(value) < limit), None)
            micros = int(value) // 1000 if scale is None else round(value * scale)
            return _EPOCH + timedelta(microseconds=micros)
    except (ValueError, OverflowError):
        pass
    return None


def time_span(times: Iterable[Any], source: Source) -> TimeSpan:
    """The first and last of `times` that is one; else the day given for the file.

    Raises:
        NoTime: there is neither.
    """
    found = [instant for instant in map(as_time, times) if instant]
    if found:
        return TimeSpan(min(found), max(found), timed=True)
    if source.day is None:
        raise NoTime
    start = datetime.combine(source.day, time(), UTC)
    return TimeSpan(start, start, timed=False)


def read_each(
    text: JsonText, read: Callable[[Any], Iterable[_Item]], reason: str, what: str
) -> Iterator[_Item | Malformed]:
    """Yield what `read` makes of one value, or say why it could not.

    Args:
        text: the value.
        read: turns it into records; raises one of BAD_VALUE.
        reason: the quarantine's code for that.
        what: ends the sentence "no ...", naming what the value should have been.
    """
    try:
        yield from list(read(text.value))
    except NoTime:
        detail = "the record has no time; land the file again with --day YYYY-MM-DD"
        yield malformed("no_time", detail, _bytes(text.value), text.offset)
    except BAD_VALUE as error:
        detail = f"no {what} ({type(error).__name__})"
        yield malformed(reason, detail, _bytes(text.value), text.offset)


def read_one(
    text: JsonText, read: Callable[[Any], _Item], reason: str, what: str
) -> Iterator[_Item | Malformed]:
    """`read_each` for a value that is one record."""
    return read_each(text, lambda value: [read(value)], reason, what)


def _bytes(value: Any) -> bytes:
    try:
        return canonical_json(value)
    except orjson.JSONEncodeError:  # deeper than it writes, or with half a surrogate pair
        return b""


def as_list(value: Any) -> list[Any]:
    """A list as it is; anything else as none."""
    return value if isinstance(value, list) else []


def as_mapping(value: Any) -> Mapping[str, Any]:
    """An object as it is; anything else as an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_count(*values: Any) -> int | None:
    """The sum of those that are counts; None if none is."""
    counts = [
        int(value)
        for value in values
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**53
    ]
    return sum(counts) if counts else None


def as_amount(value: Any) -> float | None:
    """A finite number as a float (truth as 1 or 0); anything else as None."""
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    return None


def as_dollars(value: Any) -> float | None:
    """A number from 0 to 2**53 as a float; anything else as None: no mean could hold it."""
    dollars = as_amount(value)
    return dollars if dollars is not None and 0 <= dollars < 2**53 else None


def prose(content: Any) -> str | None:
    """What a content field says: text as it is, of a list of parts those that were said."""
    if isinstance(content, list):
        said = [p for p in content if not isinstance(p, Mapping) or p.get("type") not in _UNSAID]
        return as_text(said) if said else None
    return as_text(content)


def calls_with(messages: Sequence[Message], known: Mapping[str, Call]) -> tuple[Call, ...]:
    """The tool calls that messages show, with what the source says of them beside the messages.

    Args:
        messages: the conversation.
        known: by call id: span, times, result (where no message has it), and a `status` other
            than "ok" or an `error` to take over; a status of "stated" says it went well, whatever
            its text looks like.
    """
    calls = []
    for call in calls_from_messages(messages):
        extra = known.get(call.id or "")
        if extra is not None:
            if extra.status != "ok":
                well = extra.status == "stated"
                status, error = ("ok", None) if well else (extra.status, extra.error)
                call = replace(call, status=status, error=error)
            call = replace(
                call,
                span_id=extra.span_id,
                result=extra.result if call.result is None else call.result,
                started_at=extra.started_at,
                duration_ms=extra.duration_ms,
            )
        calls.append(call)
    return tuple(calls)
