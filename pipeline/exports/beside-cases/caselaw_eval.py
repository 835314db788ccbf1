"""The cases for openai/evals: an eval class that runs Caselaw's checks on the completion.

PYTHONPATH=. oaieval COMPLETION_FN caselaw --registry_path .

CASELAW_AGENT=module:function has an agent of your own answer, whatever COMPLETION_FN is.
"""

from __future__ import annotations

import os

import evals
import evals.metrics
from caselaw_checks import check, given, load_agent, load_cases, told

CASES = load_cases()


class CaselawChecks(evals.Eval):
    """Each sample is a case; what its checks cannot decide counts neither as right nor as wrong."""

    def eval_sample(self, sample, rng):
        """Have it answered, and run the checks on it."""
        if os.environ.get("CASELAW_AGENT"):
            answer = load_agent()(given(CASES[sample["case_id"]]))
        else:
            completions = self.completion_fn(prompt=sample["input"], temperature=0.0)
            answer = completions.get_completions()[0]
        verdict = check(sample["case_id"], answer)
        record = {"case_id": sample["case_id"], "checks": told(verdict), "picked": answer}
        if verdict["passed"] is None:
            evals.record.record_event("undecided", record)
        else:
            evals.record.record_match(
                verdict["passed"], expected=sample["ideal"], sampled=answer, **record
            )

    def run(self, recorder):
        """Run all samples; the report counts those that could not be decided."""
        self.eval_all_samples(recorder, self.get_samples())
        decided = recorder.get_events("match")
        report = {
            "decided": len(decided),
            "undecided": len(recorder.get_events("undecided")),
        }
        return report | ({"accuracy": evals.metrics.get_accuracy(decided)} if decided else {})
