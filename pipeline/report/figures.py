"""Looks figures up in a run summary and writes them the way people read them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from math import isclose

import polars as pl

from pipeline.report.facts import Fact

__all__ = [
    "Figures",
    "amount",
    "estimated",
    "exact",
    "interval",
    "money",
    "money_interval",
    "percent",
    "percent_interval",
    "plain",
    "plural",
    "table",
]

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_LONGEST = 160


class Figures:
    """The rows of one day's `run_summaries` by metric and slice."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._facts = [Fact(**row) for row in frame.iter_rows(named=True)]

    def one(self, metric: str, slice: str = "") -> Fact:
        """The figure of a metric and slice; one that is not there has no value."""
        found = (f for f in self._facts if (f.metric, f.slice) == (metric, slice))
        return next(found, Fact(metric, slice, None))

    def many(self, metric: str) -> list[Fact]:
        """All figures of a metric, the largest first."""
        found = [fact for fact in self._facts if fact.metric == metric]
        return sorted(found, key=lambda f: (-(f.value or 0.0), f.slice))

    @property
    def life_states(self) -> set[str]:
        """The states of failure modes that there is a figure of."""
        return {f.metric.removeprefix("mode_") for f in self._facts if f.metric.startswith("mode_")}

    def under(self, metric: str, prefix: str) -> list[Fact]:
        """The figures of a metric whose slice starts with `prefix/`, with the rest as slice."""
        return [
            replace(f, slice=f.slice.removeprefix(f"{prefix}/"))
            for f in self.many(metric)
            if f.slice.startswith(f"{prefix}/")
        ]

    def distinct(self, field: str) -> list[str]:
        """The distinct texts of a field over all figures that have a value, sorted."""
        defined = (fact for fact in self._facts if fact.value is not None)
        return sorted({text for fact in defined if (text := getattr(fact, field))})


def plain(text: object, longest: int = _LONGEST) -> str:
    """`text` on one line, without control and direction marks, cut to 160 characters."""
    line = " ".join(_UNSEEN.sub(" ", str(text)).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def amount(value: float | None) -> str:
    """A number of things: 1,204; an estimate below ten keeps one decimal."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 9.95 else f"{value:.1f}".removesuffix(".0")


def percent(value: float | None) -> str:
    """A share as per cent with one decimal."""
    return "–" if value is None else f"{100 * value:.1f} %"


def money(value: float | None) -> str:
    """US dollars: two decimals, or four below ten cents."""
    if value is None:
        return "–"
    return f"${value:,.2f}" if value >= 0.1 or value == 0 else f"${value:.4f}"


def exact(fact: Fact) -> bool:
    """Whether every conversation was looked at, so that nothing is estimated."""
    if fact.low is None or fact.high is None:
        return False
    return fact.n is not None and isclose(fact.low, fact.high, rel_tol=1e-9)


def estimated(fact: Fact, word: str = "estimated ") -> str:
    """What stands before a number: a word that says it is an estimate, or nothing if it is none."""
    return "" if exact(fact) else word


def percent_interval(fact: Fact) -> str:
    """The bounds of a share: 14.1 to 23.0 %; "exact" where all were looked at."""
    if fact.low is None or fact.high is None:
        return "not defined"
    if exact(fact):
        return "exact"
    return f"{100 * fact.low:.1f} to {100 * fact.high:.1f} %"


def interval(fact: Fact) -> str:
    """The bounds of an estimated number: 12 to 90; "exact" where all were looked at."""
    if fact.low is None or fact.high is None:
        return "not defined"
    if exact(fact):
        return "exact"
    return f"{amount(fact.low)} to {amount(fact.high)}"


def money_interval(fact: Fact) -> str:
    """The bounds of an estimated sum: $10.20 to $14.80; "exact" where all were looked at."""
    if fact.low is None or fact.high is None:
        return "not defined"
    if exact(fact):
        return "exact"
    return f"{money(fact.low)} to {money(fact.high)}"


def plural(number: float | None, one: str, many: str = "") -> str:
    """A number with its noun: 1 case, 2 cases."""
    return f"{amount(number)} {one if number == 1 else many or one + 's'}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns line up when read as plain text."""
    cells = [list(header), *([c.replace("|", "\\|") for c in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |"
             for row in cells]  # fmt: skip
    rule = "|" + "|".join("-" * (w + 2) for w in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])
