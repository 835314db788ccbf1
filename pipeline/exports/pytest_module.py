"""pytest: a module that runs every case against an agent, with the case's id as the test's."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.exports.case import Case
from pipeline.exports.target import Files, Target, beside, json_lines

__all__ = ["TARGET"]


def _write(cases: Sequence[Case], dataset: str, *, judged: bool) -> Files:
    return {
        "cases.jsonl": json_lines([case.body for case in cases]),
        **beside("test_cases.py", "caselaw_checks.py"),
    }


TARGET = Target(
    "pytest",
    _write,
    runs=True,
    judges=False,
    follow_up="CASELAW_AGENT=my_agent:answer pytest {folder}/test_cases.py",
)
