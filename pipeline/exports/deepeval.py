"""DeepEval: goldens, a metric that runs our checks, and a test file for its runner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.exports.case import Case
from pipeline.exports.target import Files, Target, beside, facts_of_case, json_file, json_lines

__all__ = ["TARGET"]


def _write(cases: Sequence[Case], dataset: str, *, judged: bool) -> Files:
    return {
        "goldens.json": json_file([_golden(case) for case in cases]),
        "cases.jsonl": json_lines([case.body for case in cases]),
        **beside("test_deepeval.py", "caselaw_metric.py", "caselaw_checks.py"),
    }


def _golden(case: Case) -> dict[str, Any]:
    """A golden in the keys that `add_goldens_from_json_file` reads by default.

    `input` is what the user said last, since it has to be a text: the whole conversation is in
    `additional_metadata`.
    """
    documents = [
        str(document.get("content") or "")
        for search in case.documents
        for document in search.get("documents") or ()
    ]
    wanted = [check.any_of[0] for check in case.checks if check.kind == "tool_called"]
    return {
        "input": case.messages[-1].get("content") or "",
        "expected_output": case.text("expected"),
        "context": documents or None,
        "expected_tools": [{"name": name} for name in wanted] or None,
        "name": case.case_id,
        "comments": case.title,
        "source_file": "cases.jsonl",
        "additional_metadata": {
            **facts_of_case(case),
            "messages": [dict(message) for message in case.messages],
        },
    }


TARGET = Target(
    "deepeval",
    _write,
    runs=True,
    judges=False,
    follow_up="CASELAW_AGENT=my_agent:answer deepeval test run {folder}/test_deepeval.py",
)
