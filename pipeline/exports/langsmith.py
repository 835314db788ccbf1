"""LangSmith: examples as `Client.create_examples` takes them, under ids that follow from ours."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from pipeline.exports.case import Case
from pipeline.exports.chat import as_chat
from pipeline.exports.target import Files, Target, facts_of_case, json_lines

__all__ = ["TARGET"]


def _write(cases: Sequence[Case], dataset: str, *, judged: bool) -> Files:
    return {"examples.jsonl": json_lines([_example(case, dataset) for case in cases])}


def _example(case: Case, dataset: str) -> dict[str, Any]:
    facts = facts_of_case(case)
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"caselaw:{dataset}:{case.case_id}")),
        "inputs": {"messages": as_chat(case)},
        "outputs": {"expected": facts.pop("expected"), "checks": facts.pop("checks")},
        "metadata": facts,
        "split": case.split,
    }


TARGET = Target(
    "langsmith",
    _write,
    runs=False,
    judges=False,
    follow_up="langsmith.Client().create_examples(dataset_name=..., examples=[...]) with the "
    "lines of {folder}/examples.jsonl",
)
