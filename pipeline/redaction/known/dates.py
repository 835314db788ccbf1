"""Dates moved by some days, in whatever form they are written."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Final

__all__ = ["moved_date"]

_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
_NUMERIC: Final = re.compile(r"(\d{1,4})([-/.])(\d{1,2})([-/.])(\d{4}|\d{1,2})")
_DAY_FIRST: Final = re.compile(
    r"(?P<d>\d{1,2})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<m>[A-Za-z]{3,9})\.?,?\s+(?P<y>\d{4})"
)
_MONTH_FIRST: Final = re.compile(
    r"(?P<m>[A-Za-z]{3,9})\.?\s+(?P<d>\d{1,2})(?:st|nd|rd|th)?,?\s+(?:of\s+)?(?P<y>\d{4})"
)


def moved_date(value: str, shape: str, days: int) -> str | None:
    """A date moved by `days`, written as `shape` is; None where that is not a date.

    Args:
        value: the date, ISO where it is known; it settles which number is the month.
        shape: the date as written.
        days: how far.
    """
    written = shape.strip()
    if numeric := _NUMERIC.fullmatch(written):
        return _moved_numbers(numeric, _iso(value), days)
    named = _DAY_FIRST.fullmatch(written) or _MONTH_FIRST.fullmatch(written)
    months = [month[:3] for month in _MONTHS]
    if named is None or (short := named["m"][:3].capitalize()) not in months:
        return None
    day = _date(int(named["y"]), months.index(short) + 1, int(named["d"]))
    if day is None:
        return None
    moved = day + dt.timedelta(days=days)
    whole = len(named["m"]) > 3 or short == "May"
    month = _MONTHS[moved.month - 1][: None if whole else 3]
    if named.start("d") < named.start("m"):
        return f"{moved.day} {month} {moved.year}"
    return f"{month} {moved.day}, {moved.year}"


def _moved_numbers(found: re.Match[str], known: dt.date | None, days: int) -> str | None:
    first, gap, second, gap2, third = found.groups()
    if len(first) == 4:
        orders = ["ymd"]
    elif len(first) > 2:
        return None
    else:
        orders = ["dmy", "mdy"] if gap == "." else ["mdy", "dmy"]
    read = [(order, _read(order, (first, second, third))) for order in orders]
    dates = [(order, day) for order, day in read if day is not None]
    if not dates:
        return None
    order, day = next(((o, d) for o, d in dates if d == known), dates[0])
    moved = day + dt.timedelta(days=days)
    parts = {"y": f"{moved.year:04d}", "m": str(moved.month), "d": str(moved.day)}
    widths = [len(first), len(second), len(third)]
    padded = any(len(text) == 2 and text[0] == "0" for text in (first, second, third))
    out = []
    for sign, width in zip(order, widths, strict=True):
        text = parts[sign]
        if sign == "y":
            text = text[-2:] if width == 2 else text
        elif padded or widths[order.index("m")] == widths[order.index("d")] == 2:
            text = text.zfill(2)
        out.append(text)
    return f"{out[0]}{gap}{out[1]}{gap2}{out[2]}"


def _read(order: str, texts: Iterable[str]) -> dt.date | None:
    found = {sign: int(text) for sign, text in zip(order, texts, strict=True)}
    year = found["y"] if found["y"] > 99 else found["y"] + (1900 if found["y"] > 30 else 2000)
    return _date(year, found["m"], found["d"])


def _iso(value: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value[:10])
    except ValueError:
        return None


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day) if 1900 <= year <= 2100 else None
    except ValueError:
        return None
