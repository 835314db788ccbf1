"""The warehouse: one DuckDB file of views and macros over the lake, for analysts to open."""

from pipeline.catalog.scripts import SQL, WarehouseScript, warehouse_script
from pipeline.catalog.warehouse import build_warehouse

__all__ = ["SQL", "WarehouseScript", "build_warehouse", "warehouse_script"]
