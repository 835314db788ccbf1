"""`caselaw review` without a subcommand: one conversation after another, decided by keys."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from pipeline.cli.printing import harmless
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
    find_axes,
    find_mode,
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
            if key == "u" and last:
                decide(place, Request(last, "undo", reviewer), datetime.now(UTC))
                click.echo(f"Undone: {last}")
                return last
            if key == "u":
                click.echo("Nothing was decided in this sitting: caselaw review decide TRACE undo")
            elif key in words:
                done = decide(place, _request(queue, item, words[key], reviewer), datetime.now(UTC))
                click.echo(f"{words[key]}: {done.path.name}\n")
                return item.trace_id
            else:
                click.echo(f"{key!r} is none of {', '.join((*words, 'v', 'u', 'q'))} here.")
        except (UnknownName, CannotDecide) as error:
            click.echo(f"Nothing was written: {error}")


def _request(queue: Queue, item: Item, word: Word, reviewer: str) -> Request:
    """Ask for what belongs to a decision; an empty line says nothing."""
    axes: dict[str, str] = {}
    mode: str | None = None
    if not item.cases and word != "skip":
        axes = {} if word == "good" else _ask_axes(queue)
        axes[REST] = "pass"
    if word in ("bad", "partial", "confirm"):
        mode = _ask_mode(queue)
    note = _line("Reason" if word == "skip" else "Note") or None
    own = mode[1:].strip() if mode and mode.startswith("+") else None
    named = None if own else mode or None
    return Request(item.trace_id, word, reviewer, axes, named, new_mode=own, note=note)


def _ask_axes(queue: Queue) -> dict[str, str]:
    """The axes that fail; a name that is not there is asked for again."""
    known = [axis.id for axis in queue.material.registry.rubric]
    while True:
        typed = _line(f"Axes that fail ({', '.join(known)}), by commas")
        try:
            names = (name.strip() for name in typed.split(",") if name.strip())
            return find_axes(dict.fromkeys(names, "fail"), known)
        except UnknownName as error:
            click.echo(str(error))


def _ask_mode(queue: Queue) -> str | None:
    """The failure mode, one of one's own with a +; one that is not there is asked for again."""
    known = queue.material.modes
    while True:
        typed = _line("Failure mode (? lists them, +NAME for one of your own, empty: none)")
        if typed == "?":
            click.echo("\n".join(sorted(harmless(name) for name in set(known.values()))))
            continue
        try:
            return typed if typed.startswith("+") or not typed else find_mode(typed, known)
        except UnknownName as error:
            click.echo(str(error))


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
