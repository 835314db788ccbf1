"""Frames as people read them in a terminal, and as spreadsheets take them."""

from __future__ import annotations

import errno
import unicodedata

import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["csv_text", "harmless", "print_frame"]

_WHOLE = 2**53  # from here on a float has no digit after the point anyway
_ENDLESS = 10_000  # columns
_STARTS_FORMULA = r"^[=+\-@\t\r\x00]"


def harmless(text: str) -> str:
    """Text of others as a terminal may show it: what could steer the terminal is written out.

    Escape sequences, control characters and marks that turn the direction of writing would let a
    trace hide or fake what stands on the screen. New lines stay, and the two joiners that some
    scripts need.
    """
    return "".join(map(_shown, text.replace("\r\n", "\n").expandtabs(4)))


def _shown(character: str) -> str:
    if character.isprintable() or character in "\n\u200c\u200d":
        return character
    return " " if unicodedata.category(character) == "Zs" else repr(character)[1:-1]


class _Printer(Console):
    """A console that leaves it to the command what a reader who is gone means; rich says 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(errno.EPIPE, "nobody reads any more")


def print_frame(frame: pl.DataFrame, *, fold: bool = True, whole: bool = False) -> None:
    """Print a frame.

    Args:
        frame: to be printed.
        fold: say a value that stands in all of several rows once, below.
        whole: a line a row, however wide; else a row that is wider than the terminal is a block.
    """
    console = _Printer(highlight=False, width=_ENDLESS if whole else None)
    if console.width < 1:  # COLUMNS=0, as terminals of no size say: nothing would be printed
        console.width = 80
    if frame.is_empty():
        console.print("No rows.")
        return
    shown = frame.select(_cell(frame, name) for name in frame.columns)
    constant = {
        name: shown[name][0]
        for name in shown.columns
        if fold and shown.height > 1 and shown[name].n_unique() == 1
    }
    varying = shown.drop(list(constant))
    if _width(varying) <= console.width:
        console.print(_table(varying, frame.schema))
    else:
        _print_blocks(varying, console)
    for name, value in constant.items():
        if value:
            console.print(Text(f"{name}: {value} (in all {shown.height} rows)", style="dim"))


def _width(shown: pl.DataFrame) -> int:
    """Characters that the frame takes side by side, two between columns."""
    longest = [max(len(n), *(len(cell or "") for cell in shown[n])) for n in shown.columns]
    return sum(longest) + 2 * len(longest)


def _table(shown: pl.DataFrame, schema: pl.Schema) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name in shown.columns:
        table.add_column(name, justify="right" if schema[name].is_numeric() else "left")
    for row in shown.iter_rows():
        table.add_row(*(Text(value or "") for value in row))
    return table


def _print_blocks(shown: pl.DataFrame, console: Console) -> None:
    """A row that is wider than the terminal is a block of its own, a line a column."""
    margin = max(len(name) for name in shown.columns)
    for row in shown.iter_rows(named=True):
        for name, value in row.items():
            if value:
                line = Text(f"{name:>{margin}}  ", style="bold") + Text(value, style="not bold")
                console.print(line, soft_wrap=True)
        console.print()


def csv_text(frame: pl.DataFrame) -> str:
    """The frame as CSV; a cell that a spreadsheet would run as a formula starts with a quote."""
    cells = frame.select(
        pl.when(_plain(frame, name).str.contains(_STARTS_FORMULA))
        .then("'" + _plain(frame, name))
        .otherwise(_plain(frame, name))
        .alias(name)
        if not frame.schema[name].is_numeric()
        else pl.col(name)
        for name in frame.columns
    )
    return cells.write_csv()


def _plain(frame: pl.DataFrame, name: str) -> pl.Expr:
    """A column as text; items of a list are joined, what is nested deeper is as Python has it.

    Between two sentences stands a space, between all others a comma.
    """
    kind = frame.schema[name]
    if isinstance(kind, pl.List) and not kind.inner.is_nested():
        joined = pl.col(name).cast(pl.List(pl.String)).list.join(", ")
        return joined.str.replace_all("., ", ". ", literal=True)
    if kind.is_nested():
        said = (None if value is None else str(value) for value in frame[name].to_list())
        return pl.lit(pl.Series(name, said, pl.String))
    return pl.col(name).cast(pl.String)


def _cell(frame: pl.DataFrame, name: str) -> pl.Expr:
    """A column as a person reads it: numbers to four digits, control characters gone."""
    column = pl.col(name)
    if frame.schema[name].is_float():
        column = column.round_sig_figs(4)
        whole = column.round(0) == column
        text = (
            pl.when(whole & (column.abs() < _WHOLE))
            .then(column.cast(pl.Int64, strict=False).cast(pl.String))
            .otherwise(column.cast(pl.String))
        )
        return text.alias(name)
    return _plain(frame, name).str.replace_all(r"[\x00-\x1f\x7f-\x9f]", " ").alias(name)
