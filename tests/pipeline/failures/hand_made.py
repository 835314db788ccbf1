"""Small hand-made grades."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl

from pipeline.tables import GRADES
from pipeline.windows import Window, week

MONDAY = date(2026, 11, 2)


def grade(trace: str, check: str = "completeness", **fields: Any) -> dict[str, Any]:
    """One verdict, a judge's fail unless told otherwise."""
    base: dict[str, Any] = {
        "trace_id": trace,
        "check": check,
        "grader_id": "judge-1",
        "layer": "judge",
        "axis": "completeness",
        "verdict": "fail",
        "score": 0.2,
        "severity": "medium",
        "reason": "The second question has no answer.",
        "evidence": ["message:1"],
        "subject": None,
        "error_class": "missed_part",
        "injection_suspected": False,
        "rate_probability": 1.0,
        "user_key": f"user-{trace}",
        "intent": "track_parcel",
        "stakes": "low",
        "release": "2026.11.1",
        "weight": 2.0,
    }
    return base | fields


def on_day(number: int, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    """The same verdicts, given on the n-th day after Monday 2 November 2026."""
    return [row | {"day": MONDAY + timedelta(days=number)} for row in rows]


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """A frame of `grades`, with a `day` where the rows have one."""
    schema = dict(GRADES.schema) | ({"day": pl.Date} if rows and "day" in rows[0] else {})
    return pl.DataFrame(rows, schema=schema)


def weeks(count: int) -> list[Window]:
    """Consecutive weeks from Monday 2 November 2026."""
    return [week(MONDAY + timedelta(days=7 * n)) for n in range(count)]
