"""The judge's ledger: every paid answer kept once, every call with its cost, in one SQLite file.

It is volatile on purpose: it lies outside the lake, and no partition's bytes depend on it but
through the answers it keeps. The file is opened in WAL mode, so several runs may share it; what
was answered before a kill is found again and not paid twice.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.files import make_directory, replace_file
from pipeline.ids import digest

__all__ = [
    "JUDGE_CALLS",
    "BudgetSpent",
    "CallRecord",
    "Ledger",
    "Limits",
    "export_ledger",
    "mean_cost",
]

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS answers (
    judge_id TEXT NOT NULL, content TEXT NOT NULL, body TEXT NOT NULL, checksum TEXT NOT NULL,
    PRIMARY KEY (judge_id, content)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calls (
    call_id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, judge_id TEXT NOT NULL,
    content TEXT NOT NULL, trace_id TEXT NOT NULL, started_at TEXT NOT NULL, outcome TEXT NOT NULL,
    cache_hit INTEGER NOT NULL, reserved_usd REAL NOT NULL, cost_usd REAL, latency_ms REAL,
    input_tokens INTEGER, output_tokens INTEGER, returned_model TEXT, fingerprint TEXT);
CREATE TABLE IF NOT EXISTS spending (scope TEXT PRIMARY KEY, usd REAL NOT NULL) WITHOUT ROWID;
"""
_DAYS_BEFORE: Final = """
INSERT INTO spending
SELECT 'day:' || substr(started_at, 1, 10), SUM(COALESCE(cost_usd, reserved_usd)) FROM calls
WHERE NOT EXISTS (SELECT 1 FROM spending) GROUP BY 1;
"""
_BEGIN: Final = "INSERT INTO calls (run_id, judge_id, content, trace_id, started_at, "

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


@dataclass(frozen=True)
class CallRecord:
    """How one call ended. Costs in USD, latency in milliseconds."""

    outcome: str
    cost_usd: float
    latency_ms: float
    input_tokens: int | None = None
    output_tokens: int | None = None
    returned_model: str | None = None
    fingerprint: str | None = None


@dataclass(frozen=True)
class Limits:
    """The most that may be spent, in USD: by a run, and by all runs on a UTC day of the clock."""

    per_run: float
    per_day: float


class BudgetSpent(RuntimeError):
    """A call would pass a limit; the message says which."""

    def __init__(self, scope: str, most: float) -> None:
        super().__init__(f"the budget of {most:g} USD a {scope} is used up")


class Ledger:
    """The file `judge.sqlite` in a folder, which is made if need be.

    Args:
        folder: the data directory's `ledger`.
    """

    def __init__(self, folder: Path) -> None:
        make_directory(folder, private=True)
        folder.chmod(0o711)  # the export below is read by analysts, through a view
        path = folder / "judge.sqlite"
        if not path.exists():
            path.touch(0o600)
        self._connection = sqlite3.connect(path, timeout=60, check_same_thread=False)
        self._connection.isolation_level = None  # every statement is its own transaction
        self._connection.execute("PRAGMA journal_mode=WAL")
        # a killed process loses nothing so; after a power cut the last calls may be unknown
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_TABLES + _DAYS_BEFORE)
        self.corrupt = 0

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        self._connection.close()

    def answer(self, judge_id: str, content: str) -> str | None:
        """The kept answer to a content, or None; a row whose checksum is wrong is a miss.

        Such rows are deleted and counted in `corrupt`, so the answer is asked for anew.
        """
        row = self._connection.execute(
            "SELECT body, checksum FROM answers WHERE judge_id = ? AND content = ?",
            (judge_id, content),
        ).fetchone()
        if row is None:
            return None
        body, checksum = row
        if not isinstance(body, str) or checksum != digest(judge_id, content, body):
            self.corrupt += 1
            self._connection.execute(
                "DELETE FROM answers WHERE judge_id = ? AND content = ?", (judge_id, content)
            )
            return None
        return body

    def keep(self, judge_id: str, content: str, body: str) -> None:
        """Keep an answer; the first one of a content stays."""
        self._connection.execute(
            "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)",
            (judge_id, content, body, digest(judge_id, content, body)),
        )

    def reserve(
        self, run_id: str, judge_id: str, content: str, trace_id: str, usd: float, limits: Limits
    ) -> int:
        """Write down a call before it is made, at the most that it can cost.

        Raises:
            BudgetSpent: with it a limit would be passed; nothing was written.
        """
        started = _now()
        scopes = {f"run:{run_id}": limits.per_run, f"day:{started[:10]}": limits.per_day}
        with self._transaction():
            for scope, most in scopes.items():
                if self._spent(scope) + usd > most:
                    raise BudgetSpent(scope.partition(":")[0], most)
            cursor = self._connection.execute(
                f"{_BEGIN}outcome, cache_hit, reserved_usd)"
                " VALUES (?, ?, ?, ?, ?, 'reserved', 0, ?)",
                (run_id, judge_id, content, trace_id, started, usd),
            )
            self._spend(scopes, usd)
        return int(cursor.lastrowid or 0)

    def settle(self, call_id: int, record: CallRecord) -> None:
        """Write down how a reserved call ended and what it cost."""
        with self._transaction():
            run_id, started, reserved = self._connection.execute(
                "SELECT run_id, started_at, reserved_usd FROM calls WHERE call_id = ?", (call_id,)
            ).fetchone()
            self._connection.execute(
                "UPDATE calls SET outcome = ?, cost_usd = ?, latency_ms = ?, input_tokens = ?,"
                " output_tokens = ?, returned_model = ?, fingerprint = ? WHERE call_id = ?",
                (*astuple(record), call_id),
            )
            scopes = (f"run:{run_id}", f"day:{started[:10]}")
            self._spend(scopes, record.cost_usd - reserved)

    def hit(self, run_id: str, judge_id: str, content: str, trace_id: str) -> None:
        """Write down an answer that came from the cache."""
        self._connection.execute(
            f"{_BEGIN}outcome, cache_hit, reserved_usd, cost_usd)"
            " VALUES (?, ?, ?, ?, ?, 'cached', 1, 0, 0)",
            (run_id, judge_id, content, trace_id, _now()),
        )

    def spent(self, run_id: str) -> float:
        """USD that a run has spent or still holds reserved."""
        return self._spent(f"run:{run_id}")

    def _spent(self, scope: str) -> float:
        row = self._connection.execute(
            "SELECT usd FROM spending WHERE scope = ?", (scope,)
        ).fetchone()
        return float(row[0]) if row else 0.0

    def _spend(self, scopes: Iterable[str], usd: float) -> None:
        self._connection.executemany(
            "INSERT INTO spending VALUES (?, ?) ON CONFLICT DO UPDATE SET usd = usd + excluded.usd",
            [(scope, usd) for scope in scopes],
        )

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing, and no other process in between: two runs share the day's budget."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def mean_cost(folder: Path, judge_id: str) -> tuple[float, int]:
    """The mean USD of a judge's answered calls, and how many there were."""
    with contextlib.closing(sqlite3.connect(folder / "judge.sqlite", timeout=60)) as connection:
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
        with contextlib.closing(sqlite3.connect(path, timeout=60)) as connection:
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
    with replace_file(target) as temporary:
        frame.select(names).write_parquet(temporary, statistics=False)
    return target


def _calls(connection: sqlite3.Connection, names: list[str]) -> Iterator[tuple[object, ...]]:
    columns = ", ".join(names)  # our own names, from the schema above
    yield from connection.execute(f"SELECT {columns} FROM calls ORDER BY call_id")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
