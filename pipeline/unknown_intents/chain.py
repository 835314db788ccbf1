"""One group of unplanned requests from week to week: its id, its share and where that is going."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from pipeline.estimation import Estimate
from pipeline.unknown_intents.grouping import Matrix

__all__ = ["Known", "carry", "match_groups", "read_known", "trend_of"]

_MATCH = 0.6  # cosine of two weeks' centroids from which they are one group: README.md
_DECAY = 0.5  # weight of a centroid's past
_FORGET = 13  # weeks without a request


@dataclass(frozen=True)
class Known:
    """A group of the week before."""

    unknown_intent_id: str
    name: str
    centroid: Matrix
    first_seen: date
    last_seen: date
    row: Mapping[str, Any]


def read_known(before: pl.DataFrame | None) -> list[Known]:
    """The groups that `unknown_intents` of the week before holds."""
    if before is None:
        return []
    rows = before.filter(pl.col("kind") != "all").sort("unknown_intent_id")
    return [
        Known(
            row["unknown_intent_id"], row["name"], np.array(row["centroid"]),
            row["first_seen"], row["last_seen"], row,
        )
        for row in rows.iter_rows(named=True)
    ]  # fmt: skip


def match_groups(centroids: Sequence[Matrix], known: Sequence[Known]) -> dict[int, Known]:
    """Which group of the week before each group is: the nearest pairs first, each used once.

    Pairs below a cosine of 0.6 are strangers. Ties go to the smaller id.
    """
    pairs = sorted(
        (-round(float(own @ old.centroid), 6), old.unknown_intent_id, n, m)
        for n, own in enumerate(centroids)
        for m, old in enumerate(known)
        if own.shape == old.centroid.shape
    )
    found: dict[int, Known] = {}
    used: set[int] = set()
    for cosine, _, n, m in pairs:
        if -cosine >= _MATCH and n not in found and m not in used:
            found[n] = known[m]
            used.add(m)
    return found


def mixed(old: Matrix, new: Matrix) -> Matrix:
    """The centroid carried on: half past, half present, a unit vector of 4 decimals."""
    both = _DECAY * old + (1 - _DECAY) * new
    carried: Matrix = np.round(both / max(float(np.sqrt(np.square(both).sum())), 1e-12), 4)
    return carried


def trend_of(now: Estimate, before: Mapping[str, Any] | None) -> str:
    """new, rising, falling or steady: two shares differ beyond chance, or they do not.

    z = (p - p') / sqrt(s² + s'²), each s the width of the 95 % interval over 2 · 1.96; beyond
    1.96 the share rises or falls.
    """
    if before is None or before["share"] is None:
        return "new"
    if now.value is None or now.low is None or now.high is None:
        return "steady"
    s = math.hypot(now.high - now.low, before["share_high"] - before["share_low"]) / (2 * 1.96)
    z = (now.value - before["share"]) / max(s, 1e-9)
    return "rising" if z > 1.96 else "falling" if z < -1.96 else "steady"


def carry(known: Known, none: Estimate, week_ends: date) -> dict[str, Any] | None:
    """The row of a group that nobody asked for this week; None after 13 such weeks."""
    if week_ends - known.last_seen >= timedelta(weeks=_FORGET):
        return None
    quiet = {"n": 0, "n_users": 0, "trend": "quiet", "exemplars": []}
    shares = {"share": none.value, "share_low": none.low, "share_high": none.high}
    return dict(known.row) | quiet | shares | {"share_before": known.row["share"]}
