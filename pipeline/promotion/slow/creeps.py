"""What creeps up by the week before, for those who decide on a day: `slow_failures`, read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pipeline.failures.slow.modes import METRIC_NAMES

__all__ = ["Creep", "Creeps"]


@dataclass(frozen=True)
class Creep:
    """A measure that creeps up.

    Attributes:
        subject: the intent, release or mode, in words.
        metric: one of `METRICS`.
        start: its level before it rose, a mean a conversation.
        now: its level in the week before.
        weeks: of its trend.
        first_week: the Monday of the first of them.
        since: the Monday of the week that found it.
        q_value: the false share among all findings up to it.
    """

    subject: str
    metric: str
    start: float
    now: float
    weeks: int
    first_week: date
    since: date
    q_value: float

    def told(self) -> str:
        """What is known of it, in a sentence without its full stop."""
        name = METRIC_NAMES[self.metric]
        verb = "has" if self.metric == "cost_usd" else "have"
        return (
            f"{name.capitalize()} of {self.subject} {verb} crept up since the week of "
            f"{self.first_week}, from {_amount(self.start)} to {_amount(self.now)} a conversation "
            f"(q = {self.q_value:.2g})"
        )


class Creeps:
    """What creeps up by `slow_failures` of one week; of None, where none was closed, nothing.

    A rise of an intent or release counts where its conversations without a failure show at least
    `share` of it: else it is the failing ones that rose, and they are candidates already.
    """

    def __init__(self, slow: pl.DataFrame | None, share: float) -> None:
        rows = [] if slow is None else slow.sort("scope", "subject", "metric").to_dicts()
        self._creeps = {
            (row["scope"], row["subject"], row["metric"]): _read(row)
            for row in rows
            if row["creeping"]
            and row["baseline"] is not None
            and (row["scope"] == "mode" or (row["passing_share"] or 0) >= share)
        }
        self._before: dict[tuple[str, str], float] = {
            (row["subject"], row["metric"]): row["baseline"]
            for row in rows
            if row["scope"] == "intent" and row["baseline"] is not None
        }

    def __bool__(self) -> bool:
        return bool(self._creeps)

    def of(self, intent: str, release: str, metric: str) -> Creep | None:
        """How a metric of an intent creeps up, else that of the release; None: neither does."""
        return self._creeps.get(("intent", intent, metric)) or self._creeps.get(
            ("release", release, metric)
        )

    def before(self, intent: str, metric: str) -> float | None:
        """What conversations of an intent took before; None where no trend was fitted."""
        return self._before.get((intent, metric))

    def of_mode(self, mode_id: str | None) -> Iterator[Creep]:
        """How the traces of a failure mode creep up."""
        for (scope, subject, _), creep in self._creeps.items():
            if scope == "mode" and subject == mode_id:
                yield creep


def _read(row: Mapping[str, Any]) -> Creep:
    named = {"mode": "this mode", "release": f"release {row['subject']}"}
    now = row["value"] if row["scope"] == "mode" or row["passing"] is None else row["passing"]
    return Creep(
        subject=named.get(row["scope"], row["subject"]),
        metric=row["metric"],
        start=row["baseline"],
        now=now,
        weeks=row["weeks"],
        first_week=row["first_week"],
        since=row["since"],
        q_value=row["q_value"],
    )


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"
