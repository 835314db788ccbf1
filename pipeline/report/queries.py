"""Runs the named queries of `sql/queries` against the warehouse, read-only."""

from __future__ import annotations

import re
from collections.abc import Mapping

import duckdb
import polars as pl

from pipeline.catalog import SQL
from pipeline.catalog.types import identifier, literal
from pipeline.datadir import DataDir
from pipeline.lake import MissingPartition

__all__ = ["UnknownVariable", "WarehouseLocked", "list_queries", "run_query"]


_VARIABLE = re.compile(r"getvariable\('(\w+)'\)")


class UnknownVariable(LookupError):
    """A query was given a variable that it does not ask for."""


class WarehouseLocked(OSError):
    """Somebody opened the warehouse for writing."""


def list_queries() -> dict[str, str]:
    """Every query by name, with the question it answers (its first comment)."""
    found = {}
    for path in sorted((SQL / "queries").glob("*.sql")):
        first = path.read_text("utf-8").splitlines()[0]
        found[path.stem] = first.removeprefix("--").strip()
    return found


def run_query(
    place: DataDir, name: str, variables: Mapping[str, str] | None = None
) -> pl.DataFrame:
    """Run one query of `sql/queries` and return its rows.

    Args:
        place: the data directory whose warehouse is read.
        name: the file's name without `.sql`.
        variables: values for `getvariable(...)` in the query, as `SET VARIABLE` would give them.

    Raises:
        KeyError: there is no query of that name.
        UnknownVariable: the query does not ask for one of the variables.
        MissingPartition: there is no warehouse yet; the message says what to run.
        WarehouseLocked: somebody opened it for writing.
    """
    if name not in list_queries():
        raise KeyError(name)
    text = (SQL / "queries" / f"{name}.sql").read_text("utf-8")
    known = set(_VARIABLE.findall(text))
    if unknown := sorted(set(variables or {}) - known):
        there = f"; it has {', '.join(sorted(known))}" if known else "; it has none"
        raise UnknownVariable(f"query {name!r} has no variable {unknown[0]!r}{there}")
    if not place.warehouse.exists():
        raise MissingPartition(
            f"{place.warehouse} does not exist yet; make it with: {place.make('publish')}"
        )
    readable = [str(folder.resolve()) for folder in (place.lake, place.ledger)]
    # Attached to a database of our own: its limits must not reach an analyst's open connection.
    with duckdb.connect() as connection:
        _attach(connection, place)
        connection.execute("USE warehouse")
        listed = ", ".join(literal(folder) for folder in readable)
        connection.execute(f"SET allowed_directories = [{listed}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET TimeZone = 'UTC'")
        for variable, value in (variables or {}).items():
            connection.execute(f"SET VARIABLE {identifier(variable)} = {literal(value)}")
        return pl.DataFrame(connection.sql(text).to_arrow_table())


def _attach(connection: duckdb.DuckDBPyConnection, place: DataDir) -> None:
    try:
        connection.execute(f"ATTACH {literal(place.warehouse)} AS warehouse (READ_ONLY)")
    except duckdb.IOException as error:
        raise WarehouseLocked(
            f"{place.warehouse} is open for writing in another process, which keeps everybody "
            "else out; close it there and open it read-only: duckdb -readonly, or "
            "duckdb.connect(..., read_only=True). The pipeline itself is not held up"
        ) from error
