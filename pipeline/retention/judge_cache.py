"""The judge's kept answers by the day they were given; what they cost stays in the ledger."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

from pipeline.ledger_file import telling_of_ledger

__all__ = ["answers_by_day", "drop_answers_before"]

# An answer to a content that nobody is known to have asked for is as old as can be.
_GIVEN = """
    SELECT a.judge_id, a.content, length(a.body) AS size,
        coalesce(max(substr(c.started_at, 1, 10)), '1970-01-01') AS day
    FROM answers AS a
    LEFT JOIN calls AS c
        ON c.judge_id = a.judge_id AND c.content = a.content AND NOT c.cache_hit
    GROUP BY a.judge_id, a.content
"""


def answers_by_day(ledger: Path) -> Iterator[tuple[date, int, int]]:
    """Days, each with how many of its answers are kept and their bytes; none without a ledger."""
    path = ledger / "judge.sqlite"
    if not path.exists():
        return
    with (
        telling_of_ledger(path, "nothing was dropped"),
        closing(sqlite3.connect(path, timeout=60)) as connection,
    ):
        rows = connection.execute(
            f"SELECT day, count(*), sum(size) FROM ({_GIVEN}) GROUP BY day ORDER BY day"
        ).fetchall()
    for day, count, size in rows:
        yield date.fromisoformat(day), int(count), int(size)


def drop_answers_before(ledger: Path, day: date) -> int:
    """Delete the answers given before a day, their bytes too; returns how many there were."""
    path = ledger / "judge.sqlite"
    if not path.exists():
        return 0
    with (
        telling_of_ledger(path, "what was dropped before it is gone, the rest stays"),
        closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as connection,
    ):
        connection.execute("PRAGMA secure_delete = ON")
        done = connection.execute(
            f"DELETE FROM answers WHERE (judge_id, content) IN "
            f"(SELECT judge_id, content FROM ({_GIVEN}) WHERE day < ?)",
            (day.isoformat(),),
        )
        # The write-ahead log holds pages as they were.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return int(done.rowcount)
