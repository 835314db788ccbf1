"""What a table is: columns with a type, a meaning and a privacy class, and a key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl

from pipeline.ids import digest

__all__ = ["UTC_TIME", "Column", "SchemaError", "Table"]

UTC_TIME = pl.Datetime("us", "UTC")
Privacy = Literal["none", "redacted", "raw"]


class SchemaError(ValueError):
    """A frame does not fit the table it is meant for."""


@dataclass(frozen=True)
class Column:
    """One column: its Polars type, what it means, and what personal data it may hold."""

    dtype: pl.DataType | type[pl.DataType]
    meaning: str
    privacy: Privacy = "none"


@dataclass(frozen=True)
class Table:
    """One table of the pipeline.

    `name` is at once the asset key, the Parquet directory and (in the lake) the DuckDB view.
    `parts` names the files of a partition where more than one stage writes to it.
    """

    name: str
    unit: Literal["day", "week"] | None
    key: tuple[str, ...]
    columns: Mapping[str, Column]
    zone: Literal["lake", "raw"] = "lake"
    parts: tuple[str, ...] = ("part-0",)

    @property
    def schema(self) -> pl.Schema:
        """The Polars schema."""
        return pl.Schema({name: column.dtype for name, column in self.columns.items()})

    @property
    def version(self) -> str:
        """A digest of columns and key, kept in every Parquet footer."""
        return digest([[n, str(c.dtype)] for n, c in self.columns.items()], list(self.key), size=6)

    def empty(self) -> pl.DataFrame:
        """A frame of the declared types with no row."""
        return pl.DataFrame(schema=self.schema)

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return `frame` with the declared columns in order, cast strictly, sorted by key.

        Raises:
            SchemaError: a column is missing, unknown or of another type, a key is null or
                stands twice. The message names columns and counts, never values.
        """
        missing = [name for name in self.columns if name not in frame.columns]
        unknown = [name for name in frame.columns if name not in self.columns]
        if missing or unknown:
            raise SchemaError(f"{self.name}: missing columns {missing}, unknown columns {unknown}")
        try:
            typed = frame.select(pl.col(n).cast(c.dtype) for n, c in self.columns.items())
        except pl.exceptions.PolarsError as error:
            differing = [
                f"{name}: {frame.schema[name]} is not {column.dtype}"
                for name, column in self.columns.items()
                if frame.schema[name] != column.dtype
            ]
            raise SchemaError(f"{self.name}: {'; '.join(differing)}") from error
        keys = typed.select(self.key)
        nulls = sum(keys.null_count().row(0)) if keys.height else 0
        doubles = keys.height - keys.n_unique() if keys.height else 0
        if nulls or doubles:
            raise SchemaError(
                f"{self.name}: {nulls} null and {doubles} repeated values of the key {self.key}"
            )
        return typed.sort(self.key)
