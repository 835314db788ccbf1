"""Phoenix: one upload of a dataset (POST /v1/datasets/upload), whose ids update in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.exports.case import Case
from pipeline.exports.chat import as_chat
from pipeline.exports.target import Files, Target, facts_of_case, json_file

__all__ = ["TARGET"]


def _write(cases: Sequence[Case], dataset: str, *, judged: bool) -> Files:
    return {"dataset.json": json_file(_upload(cases, dataset))}


def _upload(cases: Sequence[Case], dataset: str) -> dict[str, Any]:
    facts = [facts_of_case(case) for case in cases]
    outputs = [{"expected": f.pop("expected"), "checks": f.pop("checks")} for f in facts]
    return {
        "action": "update",
        "name": dataset,
        "description": "Cases from production, by Caselaw.",
        "inputs": [{"messages": as_chat(case)} for case in cases],
        "outputs": outputs,
        "metadata": facts,
        "splits": [case.split for case in cases],
        "example_ids": [case.case_id for case in cases],
    }


TARGET = Target(
    "phoenix",
    _write,
    runs=False,
    judges=False,
    follow_up="curl -H 'Content-Type: application/json' --data @{folder}/dataset.json "
    "'http://127.0.0.1:6006/v1/datasets/upload?sync=true'",
)
