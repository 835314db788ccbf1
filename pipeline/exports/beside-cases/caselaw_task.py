"""The cases as an Inspect task, scored by Caselaw's checks.

inspect eval caselaw_task.py --model ...                      # the model alone answers
inspect eval caselaw_task.py -T agent=my_agent:answer         # an agent of your own answers
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from inspect_ai import Task, task
from inspect_ai.dataset import json_dataset
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import CORRECT, INCORRECT, Score, accuracy, scorer, stderr
from inspect_ai.solver import generate, solver

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from caselaw_checks import check, given, load_agent, load_cases, told  # noqa: E402


@task
def caselaw(agent: str = ""):
    """The cases; `agent` is module:function, else the model answers."""
    return Task(
        dataset=json_dataset(str(HERE / "samples.jsonl")),
        solver=own_agent(agent) if agent else generate(),
        scorer=caselaw_checks(),
    )


@solver
def own_agent(named: str):
    """Has the agent answer; what it tells beside the text is kept for the checks."""
    cases, answer = load_cases(), load_agent(named)

    async def solve(state, generate):
        told = await asyncio.to_thread(answer, given(cases[str(state.sample_id)]))
        state.store.set("caselaw_answer", told)
        text = told if isinstance(told, str) else told.get("answer") or ""
        state.output = ModelOutput.from_content(named, text)
        state.messages.append(state.output.message)
        return state

    return solve


@scorer(metrics=[accuracy(), stderr()])
def caselaw_checks():
    """Scores by the checks; what they cannot decide is unscored, neither right nor wrong."""

    async def score(state, target):
        answer = state.store.get("caselaw_answer") or {"messages": told_by(state)}
        verdict = await asyncio.to_thread(check, str(state.sample_id), answer)
        if verdict["passed"] is None:
            return Score.unscored(explanation=told(verdict))
        value = CORRECT if verdict["passed"] else INCORRECT
        return Score(value=value, answer=state.output.completion, explanation=told(verdict))

    return score


def told_by(state):
    """The messages that came after the input, as chat completions have them."""
    asked = 1 if isinstance(state.input, str) else len(state.input)
    return [as_chat(message) for message in state.messages[asked:] if message.role != "user"]


def as_chat(message):
    """A message of Inspect as the checks read it."""
    calls = [
        {"id": call.id, "name": call.function, "arguments": call.arguments}
        for call in getattr(message, "tool_calls", None) or ()
    ]
    return {
        "role": message.role,
        "content": message.text,
        "tool_calls": calls,
        "tool_call_id": getattr(message, "tool_call_id", None),
        "name": getattr(message, "function", None),
    }
