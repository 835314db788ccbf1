"""Langfuse: dataset items as its API and SDK take them; an id is unique in the whole project."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.exports.case import Case
from pipeline.exports.chat import as_chat
from pipeline.exports.target import Files, Target, facts_of_case, json_lines

__all__ = ["TARGET"]


def _write(cases: Sequence[Case], dataset: str, *, judged: bool) -> Files:
    return {"items.jsonl": json_lines([_item(case, dataset) for case in cases])}


def _item(case: Case, dataset: str) -> dict[str, Any]:
    facts = facts_of_case(case)
    return {
        "datasetName": dataset,
        "id": f"{dataset}:{case.case_id}",
        "input": {"messages": as_chat(case)},
        "expectedOutput": {"expected": facts.pop("expected"), "checks": facts.pop("checks")},
        "metadata": facts,
        "status": "ACTIVE" if case.status == "active" else "ARCHIVED",
    }


TARGET = Target(
    "langfuse",
    _write,
    runs=False,
    judges=False,
    follow_up="POST each line of {folder}/items.jsonl to /api/public/dataset-items",
)
