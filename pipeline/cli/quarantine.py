"""`caselaw quarantine`: what could not be read or redacted, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import click

from pipeline.cli.options import DAY, as_date, counted, say_next
from pipeline.datadir import DataDir
from pipeline.windows import Window
from pipeline.windows import day as day_window

__all__ = ["quarantine"]


@click.group()
def quarantine() -> None:
    """What could not be read or redacted: kept, counted and explained."""


@quarantine.command("ls")
@click.option("--day", type=DAY, callback=as_date, help="Only this UTC day.")
@click.option("--reasons", is_flag=True, help="What the reason codes mean.")
@click.pass_obj
def ls(place: DataDir, day: date | None, reasons: bool) -> None:
    """List quarantined records: day, id, reason, where they stood; never their text."""
    from pipeline.ingest.quarantine import REASONS, dropped_records, find_records, unlisted_records

    if reasons:
        for code, meaning in REASONS.items():
            click.echo(f"{code:20} {meaning}")
        return
    total, days, given_up = 0, set[str](), dropped_records(place)
    for window, row in find_records(place, day=day_window(day) if day else None):
        where = row["file"] or row["trace_id"]
        at = f" at byte {row['byte_offset']}" if row["byte_offset"] is not None else ""
        found = f"{window.key}  {row['record_id'][:12]}  {row['stage']}  {row['reason']}"
        mark = " (given up: gone once its day is run)" if row["record_id"] in given_up else ""
        click.echo(f"{found}  {where}{at}: {row['detail']}{mark}")
        total, days = total + 1, days | {window.key}
    click.echo(f"{counted(total, 'quarantined record')} in {counted(len(days), 'day')}")
    waiting = {d: n for d, n in unlisted_records(place).items() if day is None or d == str(day)}
    if waiting:
        named = ", ".join(sorted(waiting)[:5]) + (", ..." if len(waiting) > 5 else "")
        records = counted(sum(waiting.values()), "record")
        click.echo(f"{records} more in landing: listed once their day is run ({named})")


@quarantine.command("show")
@click.argument("record", required=True)
@click.option("--payload", is_flag=True, help="Also the raw text: it holds personal data.")
@click.pass_obj
def show(place: DataDir, record: str, payload: bool) -> None:
    """Show one record, named by the beginning of its id."""
    from pipeline.cli.printing import harmless
    from pipeline.ingest.quarantine import REASONS, find_records

    found = _named(find_records(place, [record]), (record,))
    for window, row in found:
        for name in ("record_id", "stage", "reason", "detail", "trace_id", "file", "byte_offset",
                     "length", "attempts"):  # fmt: skip
            if row[name] is not None:
                meaning = f" ({REASONS[row[name]]})" if row[name] in REASONS else ""
                click.echo(f"{name:12} {row[name]}{meaning}")
        click.echo(f"{'day':12} {window.key}")
        if payload:
            text = (row["payload"] or b"").decode("utf-8", "backslashreplace")
            click.echo(harmless(text))


@quarantine.command("retry")
@click.argument("records", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All that ingest held back.")
@click.pass_obj
def retry(place: DataDir, records: tuple[str, ...], every: bool) -> None:
    """Have the files of records read anew: after an update, or a change of the settings."""
    from pipeline.ingest.quarantine import find_records, retry_records

    _require(records, every)
    found = _named(find_records(place, records), records)
    files = retry_records(place, [row for _, row in found])
    anew = counted(len(files), "file")
    click.echo(f"{counted(len(found), 'record')}: {anew} to be read anew")
    say_next(place, {window.key for window, _ in found})


@quarantine.command("drop")
@click.argument("records", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All of --day, or of every day.")
@click.option("--day", type=DAY, callback=as_date, help="Only this UTC day.")
@click.pass_obj
def drop(place: DataDir, records: tuple[str, ...], every: bool, day: date | None) -> None:
    """Give records up: they no longer count against ingest.quarantine_ratio."""
    from pipeline.ingest.quarantine import drop_records, find_records

    _require(records, every)
    window = day_window(day) if day else None
    held = _named(find_records(place, records, window), records)
    found = [(when, row) for when, row in held if row["stage"] == "ingest"]
    new = drop_records(place, [row["record_id"] for _, row in found])
    click.echo(f"{counted(new, 'record')} given up; what landed stays where it is")
    say_next(place, {window.key for window, _ in found})


def _named(
    found: Iterable[tuple[Window, dict[str, Any]]], records: tuple[str, ...]
) -> list[tuple[Window, dict[str, Any]]]:
    """What was found, if every name found something."""
    listed = list(found)
    for name in records:
        if not any(row["record_id"].startswith(name) for _, row in listed):
            raise click.UsageError(
                f"no quarantined record begins with {name!r}; see them with: caselaw quarantine ls"
            )
    return listed


def _require(records: tuple[str, ...], every: bool) -> None:
    if not records and not every:
        raise click.UsageError("name records by the beginning of their id, or say --all")
