"""The cases for DeepEval: the goldens, and a metric that runs Caselaw's checks.

CASELAW_AGENT=my_agent:answer deepeval test run test_deepeval.py
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from caselaw_checks import check, given, told
from deepeval.dataset import EvaluationDataset
from deepeval.metrics import BaseMetric
from deepeval.test_case import LLMTestCase, ToolCall

HERE = Path(__file__).resolve().parent


def load_dataset():
    """The goldens as a dataset of DeepEval."""
    dataset = EvaluationDataset()
    dataset.add_goldens_from_json_file(str(HERE / "goldens.json"))
    return dataset


def answered(golden, agent, cases):
    """Has the agent answer; what it tells beside the text is kept for the checks."""
    case_id = golden.additional_metadata["case_id"]
    answer = agent(given(cases[case_id]))
    said = {"answer": answer} if isinstance(answer, str) else answer
    calls = [
        ToolCall(name=call["name"], output=call.get("result")) for call in said.get("calls") or ()
    ]
    return LLMTestCase(
        input=golden.input,
        actual_output=said.get("answer") or "",
        expected_output=golden.expected_output,
        tools_called=calls or None,
        name=case_id,
        metadata={"case_id": case_id, "caselaw_answer": answer},
    )


class CaselawChecks(BaseMetric):
    """1 where the checks of the case hold, 0 where one fails; skipped where none can tell."""

    def __init__(self):
        self.threshold = 1.0
        self.async_mode = False

    def measure(self, test_case, *args, **kwargs):
        """Run the checks on the answer that `test_case` keeps."""
        kept = test_case.metadata or {}
        answer = kept.get("caselaw_answer", test_case.actual_output)
        verdict = check(kept["case_id"], answer)
        self.skipped = verdict["passed"] is None
        self.success = verdict["passed"] is not False
        self.score = None if self.skipped else float(self.success)
        self.reason = told(verdict)
        return self.score

    async def a_measure(self, test_case, *args, **kwargs):
        """The same, beside other work."""
        return await asyncio.to_thread(self.measure, test_case)

    def is_successful(self):
        """Whether no check failed."""
        return bool(self.success)

    @property
    def __name__(self):
        return "Caselaw checks"
