"""openai/evals (the open-source framework): samples, a registry, and an eval class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.exports.case import Case
from pipeline.exports.chat import as_chat
from pipeline.exports.target import Files, Target, beside, facts_of_case, json_lines

__all__ = ["TARGET"]

_REGISTRY = """\
# {dataset}: an eval of openai/evals. `ideal` of a sample is what is expected, in a sentence: it is
# for people and for model-graded evals, not for a comparison of texts.
"{dataset}":
  id: "{dataset}.cases.v1"
  description: Cases from production, checked by Caselaw.
  metrics: [accuracy]
"{dataset}.cases.v1":
  class: caselaw_eval:CaselawChecks
  args:
    samples_jsonl: "{dataset}/samples.jsonl"
"""


def _write(cases: Sequence[Case], dataset: str, *, judged: bool) -> Files:
    return {
        f"data/{dataset}/samples.jsonl": json_lines([_sample(case) for case in cases]),
        f"evals/{dataset}.yaml": _REGISTRY.format(dataset=dataset).encode(),
        "cases.jsonl": json_lines([case.body for case in cases]),
        **beside("caselaw_eval.py", "caselaw_checks.py"),
    }


def _sample(case: Case) -> dict[str, Any]:
    return {
        "input": as_chat(case),
        "ideal": case.text("expected"),
        "case_id": case.case_id,
        "metadata": facts_of_case(case),
    }


TARGET = Target(
    "openai-evals",
    _write,
    runs=True,
    judges=False,
    follow_up="PYTHONPATH={folder} oaieval COMPLETION_FN {dataset} --registry_path {folder}",
)
