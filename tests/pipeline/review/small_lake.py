"""A lake of a few days that tests of the review queue write by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import yaml

from pipeline import windows
from pipeline.datadir import COMMITTED, DataDir
from pipeline.lake import Lake
from pipeline.provenance import Counts, Provenance
from pipeline.review import Annotation, write_annotation
from pipeline.review.queue import Queue, build_queue, read_material
from pipeline.tables import (
    EVAL_SUITE,
    GRADES,
    PROMOTED_CASES,
    REDACTED_TRACES,
    STRATIFIED_SAMPLES,
    Table,
)

DAY = "2026-11-09"
NOW = datetime(2026, 11, 10, 9, tzinfo=UTC)


def put(place: DataDir, table: Table, day: str | None, rows: Sequence[dict[str, Any]]) -> None:
    """Publish rows; columns that a row does not name are null."""
    frame = pl.DataFrame([dict.fromkeys(table.columns) | r for r in rows], schema=table.schema)
    counts = Counts("rows", len(rows), len(rows))
    window = windows.day(day) if day else None
    Lake(place).publish(table, window, frame, Provenance(counts))


def trace(name: str, *said: str, **more: Any) -> dict[str, Any]:
    """A redacted trace in which user and agent take turns."""
    roles = ("user", "assistant")
    messages = [{"role": roles[n % 2], "content": text} for n, text in enumerate(said or ("Hi",))]
    return {"trace_id": name, "messages": messages, "tool_calls": [], "retrievals": []} | more


def waiting(name: str, check: str = "wrong_tool", **more: Any) -> dict[str, Any]:
    """A decision of `promoted_cases`: this trace's case waits for a person."""
    return {
        "case_id": f"case-{name}", "trace_id": name, "check": check, "layer": "rule",
        "decision": "review", "reasons": ["An answer for a person."], "blocked_by": ["no_pattern"],
        "risk_bearing": 0.5, "severity": "medium", "stakes": "medium", "intent": "refund",
        "weight": 1.0,
    } | more  # fmt: skip


def publish_day(
    place: DataDir,
    traces: list[dict[str, Any]],
    cases: Sequence[dict[str, Any]] = (),
    grades: Sequence[dict[str, Any]] = (),
    *,
    day: str = DAY,
    anomalies: dict[str, float] | None = None,
) -> None:
    """Publish what the queue reads of one day."""
    put(place, REDACTED_TRACES, day, traces)
    samples = [
        {"trace_id": t["trace_id"], "intent": "refund", "stakes": "medium",
         "anomaly_score": (anomalies or {}).get(t["trace_id"], 0.0)}
        for t in traces
    ]  # fmt: skip
    put(place, STRATIFIED_SAMPLES, day, samples)
    put(place, GRADES, day, grades)
    put(place, PROMOTED_CASES, day, cases)


def publish_suite(place: DataDir, *case_ids: str) -> None:
    """Publish a suite that holds these cases."""
    put(place, EVAL_SUITE, None, [{"case_id": one} for one in case_ids])


def settings(place: DataDir, **review: Any) -> None:
    """Give the data directory a small registry of its own, with these settings of the review."""
    own = place.root / "registry"
    own.mkdir(parents=True, exist_ok=True)
    for section in ("intents", "rules", "failure_modes"):
        (own / f"{section}.yaml").write_text(f"{section}: []\n")
    (own / "rubric.yaml").write_bytes((COMMITTED / "registry" / "rubric.yaml").read_bytes())
    body = {"settings": [{"effective_from": "2025-01-06", "review": review}]}
    (own / "settings.yaml").write_text(yaml.safe_dump(body))


def queue_of(place: DataDir, now: datetime = NOW) -> Queue:
    """The queue as of `now`."""
    return build_queue(read_material(place, now), now)


def say(place: DataDir, name: str, verdict: str = "good", **more: Any) -> Annotation:
    """Append what somebody says of a trace, an hour before NOW unless told."""
    body = {
        "trace_id": name, "verdict": verdict, "annotator_id": "anna",
        "annotated_at": NOW - timedelta(hours=1), "queue_reason": "no_pattern",
    } | more  # fmt: skip
    said = Annotation.model_validate(body)
    write_annotation(place.annotations, said)
    return said
