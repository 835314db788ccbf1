"""Failure modes as a person reads them in a terminal of any width: two or three lines a mode."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from pipeline.cli.options import counted
from pipeline.cli.printing import harmless

if TYPE_CHECKING:
    import polars as pl

__all__ = ["mode_lines"]

_NARROWEST = 40  # characters; where there are fewer the terminal wraps


def mode_lines(modes: pl.DataFrame, width: int) -> Iterator[str]:
    """The modes under their states, in the order they come.

    Args:
        modes: rows of `mode_states`.
        width: characters of the terminal.
    """
    if modes.is_empty():
        yield "No rows."
    margin = max((len(one) for one in modes["failure_mode_id"]), default=0) + 4
    room = max(width - margin, _NARROWEST)
    for state, rows in groupby(modes.iter_rows(named=True), key=lambda row: str(row["state"])):
        yield f"\n{state.replace('_', ' ')}"
        for row in rows:
            name, *more = textwrap.wrap(harmless(row["name"]), room) or [""]
            yield f"  {harmless(row['failure_mode_id']):<{margin - 4}}  {name}"
            more += textwrap.wrap(_facts(row), room)
            yield from (" " * margin + line for line in more)
    yield ""


def _facts(row: Mapping[str, Any]) -> str:
    """What the week saw of a mode, in a sentence."""
    rate = "rate not known"
    if row["rate"] is not None:
        low, high = row["rate_low"], row["rate_high"]
        within = "" if low is None or high is None else f" ({100 * low:.1f} to {100 * high:.1f})"
        rate = f"{100 * row['rate']:.1f} %{within}"
    fix = f", fix claimed in {row['fix_release']}" if row["fix_release"] else ""
    seen = f"{row['seen']} of {row['rate_n']} seen, the last on {row['last_seen']}"
    cases = counted(row["active_cases"] or 0, "case")
    return harmless(f"{rate}, {seen}; since {row['since']}{fix}; {cases}")
