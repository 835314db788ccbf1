"""Polars types as DuckDB spells them, and names and texts quoted for SQL."""

from __future__ import annotations

import glob
from pathlib import Path

import polars as pl
from polars.datatypes import DataTypeClass

PolarsDataType = pl.DataType | DataTypeClass | type[pl.DataType]

__all__ = ["column_type", "file_pattern", "identifier", "literal"]

_PLAIN: dict[type[pl.DataType], str] = {
    pl.String: "VARCHAR",
    pl.Int8: "TINYINT",
    pl.Int16: "SMALLINT",
    pl.Int32: "INTEGER",
    pl.Int64: "BIGINT",
    pl.UInt8: "UTINYINT",
    pl.UInt16: "USMALLINT",
    pl.UInt32: "UINTEGER",
    pl.UInt64: "UBIGINT",
    pl.Float32: "FLOAT",
    pl.Float64: "DOUBLE",
    pl.Boolean: "BOOLEAN",
    pl.Date: "DATE",
    pl.Binary: "BLOB",
}


def column_type(dtype: PolarsDataType) -> str:
    """The DuckDB type that a Parquet column of `dtype` is read as.

    Raises:
        TypeError: the warehouse does not know the type yet; add it here.
    """
    if isinstance(dtype, pl.List):
        return f"{column_type(dtype.inner)}[]"
    if isinstance(dtype, pl.Struct):
        fields = (f"{identifier(f.name)} {column_type(f.dtype)}" for f in dtype.fields)
        return f"STRUCT({', '.join(fields)})"
    if isinstance(dtype, pl.Datetime) and dtype.time_unit == "us":
        return "TIMESTAMP WITH TIME ZONE" if dtype.time_zone else "TIMESTAMP"
    plain = dtype if isinstance(dtype, type) else type(dtype)
    if plain not in _PLAIN:
        raise TypeError(f"no DuckDB type for {dtype}; add it to pipeline/catalog/types.py")
    return _PLAIN[plain]


def identifier(name: str) -> str:
    """`name` as an SQL identifier: always quoted, for `check` and `case` are keywords."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """`value` as an SQL text."""
    return "'" + str(value).replace("'", "''") + "'"


def file_pattern(folder: Path, *tail: str) -> str:
    """A DuckDB glob below `folder`, whose own name may hold `*`, `?` or `[`."""
    return "/".join((glob.escape(str(folder.resolve())), *tail))
