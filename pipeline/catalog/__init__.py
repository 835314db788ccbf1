"""The warehouse: one DuckDB file of views and macros over the lake, for analysts to open."""

from pipeline.catalog.analysts import (
    StatementRefused,
    WarehouseLocked,
    WarehouseMoved,
    open_warehouse,
    run_sql,
)
from pipeline.catalog.scripts import SQL, WarehouseScript, warehouse_script
from pipeline.catalog.warehouse import build_warehouse

__all__ = [
    "SQL",
    "StatementRefused",
    "WarehouseLocked",
    "WarehouseMoved",
    "WarehouseScript",
    "build_warehouse",
    "open_warehouse",
    "run_sql",
    "warehouse_script",
]
