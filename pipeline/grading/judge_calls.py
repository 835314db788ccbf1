"""What the ledger's calls tell afterwards: their export for analysts, and what one costs."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.files import make_directory, replace_file, sweep
from pipeline.ledger_file import telling_of_ledger

__all__ = ["JUDGE_CALLS", "export_ledger", "mean_cost"]

_COLUMNS: Final[dict[str, pl.DataType]] = {
    "call_id": pl.Int64(),
    "run_id": pl.String(),
    "judge_id": pl.String(),
    "content": pl.String(),
    "trace_id": pl.String(),
    "started_at": pl.Datetime("us", "UTC"),
    "outcome": pl.String(),
    "cache_hit": pl.Boolean(),
    "reserved_usd": pl.Float64(),
    "cost_usd": pl.Float64(),
    "latency_ms": pl.Float64(),
    "input_tokens": pl.Int64(),
    "output_tokens": pl.Int64(),
    "returned_model": pl.String(),
    "fingerprint": pl.String(),
}
JUDGE_CALLS: Final = pl.Schema(_COLUMNS)
"""Columns of the export, `judge_calls`: one row a call, paid or from the cache.

`outcome` is answered, a problem's code (refused, truncated, unparsable, ...), a transport
failure's (rate_limited, timeout, ...), cached, or reserved: begun and never finished, as after a
kill; such a call counts at what was reserved.
"""


def mean_cost(folder: Path, judge_id: str) -> tuple[float, int]:
    """The mean USD of a judge's answered calls, and how many there were."""
    path = folder / "judge.sqlite"
    with _opened(path) as connection:
        total, calls = connection.execute(
            "SELECT COALESCE(SUM(cost_usd), 0), COUNT(*) FROM calls"
            " WHERE judge_id = ? AND outcome = 'answered'",
            (judge_id,),
        ).fetchone()
    return (total / calls if calls else 0.0), calls


def export_ledger(folder: Path) -> Path:
    """Write the calls to `export/judge_calls.parquet` in the ledger's folder, for a DuckDB view.

    A ledger that was never opened gives a file of no rows. The file is replaced at one stroke.
    """
    names = list(JUDGE_CALLS)
    rows: list[tuple[object, ...]] = []
    path = folder / "judge.sqlite"
    if path.exists():
        with _opened(path) as connection:
            rows = list(_calls(connection, names))
    frame = pl.DataFrame(
        [dict(zip(names, row, strict=True)) for row in rows],
        schema={**_COLUMNS, "started_at": pl.String(), "cache_hit": pl.Int64()},
    ).with_columns(
        pl.col("started_at").str.to_datetime(time_unit="us", time_zone="UTC"),
        pl.col("cache_hit").cast(pl.Boolean),
    )
    target = folder / "export" / "judge_calls.parquet"
    if not folder.exists():
        make_directory(folder, private=True)
        folder.chmod(0o711)
    make_directory(target.parent, private=False)
    sweep(target.parent)
    with replace_file(target) as temporary:
        frame.select(names).write_parquet(temporary, statistics=False)
    return target


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with (
        telling_of_ledger(path, "nothing was changed"),
        contextlib.closing(sqlite3.connect(path, timeout=60)) as connection,
    ):
        yield connection


def _calls(connection: sqlite3.Connection, names: list[str]) -> Iterator[tuple[object, ...]]:
    columns = ", ".join(names)  # our own names, from the schema above
    yield from connection.execute(f"SELECT {columns} FROM calls ORDER BY call_id")
