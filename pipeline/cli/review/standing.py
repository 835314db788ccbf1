"""`caselaw review stats`: how the review stands."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime

import click

from pipeline.cli.review.options import JSON, echo_json
from pipeline.datadir import DataDir

__all__ = ["stats"]


@click.command()
@JSON
@click.pass_obj
def stats(place: DataDir, as_json: bool) -> None:
    """How the review stands; exit 1 if annotation files cannot be read."""
    from pipeline.cli.review.figures_page import stats_page
    from pipeline.review.queue import build_queue, figure, read_material

    now = datetime.now(UTC)
    figures = figure(build_queue(read_material(place, now), now))
    if as_json:
        echo_json(asdict(figures))
    else:
        for line in stats_page(figures, place, now):
            click.echo(line)
    sys.exit(1 if figures.problems else 0)
