"""Every case as a test of the agent that CASELAW_AGENT names (module:function).

CASELAW_AGENT=my_agent:answer pytest test_cases.py

The function gets one dict, {"id", "messages", "fixtures", "documents"}, and returns a text, or
{"answer": "...", "calls": [{"name": "...", "arguments": {}}]}: without calls no check can tell
what the agent called.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from caselaw_checks import check, given, load_agent, load_cases, told

CASES = load_cases()


@pytest.fixture(scope="session")
def agent():
    """The agent under test."""
    return load_agent()


@pytest.mark.parametrize("case_id", list(CASES))
def test_case(case_id, agent):
    """The checks of the case hold for what the agent answers now."""
    verdict = check(case_id, agent(given(CASES[case_id])))
    if verdict["passed"] is None:
        pytest.skip(f"undecided\n{told(verdict)}")
    assert verdict["passed"], f"{CASES[case_id].get('title', case_id)}\n{told(verdict)}"
