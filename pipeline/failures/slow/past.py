"""The weeks of a measure before this one, as `slow_failures` has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date

import polars as pl

__all__ = ["Past", "Week", "read_past"]


@dataclass(frozen=True)
class Week:
    """One week of a measure; `since` is the week that found it to creep up, while it does."""

    week: date
    value: float
    n: int
    effective_n: float
    variance: float
    passing: float | None
    passing_n: int
    since: date | None = None


Past = Mapping[tuple[str, str, str], Sequence[Week]]
"""By scope, subject and metric, oldest first."""


def read_past(before: pl.DataFrame) -> Past:
    """Read rows of `slow_failures` with their `week`."""
    found: dict[tuple[str, str, str], list[Week]] = {}
    columns = [field.name for field in fields(Week)]
    rows = before.sort("week").select("scope", "subject", "metric", *columns)
    for scope, subject, metric, *values in rows.iter_rows():
        found.setdefault((scope, subject, metric), []).append(Week(*values))
    return found
