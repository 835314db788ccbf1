"""An invented shop's support chats, written where the pipeline expects traffic."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.files import make_directory

from . import landing, reviewers
from .conversations import Conversation, conversations_on
from .otlp import Span
from .plan import KINDS, Channel, Phrases

TRUTH_SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "trace_id": pl.String,
    "day": pl.Date,
    "session_id": pl.String,
    "intent": pl.String,
    "stakes": pl.String,
    "language": pl.String,
    "release": pl.String,
    "failure_kinds": pl.List(pl.String),
    "lesson_id": pl.String,
    "one_off": pl.Boolean,
}


@dataclass(frozen=True, slots=True)
class Simulation:
    """What was written.

    Attributes:
        conversations: number of conversations, the rows of the ground truth.
        failing: conversations with at least one planted failure.
        files: landing files.
        bytes: their size together.
        annotations: verdicts of the simulated reviewers.
        failures: conversations by planted failure; one with two counts under both.
    """

    conversations: int
    failing: int
    files: int
    bytes: int
    annotations: int
    failures: dict[str, int]


def _truth(talks: Iterable[Conversation]) -> pl.DataFrame:
    rows = [
        {
            "trace_id": t.trace_id,
            "day": t.day,
            "session_id": t.session_id,
            "intent": t.intent,
            "stakes": t.stakes,
            "language": t.lang,
            "release": t.release,
            "failure_kinds": list(t.failure_kinds),
            "lesson_id": t.lesson.id if t.lesson else None,
            "one_off": "oddity" in t.failure_kinds,
        }
        for t in talks
    ]
    return pl.DataFrame(rows, schema=TRUTH_SCHEMA).sort("day", "trace_id")


def simulate(
    data_dir: Path,
    *,
    start: dt.date,
    days: int = 14,
    seed: int = 7,
    per_day: int = 150,
    phrases: Phrases = "tuned",
    progress: Callable[[int, int], None] | None = None,
) -> Simulation:
    """Write simulated traffic, its ground truth and a simulated reviewer's verdicts.

    Writes `landing/otlp-<day>-<channel>.jsonl`, `simulated/ground_truth.parquet` and
    `annotations/<day>/<id>.json` under the data directory. The same arguments give the same bytes,
    and a day's conversations do not depend on how many days are asked for. Spans that end after
    the last midnight make a small file of the next day.

    Args:
        data_dir: the data directory.
        start: first day (UTC), a Monday.
        days: number of days, at least 1.
        seed: everything random follows from it.
        per_day: mean number of conversations a day.
        phrases: the sentences spoken; `held_out` shares no wording with `tuned`.
        progress: called with days done and days in all.

    Raises:
        ValueError: the start is no Monday, or a number is below 1.
    """
    if start.weekday() != 0:
        raise ValueError(f"start must be a Monday, {start} is a {start:%A}; give another --start")
    if days < 1 or per_day < 1:
        raise ValueError(f"days and per_day must be at least 1, not {days} and {per_day}")
    for name in ("landing", "simulated", "annotations"):
        make_directory(data_dir / name, private=True)
    spans: dict[Channel, list[Span]] = {"web": [], "app": [], "api": []}
    talks: list[Conversation] = []
    annotations = 0
    for day in range(days):
        for talk in conversations_on(seed, start, day, per_day, phrases):
            talks.append(talk)
            spans[talk.channel].extend(talk.spans)
            for annotation in reviewers.review(talk, seed):
                reviewers.write(data_dir / "annotations", annotation)
                annotations += 1
        if progress:
            progress(day + 1, days)
    files = [f for c, found in spans.items() for f in landing.write(data_dir / "landing", c, found)]
    _truth(talks).write_parquet(data_dir / "simulated" / "ground_truth.parquet", statistics=False)
    counted = Counter(kind for t in talks for kind in t.failure_kinds)
    return Simulation(
        conversations=len(talks),
        failing=sum(bool(t.failure_kinds) for t in talks),
        files=len(files),
        bytes=sum(f.stat().st_size for f in files),
        annotations=annotations,
        failures={kind: counted[kind] for kind in KINDS},
    )
