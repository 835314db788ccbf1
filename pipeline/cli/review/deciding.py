"""`caselaw review decide`: what a person says of a trace is appended."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from pipeline.cli.review.options import AS, JSON, echo_json, who_again
from pipeline.datadir import DataDir

if TYPE_CHECKING:
    from pipeline.review.queue import Decided

__all__ = ["decide"]


@click.command()
@click.argument("trace")
@click.argument("decision", metavar="good|bad|partial|confirm|reject|skip|undo")
@click.option("--axis", "axes", multiple=True, metavar="AXIS=pass|fail",
              help="An axis of the rubric; rest=pass for all that are not named.")  # fmt: skip
@click.option("--mode", help="The failure mode: the id or name of a known one.")
@click.option("--new-mode", help="A name of your own for it.")
@click.option("--note", help="Why; of a skip its reason. - reads it from standard input.")
@click.option("--corrected", help="What the agent should have answered. - is standard input.")
@AS
@JSON
@click.pass_obj
def decide(
    place: DataDir,
    trace: str,
    decision: str,
    axes: tuple[str, ...],
    mode: str | None,
    new_mode: str | None,
    note: str | None,
    corrected: str | None,
    reviewer: str,
    as_json: bool,
) -> None:
    """Decide on a TRACE: an annotation is appended, nothing is ever rewritten.

    confirm and reject speak of the cases that wait: they mean bad and good. undo takes back your
    last decision on the trace.
    """
    from pipeline.cli.review.pages import command
    from pipeline.review.queue import WORDS, CannotDecide, Request, UnknownName
    from pipeline.review.queue import decide as append

    if decision not in WORDS:
        raise click.UsageError(f"no decision {decision!r}; there are: {', '.join(WORDS)}")
    if note == "-" and corrected == "-":
        raise click.UsageError("standard input holds the note or the correction, not both")
    request = Request(
        trace=trace,
        word=decision,
        reviewer=reviewer,
        axes=_axes(axes),
        mode=mode,
        new_mode=new_mode,
        note=_typed(note),
        corrected=_typed(corrected),
    )
    try:
        done = append(place, request, datetime.now(UTC))
    except (UnknownName, CannotDecide) as error:
        raise click.UsageError(str(error)) from None
    said = done.annotation
    if as_json:
        echo_json({"annotation_id": said.annotation_id, "file": str(done.path)}
                  | said.model_dump(mode="json", exclude={"note", "corrected_output"}))  # fmt: skip
        return
    blind = ", blind" if said.blind else ""
    click.echo(f"{decision} on {said.trace_id} by {said.annotator_id}{blind}: {done.path.name}")
    if said.verdict in ("good", "bad"):
        for line in _effects(place, done):
            click.echo(line)
    if decision == "undo":
        click.echo("What was published meanwhile stays: reject takes a case out of the suite.")
    click.echo(f"Next: {command(place, 'next', *who_again(reviewer))}")


def _effects(place: DataDir, done: Decided) -> Iterator[str]:
    """What becomes of the cases that were decided on, others' votes counted."""
    from pipeline.review.annotations import read_annotations
    from pipeline.suite.people import hear_people
    from pipeline.suite.proposal import EVER

    voices = hear_people(read_annotations(place.annotations, EVER))
    said = done.annotation
    bad = said.verdict == "bad"
    agreed = []
    for case in done.cases:
        votes = voices.on(said.trace_id, case.check, case.layer)
        if (votes > 0) if bad else (votes < 0):
            agreed.append(case.case_id)
        else:
            told = voices.tell(said.trace_id, case.check, case.layer)
            yield f"{case.case_id} stays as it is, since others voted, too: {told}"
    if agreed:
        effect = "come into the suite" if bad else "leave the suite, or stay out of it, for good"
        yield f"To have {', '.join(agreed)} {effect}: {place.make('publish')}"


def _axes(given: tuple[str, ...]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for one in given:
        name, _, verdict = one.partition("=")
        if verdict not in ("pass", "fail") or found.get(name, verdict) != verdict:
            raise click.UsageError(f"--axis takes AXIS=pass or AXIS=fail, each once; not {one!r}")
        found[name] = verdict
    return found


def _typed(text: str | None) -> str | None:
    return sys.stdin.read().rstrip("\n") if text == "-" else text
