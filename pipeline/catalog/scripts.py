"""Renders the warehouse's SQL: the texts of `sql/`, with this data directory's paths filled in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import jinja2

from pipeline.catalog.meanings import TABLE_MEANINGS
from pipeline.catalog.types import column_type, file_pattern, identifier, literal
from pipeline.datadir import DataDir
from pipeline.registry import settings_today
from pipeline.tables import ALL, Table

__all__ = ["SQL", "WarehouseScript", "warehouse_script"]

SQL = Path(__file__).resolve().parents[2] / "sql"
"""Where the texts lie: views/, macros.sql and queries/."""

_TABLE_TEMPLATE = "views/_table.sql"
_DIGIT = "[0-9]"
_KEY = f"{_DIGIT * 4}-{_DIGIT * 2}-{_DIGIT * 2}"  # a copy beside a partition would count twice


@dataclass(frozen=True)
class WarehouseScript:
    """The statements that fill an empty warehouse, and the views they make, in order."""

    text: str
    views: tuple[str, ...]


def warehouse_script(place: DataDir) -> WarehouseScript:
    """Render macros, one view per table of the lake, and the analysts' views built on them.

    Raw tables have no view. A table without a file yet gets a typed empty one; the next build
    sees its files. `sql/views/*.sql` run in the order of their file names.
    """
    templates = _environment()
    tables = [table for table in ALL.values() if table.zone == "lake"]
    smallest = settings_today(place.registry).privacy.smallest_group
    parts = [
        templates.get_template("macros.sql").render(),
        templates.get_template("settings.sql").render(smallest_group=smallest),
    ]
    parts += [_table_view(templates, place, table) for table in tables]
    views = [table.name for table in tables]
    for path in sorted((SQL / "views").glob("[0-9]*.sql")):
        name = path.stem.partition("_")[2]
        body = templates.get_template(f"views/{path.name}").render(
            view=identifier(name), tables=_listing(place, tables), judge_calls=_judge_calls(place)
        )
        parts += [body, f"COMMENT ON VIEW {identifier(name)} IS {literal(_first_comment(body))};"]
        views.append(name)
    return WarehouseScript("\n".join(parts) + "\n", tuple(views))


def _environment() -> jinja2.Environment:
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(SQL),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # SQL, not HTML; every value passes a quoting filter
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"identifier": identifier, "literal": literal}
    return found


def _table_view(templates: jinja2.Environment, place: DataDir, table: Table) -> str:
    columns = {name: column_type(column.dtype) for name, column in table.columns.items()}
    meanings = {name: column.meaning for name, column in table.columns.items()}
    if table.unit:
        columns = {table.unit: "DATE"} | columns
        meanings = {table.unit: _PARTITION[table.unit]} | meanings
    return templates.get_template(_TABLE_TEMPLATE).render(
        view=table.name,
        meaning=TABLE_MEANINGS[table.name],
        unit=table.unit,
        columns=columns,
        meanings=meanings,
        files=_files(place, table),
    )


_PARTITION = {"day": "the UTC day", "week": "the Monday of the week (UTC)"}


def _files(place: DataDir, table: Table) -> str | None:
    """The glob of a table's files, None where not one is published (DuckDB refuses that)."""
    root = place.lake / table.name
    tail = (f"{table.unit}={_KEY}", "*.parquet") if table.unit else ("*.parquet",)
    return file_pattern(root, *tail) if any(root.glob("/".join(tail))) else None


def _judge_calls(place: DataDir) -> str | None:
    path = place.ledger / "export" / "judge_calls.parquet"
    return file_pattern(path.parent, path.name) if path.exists() else None


def _listing(place: DataDir, tables: list[Table]) -> list[dict[str, str]]:
    return [
        {
            "name": table.name,
            "unit": table.unit,
            "pattern": file_pattern(place.lake / table.name, f"{table.unit}={_KEY}", "*.parquet"),
        }
        for table in tables
        if table.unit
    ]


def _first_comment(body: str) -> str:
    lines = []
    for line in body.strip().splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").strip())
    return " ".join(lines)
