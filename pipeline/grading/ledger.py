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

from pipeline.files import make_directory
from pipeline.ids import digest
from pipeline.ledger_file import LedgerBroken, telling_of_ledger

__all__ = ["BudgetSpent", "CallRecord", "Ledger", "LedgerBroken", "Limits"]

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

    def __init__(self, scope: str, most: float, usd: float) -> None:
        state = "is used up" if usd <= most else f"is less than one call may cost, {usd:.2g} USD"
        super().__init__(
            f"the budget of {most:g} USD a {scope} {state}; judge.budget_usd_per_{scope} sets it"
        )


class Ledger:
    """The file `judge.sqlite` in a folder, which is made if need be.

    Args:
        folder: the data directory's `ledger`.
    """

    def __init__(self, folder: Path) -> None:
        make_directory(folder, private=True)
        folder.chmod(0o711)  # the export below is read by analysts, through a view
        self._path = folder / "judge.sqlite"
        if not self._path.exists():
            self._path.touch(0o600)
        self.corrupt = 0
        with self._telling():
            self._connection = sqlite3.connect(self._path, timeout=60, check_same_thread=False)
            self._connection.isolation_level = None  # every statement is its own transaction
            self._connection.execute("PRAGMA journal_mode=WAL")
            # a killed process loses nothing so; after a power cut the last calls may be unknown
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.executescript(_TABLES + _DAYS_BEFORE)

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        self._connection.close()

    def answer(self, judge_id: str, content: str) -> str | None:
        """The kept answer to a content, or None; a row whose checksum is wrong is a miss.

        Such rows are deleted and counted in `corrupt`, so the answer is asked for anew.
        """
        with self._telling():
            row = self._connection.execute(
                "SELECT body, checksum FROM answers WHERE judge_id = ? AND content = ?",
                (judge_id, content),
            ).fetchone()
        if row is None:
            return None
        body, checksum = row
        if not isinstance(body, str) or checksum != digest(judge_id, content, body):
            self.corrupt += 1
            with self._telling():
                self._connection.execute(
                    "DELETE FROM answers WHERE judge_id = ? AND content = ?", (judge_id, content)
                )
            return None
        return body

    def keep(self, judge_id: str, content: str, body: str) -> str:
        """Keep an answer, and give the one that is kept: the first one of a content stays.

        Two runs that asked the same at once so go on with the same answer.
        """
        with self._telling():
            self._connection.execute(
                "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)",
                (judge_id, content, body, digest(judge_id, content, body)),
            )
        return self.answer(judge_id, content) or body

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
                    raise BudgetSpent(scope.partition(":")[0], most, usd)
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
        with self._telling():
            self._connection.execute(
                f"{_BEGIN}outcome, cache_hit, reserved_usd, cost_usd)"
                " VALUES (?, ?, ?, ?, ?, 'cached', 1, 0, 0)",
                (run_id, judge_id, content, trace_id, _now()),
            )

    def spent(self, run_id: str) -> float:
        """USD that a run has spent or still holds reserved."""
        with self._telling():
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
        with self._telling():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._connection.in_transaction:  # a full disk has ended it already
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _telling(self) -> contextlib.AbstractContextManager[None]:
        return telling_of_ledger(self._path, "nothing was published")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
