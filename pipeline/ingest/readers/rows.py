"""Rows of an export, whatever holds them: JSON, JSON lines, CSV or Parquet."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from pipeline.ingest.index.shares import holds_lines
from pipeline.ingest.jsontext import JsonText, json_array, json_lines
from pipeline.ingest.readers.head import open_parquet, read_head
from pipeline.ingest.records import Malformed
from pipeline.ingest.source import Source, Unreadable

__all__ = ["read_documents", "read_rows"]

_BATCH = 512
_UNHELD = "bad_row", "a row of Parquet with a value that is out of range or no text"


def read_rows(source: Source) -> Iterator[JsonText | Malformed]:
    """Yield every row as a JsonText whose value is a dict (or whatever else a JSON row is).

    A cell of a CSV file is text or None, one of Parquet what its type says; `loads` of
    `pipeline.ingest.content` opens cells that hold JSON. The offset of a row without one (Parquet)
    is its number.

    Raises:
        Unreadable: the file, or the rest of it, cannot be read.
    """
    container = read_head(source).container
    if container == "parquet":
        yield from _parquet(source)
    elif container == "csv":
        yield from _csv(source)
    else:
        yield from read_documents(source)


def read_documents(source: Source) -> Iterator[JsonText | Malformed]:
    """JSON lines where the first line is a whole value, else the elements of the one document."""
    return json_lines(source) if holds_lines(source) else json_array(source)


def _csv(source: Source) -> Iterator[JsonText | Malformed]:
    csv.field_size_limit(min(source.largest_record, sys.maxsize))
    with source.open() as handle:
        text = io.TextIOWrapper(handle, "utf-8-sig", "replace", newline="")
        reader = csv.DictReader(_without_nul(text))
        while True:
            line = reader.line_num
            try:
                row = next(reader, None)
            except csv.Error as error:
                yield Malformed(
                    "bad_csv", f"line {line + 1} ({type(error).__name__})", line, 0, b""
                )
                continue
            if row is None:
                return
            if None in row or None in row.values():
                detail = f"line {line + 1} has not as many cells as there are columns"
                yield Malformed("bad_csv", detail, line, 0, b"")
                continue
            cells: dict[str, Any] = {name: value or None for name, value in row.items()}
            yield JsonText(cells, line, 0, any("�" in (value or "") for value in cells.values()))


def _without_nul(lines: io.TextIOWrapper) -> Iterator[str]:
    for line in lines:
        yield line.replace("\0", "�")


def _parquet(source: Source) -> Iterator[JsonText | Malformed]:
    number = 0
    try:
        for batch in open_parquet(source).iter_batches(_BATCH):
            for row in _rows_of(_to_microseconds(batch)):
                found = row is not None
                yield JsonText(row, number, 0) if found else Malformed(*_UNHELD, number, 0, b"")
                number += 1
    except (pa.ArrowException, OSError, ValueError) as error:
        detail = f"damaged Parquet after {number} rows ({type(error).__name__})"
        raise Unreadable("bad_parquet", detail) from error


def _rows_of(batch: pa.RecordBatch) -> Iterator[dict[str, Any] | None]:
    """The rows of a batch; None for one with a time or a text that Python cannot hold."""
    try:
        yield from batch.to_pylist()
    except (OverflowError, ValueError):
        for number in range(batch.num_rows):
            try:
                yield batch.slice(number, 1).to_pylist()[0]
            except (OverflowError, ValueError):
                yield None


def _to_microseconds(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Times in nanoseconds cut to what Python's can hold; without pandas Arrow refuses them."""
    fields = [
        field.with_type(pa.timestamp("us", field.type.tz))
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns"
        else field
        for field in batch.schema
    ]
    schema = pa.schema(fields)
    return batch if schema.equals(batch.schema) else batch.cast(schema, safe=False)
