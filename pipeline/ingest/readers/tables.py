"""Rows out of what an API or pandas wraps around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["INDEX", "rows_in"]

INDEX = "__index__"
"""The name under which a row keeps its label in a pandas index."""


def rows_in(document: Any, lists: Sequence[str], column: Sequence[str] = ()) -> Iterator[Any]:
    """The rows of a document: a page of an API, a data frame, or the one row that it is.

    Args:
        document: any JSON value.
        lists: the names under which a page keeps its rows; the first that is a list counts.
        column: columns that tell a data frame by columns (pandas' `to_json`) from a row.
    """
    if isinstance(document, list):
        yield from document
        return
    if not isinstance(document, Mapping):
        yield document
        return
    if isinstance(document.get("columns"), list) and isinstance(document.get("data"), list):
        yield from _split(document)
        return
    if any(isinstance(document.get(name), Mapping) for name in column):
        yield from _transposed(document)
        return
    page = next((rows for name in lists if isinstance(rows := document.get(name), list)), None)
    if page is None:
        yield document
    else:
        yield from page


def _split(document: Mapping[str, Any]) -> Iterator[Any]:
    """The rows that pandas wrote with `to_json(orient="split")`."""
    columns, labels = document["columns"], document.get("index")
    for number, cells in enumerate(document["data"]):
        if not isinstance(cells, list) or len(cells) != len(columns):
            yield cells
            continue
        row = dict(zip(map(str, columns), cells, strict=True))
        if isinstance(labels, list) and number < len(labels):
            row.setdefault(INDEX, labels[number])
        yield row


def _transposed(document: Mapping[str, Any]) -> Iterator[Any]:
    """The rows that pandas wrote with `to_json()`: for every column labels to cells."""
    columns = {name: cells for name, cells in document.items() if isinstance(cells, Mapping)}
    labels = dict.fromkeys(label for cells in columns.values() for label in cells)
    for label in labels:
        yield {
            INDEX: label,
            **{name: cells[label] for name, cells in columns.items() if label in cells},
        }
