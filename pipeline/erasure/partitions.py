"""Published partitions without those who are erased; the footer says that rows left, and why.

Rows are dropped at once. What was computed from them (weights, sizes, rates) stays as it was until
the days are run again: it tells how many there were, not who.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from pipeline.erasure.belonging import Edit, Traits, edit
from pipeline.lake import Lake
from pipeline.provenance import Counts, Provenance
from pipeline.tables import ALL, QUARANTINED_RECORDS, RAW_TRACES, Table
from pipeline.windows import Window

__all__ = ["Erased", "erase_tables"]

_TELLING = {
    RAW_TRACES.name: (
        "trace_id", "member_trace_ids", "session_id", "user_key", "span_count", "source_files",
    )
}  # fmt: skip
"""Columns that tell whose a row is, where the others are too large to be read for it."""


@dataclass(frozen=True)
class Erased:
    """What left a table: rows dropped, rows changed, and the partitions they were in."""

    table: str
    dropped: int
    changed: int
    windows: tuple[Window | None, ...]


def erase_tables(lake: Lake, traits: Traits, receipt: str, *, dry_run: bool) -> Iterator[Erased]:
    """Take them out of every partition of every table, each at one stroke.

    Args:
        lake: the lake.
        traits: what is taken out.
        receipt: the id of the erasure's receipt, named in the footers.
        dry_run: count alone.
    """
    # What tells whose a trace is comes last: after a kill it is found again.
    order = sorted(ALL.values(), key=lambda table: table is RAW_TRACES)
    for table in order:
        dropped = changed = 0
        windows: list[Window | None] = []
        for window in lake.windows(table) if table.unit else [None]:
            for part in table.parts:
                found = _erase(lake, table, window, part, traits, receipt, dry_run)
                if found.dropped or found.changed:
                    dropped, changed = dropped + found.dropped, changed + found.changed
                    windows += [window] if window not in windows else []
        yield Erased(table.name, dropped, changed, tuple(windows))


def _erase(
    lake: Lake, table: Table, window: Window | None, part: str, traits: Traits, receipt: str,
    dry_run: bool,
) -> Edit:  # fmt: skip
    path = lake.directory(table, window) / f"{part}.parquet"
    if not path.exists():
        return Edit(table.empty(), 0, 0, 0)
    columns = _TELLING.get(table.name)
    told = (
        pl.concat([table.empty(), *_row_groups(path)])
        if columns is None
        else lake.read(table, window, columns)
    )
    found = edit(table, told, traits)
    body = lake.footer(table, window, part)
    inputs = {name: traits.files.get(sha, sha) for name, sha in body["inputs"].items()}
    moved = inputs != body["inputs"] or (
        table in (RAW_TRACES, QUARANTINED_RECORDS) and not found.frame.equals(told)
    )
    if dry_run or not (found.dropped or found.changed or moved):
        return found
    if found.dropped or found.changed:
        inputs[f"privacy/{receipt}"] = receipt
    provenance = Provenance(
        _without(Counts(**body["counts"]), found.counted),
        {_renamed(name, sha): sha for name, sha in inputs.items()},
        body["registry"],
        body["code_version"],
    )
    frames = (edit(table, frame, traits).frame for frame in _row_groups(path))
    lake.publish(table, window, frames, provenance, part)
    return found


def _without(counts: Counts, counted: int) -> Counts:
    """The conservation counts once `counted` of what came out is erased."""
    left = min(counted, counts.records_out)
    if not left:
        return counts
    filtered: dict[str, Any] = dict(counts.filtered)
    filtered["erased"] = filtered.get("erased", 0) + left
    return replace(counts, records_out=counts.records_out - left, filtered=filtered)


def _renamed(name: str, sha: str) -> str:
    """Landing files are named by their digest in a footer."""
    return f"landing/{sha[:12]}" if name.startswith("landing/") else name


def _row_groups(path: Any) -> Iterator[pl.DataFrame]:
    with pq.ParquetFile(path) as parquet:
        for number in range(parquet.num_row_groups):
            frame = pl.from_arrow(parquet.read_row_group(number))
            assert isinstance(frame, pl.DataFrame)
            yield frame
