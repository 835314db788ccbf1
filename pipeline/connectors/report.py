"""What a pull says at its end: how much it got of how much, and which fields are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.connectors.landed import Landed
from pipeline.connectors.paging import Stream
from pipeline.connectors.state import PullState

__all__ = ["completeness", "filled", "is_truncated", "totals"]


def totals(stream: Stream, state: PullState) -> Iterator[str]:
    """One line of a stream's counts, and one for every part that was not brought to its end."""
    parts = {part.key: state.parts.get(f"{stream.name}/{part.key}") for part in stream.parts}
    known = [part for part in parts.values() if part is not None]
    got = sum(part.fetched for part in known)
    told = [part.total for part in known if part.total is not None]
    of = f"{sum(told):,}" if len(told) == len(parts) else "an unknown total"
    truncated = "yes" if is_truncated(stream, state) else "no"
    kept = sum(part.kept for part in known)
    chosen = f", {kept:,} of them chosen" if kept != got else ""
    repeated = sum(part.repeated for part in known)
    again = f", {repeated:,} given more than once" if repeated else ""
    yield f"{stream.name}: got {got:,} of {of}, truncated: {truncated}{chosen}{again}"
    for key, part in parts.items():
        if part is not None and part.trouble:
            yield f"  {key}: {part.trouble}"


def is_truncated(stream: Stream, state: PullState) -> bool:
    """Whether a part of the stream was not brought to its end."""
    found = (state.parts.get(f"{stream.name}/{part.key}") for part in stream.parts)
    return any(part is None or not part.done for part in found)


def completeness(streams: Sequence[Stream], landed: Landed) -> Iterator[str]:
    """The share of records with each field, and what is lost where nearly none has it."""
    lost = []
    for stream in streams:
        counts: Counter[tuple[str, bool]] = Counter()
        for row in landed.rows(stream.name):
            counts.update((f.name, f.has(row)) for f in stream.fields if f.of(row))
        shares = [(f, counts[f.name, True], counts[f.name, True] + counts[f.name, False])
                  for f in stream.fields]  # fmt: skip
        shown = [f"{f.name} {_percent(has, of)}" for f, has, of in shares if of]
        if shown:
            yield f"  {stream.name}: {', '.join(shown)}"
        lost += [f for f, has, of in shares if of and has == 0 and f.without]
    for one in lost:
        yield f"  No {one.name}: {one.without}"


def filled(*names: str) -> Any:
    """A test whether one of a record's fields holds anything; `a.b` looks into `a`."""

    def has(row: Mapping[str, Any]) -> bool:
        return any(_holds(row, name) for name in names)

    return has


def _holds(row: Mapping[str, Any], name: str) -> bool:
    value: Any = row
    if name not in row:
        for step in name.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
    else:
        value = row[name]
    return value not in (None, "", {}, [])


def _percent(has: int, of: int) -> str:
    """A share in whole percent that is 0 or 100 only where none or all have it."""
    whole = round(100 * has / of)
    if 0 < has < of:
        whole = min(max(whole, 1), 99)
    return f"{whole} %"
