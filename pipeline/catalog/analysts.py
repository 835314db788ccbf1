"""The analyst's connection: reads the views, and nothing else on this machine."""

from __future__ import annotations

import re

import duckdb

from pipeline.catalog.types import file_pattern, literal
from pipeline.datadir import DataDir
from pipeline.lake import MissingPartition

__all__ = ["StatementRefused", "WarehouseLocked", "open_warehouse", "run_sql"]

_READS = {duckdb.StatementType.SELECT, duckdb.StatementType.SET}
_EXPLAIN = re.compile(r"\s*EXPLAIN\b(\s+ANALYZE\b)?(\s*\([^()]*\))?", re.IGNORECASE)


class WarehouseLocked(OSError):
    """Somebody opened the warehouse for writing."""


class StatementRefused(ValueError):
    """A statement does more than read."""


def locking_statements(place: DataDir) -> str:
    """The SQL that shuts a connection in: it may read where the views read, and set nothing more.

    The order matters: directories are allowed before all others are shut, and the lock is last.
    Without a place to spill to, no copy of what is read is ever left on disk.
    """
    readable = (place.lake, place.ledger / "export")
    listed = ", ".join(literal(f"{folder.resolve()}/") for folder in readable)
    return "\n".join(
        (
            f"SET allowed_directories = [{listed}];",
            "SET autoinstall_known_extensions = false;",
            "SET autoload_known_extensions = false;",
            "SET allow_community_extensions = false;",
            "SET allow_persistent_secrets = false;",
            "SET temp_directory = '';",
            "SET TimeZone = 'UTC';",
            "SET enable_external_access = false;",
            "SET lock_configuration = true;",
            "",
        )
    )


def open_warehouse(place: DataDir) -> duckdb.DuckDBPyConnection:
    """Open the warehouse as `caselaw query` and `caselaw sql` do: read-only and locked.

    Raises:
        MissingPartition: there is none yet, or it was built for a data directory that has moved;
            the message says what to run.
        WarehouseLocked: somebody opened it for writing.
    """
    if not place.warehouse.exists():
        raise MissingPartition(
            f"{place.warehouse} does not exist yet; make it with: {place.make('publish')}"
        )
    # Attached to a database of our own: its limits must not reach an analyst's open connection.
    connection = duckdb.connect()
    try:
        # A name that is no view is an error, not a variable of the caller's Python.
        connection.execute("SET python_enable_replacements = false")
        connection.execute(f"ATTACH {literal(place.warehouse)} AS warehouse (READ_ONLY)")
        connection.execute("USE warehouse")
        _require_own(place, connection)
        connection.execute(locking_statements(place))
    except duckdb.IOException as error:
        connection.close()
        raise WarehouseLocked(
            f"{place.warehouse} is open for writing in another process, which keeps everybody "
            "else out; close it there and open it read-only: duckdb -readonly, or "
            "duckdb.connect(..., read_only=True). The pipeline itself is not held up"
        ) from error
    return connection


def _require_own(place: DataDir, connection: duckdb.DuckDBPyConnection) -> None:
    """Refuse views that lead elsewhere: they hold absolute paths, and a directory may be moved."""
    found = connection.execute(
        "SELECT contains(sql, $1) FROM duckdb_views()"
        " WHERE database_name = 'warehouse' AND contains(sql, 'read_parquet')",
        [literal(file_pattern(place.lake, ""))[1:-1]],  # as it is quoted in there
    ).fetchall()
    if found and not any(leads_here for (leads_here,) in found):
        connection.close()
        raise MissingPartition(
            f"{place.warehouse} was built for a data directory that lay elsewhere; nothing was "
            f"read. Make it anew with: {place.make('publish')}"
        )


def run_sql(connection: duckdb.DuckDBPyConnection, text: str) -> duckdb.DuckDBPyRelation:
    """Run statements that read; returns the rows of the last one.

    Raises:
        StatementRefused: there is none, or one does more: what a connection may read from it could
            write to as well (COPY), were the files' permissions not in the way.
        duckdb.Error: as DuckDB tells it.
    """
    statements = duckdb.extract_statements(text)
    other = sorted({s.type.name for s in statements if not _only_reads(s)})
    if other or not statements or statements[-1].type is duckdb.StatementType.SET:
        what = f"{', '.join(other)} is not run here" if other else "nothing to read"
        raise StatementRefused(f"{what}: give SELECT statements, SET VARIABLE before them")
    for statement in statements[:-1]:
        connection.execute(statement).fetchall()  # rows left unread would refuse the next one
    return connection.sql(statements[-1])


def _only_reads(statement: duckdb.Statement) -> bool:
    """Whether a statement is a SELECT, a SET, or explains a SELECT: EXPLAIN ANALYZE runs it."""
    if statement.type is not duckdb.StatementType.EXPLAIN:
        return statement.type in _READS
    try:
        explained = duckdb.extract_statements(_EXPLAIN.sub("", statement.query, count=1))
    except duckdb.Error:
        return False
    return [one.type for one in explained] == [duckdb.StatementType.SELECT]
