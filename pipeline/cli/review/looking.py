"""`caselaw review next` and `show`: a conversation, why it waits, and how to decide on it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from pipeline.cli.review.options import AS, FULL, JSON, MORE, echo_json, who_again
from pipeline.datadir import DataDir

if TYPE_CHECKING:
    from pipeline.review.queue import Exhibit, Item, Queue

__all__ = ["show", "show_next"]


@click.command("next")
@AS
@FULL
@MORE
@JSON
@click.pass_obj
def show_next(place: DataDir, reviewer: str, full: bool, more: bool, as_json: bool) -> None:
    """Show the next conversation, why it waits, and how to decide on it."""
    from pipeline.review.queue import build_queue, read_material, serve

    now = datetime.now(UTC)
    queue = build_queue(read_material(place, now), now)
    served = serve(queue, reviewer, beyond_quota=more)
    if served.item is None:
        if as_json:
            echo_json(asdict(served))
            return
        click.echo(served.why_none)
        return
    item = served.item
    exhibit = _exhibit(place, item.trace_id, item.day, item.blind)
    if as_json:
        echo_json(
            asdict(served)
            | {"exhibit": asdict(exhibit)}
            | _commands(queue, item, item.trace_id, reviewer)
        )
        return
    _echo_page(queue, exhibit, item, full, who_again(reviewer))
    click.echo(f"\n{served.left} left for {reviewer}, {served.decided_today} decided today.")


@click.command()
@click.argument("trace")
@click.option("--verdicts", is_flag=True, help="Also what was said of a trace that is shown blind.")
@AS
@FULL
@JSON
@click.pass_obj
def show(
    place: DataDir, trace: str, verdicts: bool, reviewer: str, full: bool, as_json: bool
) -> None:
    """Show one TRACE, named by its id, the beginning of it, or the id of its case.

    One that was drawn at random is shown without verdicts; to see them makes your verdict on it
    one that does not calibrate the judge, which is noted.
    """
    from pipeline.review.queue import build_queue, is_blind, read_material, unblind

    now = datetime.now(UTC)
    queue = build_queue(read_material(place, now), now)
    found = _named(queue, trace)
    blind = is_blind(queue, found, reviewer)
    if blind and verdicts:
        unblind(place, found, reviewer, now)
        blind = False
    exhibit = _exhibit(place, found, queue.day_of[found], blind)
    item = next((one for one in (*queue.open, *queue.held) if one.trace_id == found), None)
    item = item if item is None or item.blind == blind else None
    if as_json:
        body = {"item": asdict(item) if item else None, "exhibit": asdict(exhibit)}
        echo_json(body | _commands(queue, item, found, reviewer))
        return
    _echo_page(queue, exhibit, item, full, who_again(reviewer))


def _named(queue: Queue, trace: str) -> str:
    from pipeline.review.queue import UnknownName, find_trace

    try:
        return find_trace(queue, trace)
    except UnknownName as error:
        raise click.UsageError(str(error)) from None


def _exhibit(place: DataDir, trace: str, day: date, blind: bool) -> Exhibit:
    from pipeline.lake import MissingPartition
    from pipeline.review.queue import read_exhibit

    found = read_exhibit(place, trace, day, blind=blind)
    if found is None:
        raise MissingPartition(
            f"trace {trace} went while it was looked up: erased, or its day is being run anew. "
            "Run the same again"
        )
    return found


def _commands(queue: Queue, item: Item | None, trace: str, reviewer: str) -> dict[str, list[str]]:
    from pipeline.cli.review.pages import decide_commands

    axes = [axis.id for axis in queue.material.registry.rubric]
    who = who_again(reviewer)
    return {"decide": decide_commands(queue.material.place, trace, item, axes, who)}


def _echo_page(
    queue: Queue, exhibit: Exhibit, item: Item | None, full: bool, who: tuple[str, ...]
) -> None:
    from pipeline.cli.review.pages import decide_commands, page, why_page

    for line in page(exhibit, full=full):
        click.echo(line)
    click.echo()
    for line in why_page(exhibit, item):
        click.echo(line)
    axes = [axis.id for axis in queue.material.registry.rubric]
    click.echo(f"\nDecide (axes: {', '.join(axes)}):")
    for line in decide_commands(queue.material.place, exhibit.trace_id, item, axes, who):
        click.echo(f"  {line}")
