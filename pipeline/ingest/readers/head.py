"""The beginning of a file, for telling its format."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.ingest.source import Source, Unreadable

__all__ = ["Head", "open_parquet", "read_head"]

_SIZE = 256 * 1024
_PLAIN = re.compile(r"[\w.:/()-]*( [\w.:/()-]+){0,5}")
_BROKEN = re.compile("[\x00-\x1f\x7f\ufffd]")
_LONGEST_NAME = 200  # characters
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Head:
    """What the first 256 KiB of a file's content show.

    `container` is json (a document or lines), csv, parquet, zip or other; `raw` are the bytes
    without a byte order mark; `columns` those of a table (csv, parquet).
    """

    raw: bytes
    container: str
    columns: frozenset[str] = frozenset()

    @cached_property
    def text(self) -> str:
        """The bytes as text, undecodable ones replaced."""
        return self.raw.decode("utf-8", "replace")

    def has(self, *names: str) -> bool:
        """Whether every name stands there as a JSON key, at any depth, or as a column."""
        if self.columns:
            return self.columns.issuperset(names)
        return all(re.search(rf'"{re.escape(name)}"\s*:', self.text) for name in names)

    @cached_property
    def first(self) -> Mapping[str, Any]:
        """The first whole JSON object: of the lines, of the array, or the document; else empty.

        Empty too where the object is longer than the head: ask `has` then.
        """
        if self.container != "json":
            return {}
        try:
            start = re.match(r"[\s\[]*", self.text)
            value, _ = json.JSONDecoder().raw_decode(self.text, start.end() if start else 0)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}


def read_head(source: Source) -> Head:
    """Read the beginning of a file.

    Raises:
        Unreadable: it is compressed and damaged at once.
    """
    with source.open() as handle:
        raw = handle.read(_SIZE).removeprefix(_BOM)
    if raw.startswith(b"PAR1"):
        return Head(raw, "parquet", frozenset(open_parquet(source).schema_arrow.names))
    if raw.startswith(b"PK\x03\x04"):
        return Head(raw, "zip")
    if re.match(rb"\s*[\[{]", raw):
        return Head(raw, "json")
    first = raw.split(b"\n", 1)[0].decode("utf-8", "replace")
    try:
        columns = next(csv.reader(io.StringIO(first)), []) if "," in first else []
    except csv.Error:
        columns = []
    return Head(raw, "csv", frozenset(columns)) if _are_names(columns) else Head(raw, "other")


def _are_names(columns: Sequence[str]) -> bool:
    """Whether cells are the names of columns, and not prose that happens to hold a comma.

    People name scores as they like, "Helpful? 👍" for one, so most of them must be plain; pandas
    leaves the name of its index column empty.
    """
    plain = sum(bool(_PLAIN.fullmatch(name)) for name in columns)
    short = all(len(name) <= _LONGEST_NAME and not _BROKEN.search(name) for name in columns)
    named = {name for name in columns if name}
    return len(columns) > 1 and bool(named) and short and 2 * plain > len(columns)


def open_parquet(source: Source) -> pq.ParquetFile:
    """Open a Parquet file, from memory where it is compressed once more.

    Raises:
        Unreadable: it is none.
    """
    try:
        plain = source.compression is None
        file = pq.ParquetFile(source.path if plain else pa.BufferReader(source.read()))
        _ = file.schema_arrow  # damage of the schema shows here
        return file
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Unreadable("bad_parquet", f"no Parquet file ({type(error).__name__})") from error
