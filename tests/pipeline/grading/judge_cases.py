"""Cases, settings and scripts for tests of the judge over litellm."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pipeline.grading import Case
from pipeline.registry import Axis
from pipeline.registry.settings import Judge as JudgeSettings
from tests.pipeline.grading.judge_server import AXES, Answer, Request, Script, verdicts
from tests.pipeline.grading.traces import agent, call, conversation, user

RUBRIC = tuple(
    Axis(id=name, definition="d", passes_when="p", codes={"bad": f"It is bad in {name}."})
    for name in AXES
)
FAIL = {"verdict": "fail", "code": "bad", "score": 0.1}


def settings(url: str, **changes: object) -> JudgeSettings:
    """One million tokens cost 10 USD read and 20 USD written: 1,000 + 100 tokens cost 0.012."""
    values: dict[str, object] = {
        "engine": "litellm",
        "model": "openai/judge-2026-11-01",
        "api_base": url,
        "input_usd_per_million": 10.0,
        "output_usd_per_million": 20.0,
        "timeout_seconds": 5,
        "backoff_seconds": 0.01,
        "concurrency": 4,
    }
    return JudgeSettings.model_validate(values | changes)


def cases(*questions: str) -> list[Case]:
    return [
        Case(conversation(user(q), call("look", {"q": q}, {"a": 1}), agent("It is 1.")), None)
        for q in questions or ("What is it?",)
    ]


def always(make: object) -> Script:
    return lambda number, request: make(request) if callable(make) else make  # type: ignore[return-value]


def good(request: Request) -> Answer:
    return Answer(content=verdicts(request))


def outcomes(folder: Path) -> list[tuple[str, float]]:
    with sqlite3.connect(folder / "judge.sqlite") as connection:
        return connection.execute("SELECT outcome, cost_usd FROM calls ORDER BY call_id").fetchall()
