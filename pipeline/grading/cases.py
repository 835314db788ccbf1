"""Conversations of a published day, put as cases before a judge."""

from __future__ import annotations

from pipeline.grading.conversation import read_conversation
from pipeline.grading.judge import Case
from pipeline.ids import unit_interval
from pipeline.lake import Lake
from pipeline.registry import Registry
from pipeline.tables import REDACTED_TRACES, STRATIFIED_SAMPLES
from pipeline.windows import Window

__all__ = ["read_cases"]


def read_cases(
    lake: Lake, window: Window, registry: Registry, most: int
) -> tuple[list[Case], list[str]]:
    """Draw up to `most` of a day's redacted conversations, the same ones every time.

    Returns:
        The cases, and the models that answered in them, sorted.

    Raises:
        MissingPartition: the day was never published.
    """
    known = {row["trace_id"]: row for row in lake.read(STRATIFIED_SAMPLES, window).to_dicts()}
    rows = [
        row for row in lake.read(REDACTED_TRACES, window).to_dicts() if row["trace_id"] in known
    ]
    drawn = sorted(rows, key=lambda row: unit_interval("cases", row["trace_id"]))[:most]
    intents = {intent.id: intent for intent in registry.intents}
    cases = []
    for row in drawn:
        sample = known[row["trace_id"]]
        intent = intents.get(sample["intent"])
        cases.append(Case(read_conversation(row), intent, sample["intent_score"]))
    return cases, sorted({model for row in drawn for model in row["models"] or ()})
