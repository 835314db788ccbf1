"""Who&When: runs of several agents with a person's label."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.ingest.readers.conversations import reasons, records, said, traces, write

RUN: dict[str, Any] = {
    "question": "How many?", "question_ID": "q1", "ground_truth": "THE-KEY", "is_correct": False,
    "level": "2",
    "system_prompt": {"Counter": "You count."},
    "history": [
        {"role": "assistant", "name": "Counter", "content": "print(3)"},
        {"role": "user", "name": "Computer_terminal", "content": "exitcode: 0"},
        {"role": "user", "name": "Checker", "content": "It is 3."},
    ],
    "mistake_agent": "Checker", "mistake_step": "2", "mistake_reason": "It miscounted.",
}  # fmt: skip


def test_agents_speak_as_assistants_whatever_the_role_says(tmp_path: Path) -> None:
    (trace,) = traces(write(tmp_path, RUN), "who_and_when")
    assert said(trace) == [
        ("system", "You count."),
        ("user", "How many?"),
        ("assistant", "print(3)"),
        ("tool", "exitcode: 0"),
        ("assistant", "It is 3."),
    ]
    assert [m.name for m in trace.messages] == [
        "Counter", None, "Counter", "Computer_terminal", "Checker",
    ]  # fmt: skip


def test_the_label_is_a_persons_and_points_at_the_message(tmp_path: Path) -> None:
    (trace,) = traces(write(tmp_path, RUN), "who_and_when")
    mistake, step = trace.scores
    assert (mistake.label, mistake.source, mistake.comment) == (
        "Checker", "human", "It miscounted.",
    )  # fmt: skip
    # Step 2 of the history stands behind one prompt and the question: 2 + 2.
    assert step.value == 4.0
    assert trace.messages[4].name == mistake.label


def test_the_answer_key_does_not_land(tmp_path: Path) -> None:
    (trace,) = traces(write(tmp_path, RUN), "who_and_when")
    assert "THE-KEY" not in repr(trace)
    assert trace.attributes == {"level": "2"}


def test_a_role_alone_names_the_agent(tmp_path: Path) -> None:
    history = [
        {"role": "human", "content": "How many?"},
        {"role": "Orchestrator (thought)", "content": "Ask the surfer."},
    ]
    run = RUN | {"history": history, "system_prompt": None, "mistake_step": "9"}
    (trace,) = traces(write(tmp_path, run), "who_and_when")
    assert said(trace) == [("user", "How many?"), ("assistant", "Ask the surfer.")]
    assert trace.messages[1].name == "Orchestrator (thought)"
    assert [score.name for score in trace.scores] == ["mistake"], "no step 9 to point at"


@pytest.mark.parametrize("history", [7, [7], [{"content": "x"}], None])
def test_what_is_no_run_is_malformed_alone(tmp_path: Path, history: Any) -> None:
    found = records(write(tmp_path, RUN, RUN | {"history": history}), "who_and_when")
    assert len(found) == 2
    assert reasons(found) == ["not_a_conversation"]


def test_without_a_day_there_is_no_time(tmp_path: Path) -> None:
    assert reasons(records(write(tmp_path, RUN), "who_and_when", None)) == ["no_time"]


def test_every_real_run_keeps_every_turn_and_its_label(shared_data: Path) -> None:
    files = sorted((shared_data / "who-and-when").glob("*.json"))
    ids = set()
    for file in files:
        source = json.loads(file.read_text())
        (trace,) = traces(file, "who_and_when")
        ids.add(trace.trace_id)
        # Counted from the file: its turns, its prompts, and the question they all answer.
        turns = [turn["content"] for turn in source["history"]]
        assert [m.content for m in trace.messages][-len(turns) :] == turns
        assert len(trace.messages) == len(turns) + len(source["system_prompt"]) + 1
        terminal = sum(turn["name"] == "Computer_terminal" for turn in source["history"])
        assert sum(m.role == "tool" for m in trace.messages) == terminal
        assert trace.scores[0].label == source["mistake_agent"]
        assert trace.scores[0].comment == source["mistake_reason"]
    assert len(files) == len(ids) == 126
