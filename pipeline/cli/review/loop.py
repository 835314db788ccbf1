"""`caselaw review` without a subcommand: one conversation after another, decided by keys."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from pipeline.cli.review.pages import page, why_page
from pipeline.datadir import DataDir
from pipeline.review.queue import (
    REST,
    CannotDecide,
    Item,
    Queue,
    Request,
    UnknownName,
    Word,
    build_queue,
    decide,
    read_exhibit,
    read_material,
    serve,
)

__all__ = ["walk"]

_BLIND: dict[str, Word] = {"g": "good", "b": "bad", "p": "partial", "s": "skip"}
_SHOWN: dict[str, Word] = {"c": "confirm", "r": "reject", "p": "partial", "s": "skip"}


def walk(place: DataDir, reviewer: str, *, beyond_quota: bool) -> None:
    """Serve items until nothing is left, or the person has had enough (q, or the end of input)."""
    last: str | None = None
    try:
        while True:
            now = datetime.now(UTC)
            queue = build_queue(read_material(place, now), now)
            served = serve(queue, reviewer, beyond_quota=beyond_quota)
            if served.item is None:
                click.echo(served.why_none)
                return
            if not _show(place, served.item, full=False):
                return
            click.echo(f"{served.left} left for {reviewer}, {served.decided_today} decided today.")
            last = _ask(place, queue, served.item, reviewer, last)
            if last is None:
                return
    except (click.Abort, EOFError):
        click.echo("\nEnough for now; what was decided is kept.")


def _ask(place: DataDir, queue: Queue, item: Item, reviewer: str, last: str | None) -> str | None:
    """Ask until one thing is decided; returns the trace decided on, or None to leave."""
    words = _SHOWN if item.cases else _BLIND
    keys = ", ".join(f"{key} {word}" for key, word in words.items())
    while True:
        key = click.prompt(f"{keys}, v view all, u undo the last, q quit", prompt_suffix=" > ")
        key = key.strip().lower()[:1]
        if key == "q":
            return None
        if key == "v":
            _show(place, item, full=True)
            continue
        try:
            if key == "u" and last is not None:
                decide(place, Request(last, "undo", reviewer), datetime.now(UTC))
                click.echo(f"Undone: {last}")
                return last
            if key in words:
                done = decide(place, _request(queue, item, words[key], reviewer), datetime.now(UTC))
                click.echo(f"{words[key]}: {done.path.name}\n")
                return item.trace_id
        except (UnknownName, CannotDecide) as error:
            click.echo(f"Nothing was written: {error}")


def _request(queue: Queue, item: Item, word: Word, reviewer: str) -> Request:
    """Ask for what belongs to a decision; an empty line says nothing."""
    axes: dict[str, str] = {}
    mode = None
    if not item.cases and word != "skip":
        known = ", ".join(axis.id for axis in queue.material.registry.rubric)
        typed = "" if word == "good" else _line(f"Axes that fail ({known}), by commas")
        axes = {name.strip(): "fail" for name in typed.split(",") if name.strip()}
        axes[REST] = "pass"
    if word in ("bad", "partial", "confirm"):
        mode = _line("Failure mode, +NAME for one of your own") or None
    note = _line("Reason" if word == "skip" else "Note") or None
    own = mode[1:] if mode and mode.startswith("+") else None
    return Request(
        item.trace_id, word, reviewer, axes, None if own else mode, new_mode=own, note=note
    )


def _line(question: str) -> str:
    return str(click.prompt(question, default="", show_default=False)).strip()


def _show(place: DataDir, item: Item, *, full: bool) -> bool:
    """Print the conversation; whether it is still there."""
    exhibit = read_exhibit(place, item.trace_id, item.day, blind=item.blind)
    if exhibit is None:
        click.echo(f"Trace {item.trace_id} went meanwhile: erased, or its day is being run anew.")
        return False
    for line in (*page(exhibit, full=full), "", *why_page(exhibit, item)):
        click.echo(line)
    return True
