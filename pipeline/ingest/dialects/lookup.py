"""Attribute values by their aliases, as text, numbers or amounts; nonsense says nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.ingest.content import as_text
from pipeline.ingest.messages.values import json_text

__all__ = ["amount", "count", "first", "first_amount", "first_count", "first_text", "prose"]

_EMPTY: tuple[Any, ...] = (None, "", [], {}, (), "null", "{}", "[]", "<REDACTED>")
_MOST = 2**53


def first(values: Mapping[str, Any], names: Iterable[str]) -> Any:
    """The first of `names` that says anything; an empty list, `{}` or `null` says nothing."""
    for name in names:
        value = values.get(name)
        if value is not None and value not in _EMPTY:
            return value
    return None


def first_text(values: Mapping[str, Any], names: Iterable[str]) -> str | None:
    """The first of `names` that holds a name, an id or a number, as text."""
    for name in names:
        value = values.get(name)
        if isinstance(value, str):
            if value and not value.isspace():
                return value
        elif isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
    return None


def first_count(values: Mapping[str, Any], names: Iterable[str]) -> int | None:
    """The first of `names` that holds a count."""
    for name in names:
        value = values.get(name)
        if value is not None and (number := count(value)) is not None:
            return number
    return None


def first_amount(values: Mapping[str, Any], names: Iterable[str]) -> float | None:
    """The first of `names` that holds an amount."""
    for name in names:
        value = values.get(name)
        if value is not None and (number := amount(value)) is not None:
            return number
    return None


def count(value: Any) -> int | None:
    """A number of things, however written: 12, 12.0 or "12"; None below 0 and from 2**53 on."""
    number = amount(value)
    return None if number is None else int(number)


def amount(value: Any) -> float | None:
    """A finite number from 0 to 2**53, however written (dollars in full, or a count)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value) if not isinstance(value, str) or len(value) < 40 else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and 0 <= number < _MOST else None


def prose(value: Any) -> str | None:
    """The prose of a value: a text, the texts of a list of parts, or JSON of anything else."""
    try:
        return as_text(value)
    except (TypeError, ValueError, RecursionError):
        # What JSON cannot hold (a 30-digit number, half a character) stands as a placeholder.
        return json_text(value)
