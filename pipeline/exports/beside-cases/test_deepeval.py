"""Every case as a test of the agent that CASELAW_AGENT names (module:function), in DeepEval.

CASELAW_AGENT=my_agent:answer deepeval test run test_deepeval.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from caselaw_checks import load_agent, load_cases
from caselaw_metric import CaselawChecks, answered, load_dataset
from deepeval import assert_test

GOLDENS = {golden.additional_metadata["case_id"]: golden for golden in load_dataset().goldens}
CASES = load_cases()


@pytest.mark.parametrize("case_id", list(GOLDENS))
def test_case(case_id):
    """The checks of the case hold for what the agent answers now."""
    assert_test(answered(GOLDENS[case_id], load_agent(), CASES), [CaselawChecks()])
