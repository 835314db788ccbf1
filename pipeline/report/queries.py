"""Runs the named queries of `sql/queries` against the warehouse, read-only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import takewhile

import polars as pl

from pipeline.catalog import SQL, WarehouseLocked, open_warehouse
from pipeline.catalog.types import identifier, literal
from pipeline.datadir import DataDir

__all__ = [
    "UnknownVariable", "WarehouseLocked", "list_queries", "notes_of", "run_query", "variables_of",
]  # fmt: skip


_VARIABLE = re.compile(r"getvariable\('(\w+)'\)")
_SET = re.compile(r"SET VARIABLE (\w+) = '([^']*)'")


class UnknownVariable(LookupError):
    """A query was given a variable that it does not ask for."""


def list_queries() -> dict[str, str]:
    """Every query by name, with the question it answers (its first comment)."""
    found = {}
    for path in sorted((SQL / "queries").glob("*.sql")):
        first = path.read_text("utf-8").splitlines()[0]
        found[path.stem] = first.removeprefix("--").strip()
    return found


def variables_of(name: str) -> tuple[str, ...]:
    """The variables that a query asks for, by `getvariable(...)`."""
    text = (SQL / "queries" / f"{name}.sql").read_text("utf-8")
    return tuple(sorted(set(_VARIABLE.findall(text))))


def notes_of(name: str) -> str:
    """What a query's file says below its question, variables put as `caselaw query` takes them."""
    lines = (SQL / "queries" / f"{name}.sql").read_text("utf-8").splitlines()[1:]
    notes = [line.removeprefix("--").strip() for line in takewhile(_is_comment, lines)]
    return _SET.sub(r"--set \1=\2", " ".join(notes))


def _is_comment(line: str) -> bool:
    return line.startswith("--")


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
    known = set(variables_of(name))
    if unknown := sorted(set(variables or {}) - known):
        there = f"; it has {', '.join(sorted(known))}" if known else "; it has none"
        raise UnknownVariable(f"query {name!r} has no variable {unknown[0]!r}{there}")
    with open_warehouse(place) as connection:
        for variable, value in (variables or {}).items():
            connection.execute(f"SET VARIABLE {identifier(variable)} = {literal(value)}")
        return pl.DataFrame(connection.sql(text).to_arrow_table())
