"""ATIF trajectories."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.ingest.readers.conversations import reasons, records, said, traces, write

CALL = {"tool_call_id": "c1", "function_name": "ls", "arguments": {"path": "/"}}
RUN: dict[str, Any] = {
    "schema_version": "ATIF-v1.5",
    "session_id": "s1",
    "agent": {"name": "shell", "version": "1.2", "model_name": "openai/gpt-4o"},
    "steps": [
        {"step_id": 1, "source": "system", "message": "Be brief."},
        {"step_id": 2, "source": "user", "message": "List.", "timestamp": "2026-11-02T10:00:00Z"},
        {"step_id": 3, "source": "agent", "message": "Looking.", "reasoning_content": "SECRET",
         "timestamp": "2026-11-02T10:00:05Z", "model_name": "gpt-4o", "tool_calls": [CALL],
         "observation": {"results": [{"source_call_id": "c1", "content": "bin etc"}]},
         "metrics": {"prompt_tokens": 10, "completion_tokens": 4, "cached_tokens": 6,
                     "cost_usd": 0.25}},
    ],
}  # fmt: skip


def test_steps_become_messages_calls_and_results(tmp_path: Path) -> None:
    (trace,) = traces(write(tmp_path, RUN, name="t.json"), "atif", None)
    assert said(trace) == [
        ("system", "Be brief."), ("user", "List."), ("assistant", "Looking."), ("tool", "bin etc"),
    ]  # fmt: skip
    (call,) = trace.calls
    assert (call.name, call.arguments, call.result) == ("ls", '{"path":"/"}', "bin etc")
    assert (trace.agent_name, trace.agent_version, trace.models) == ("shell", "1.2", {"gpt-4o"})
    assert (trace.ended_at - trace.started_at).total_seconds() == 5
    assert "SECRET" not in repr(trace)


def test_cached_tokens_are_part_of_the_prompt(tmp_path: Path) -> None:
    (trace,) = traces(write(tmp_path, RUN), "atif")
    assert (trace.input_tokens, trace.output_tokens, trace.cost_usd) == (10, 4, 0.25)


def test_totals_win_but_not_in_a_continuation(tmp_path: Path) -> None:
    totals = {"total_prompt_tokens": 99, "total_completion_tokens": 9, "total_cost_usd": 1.5}
    (whole,) = traces(write(tmp_path, RUN | {"final_metrics": totals}), "atif")
    assert (whole.input_tokens, whole.cost_usd) == (99, 1.5)
    copied = RUN["steps"][1] | {"is_copied_context": True}
    later = RUN | {"final_metrics": totals, "steps": [copied, RUN["steps"][2]]}
    (rest,) = traces(write(tmp_path, later), "atif")
    assert (rest.input_tokens, rest.cost_usd) == (10, 0.25), "its totals count the first part again"


def test_a_trajectory_continued_elsewhere_is_partial(tmp_path: Path) -> None:
    (trace,) = traces(write(tmp_path, RUN | {"continued_trajectory_ref": "t.cont-1.json"}), "atif")
    assert (trace.complete, trace.flags) == (False, {"continued"})


def test_sub_agents_inside_are_traces_of_their_own(tmp_path: Path) -> None:
    inner = RUN | {"trajectory_id": "inner", "session_id": "s2"}
    outer = RUN | {"trajectory_id": "outer", "subagent_trajectories": [inner]}
    first, second = traces(write(tmp_path, outer), "atif")
    assert (first.trace_id, first.session_id) == ("outer", "s1")
    assert (second.trace_id, second.session_id, second.flags) == ("inner", None, {"subagent"})
    assert second.attributes["parent_trace_id"] == "outer"


def test_results_without_ids_answer_calls_in_order(tmp_path: Path) -> None:
    calls = [CALL, CALL | {"tool_call_id": "c2"}]
    results = {"results": [{"content": "one"}, {"content": "two"}]}
    step = RUN["steps"][2] | {"tool_calls": calls, "observation": results}
    (trace,) = traces(write(tmp_path, RUN | {"steps": [step]}), "atif")
    assert [call.result for call in trace.calls] == ["one", "two"]


@pytest.mark.parametrize(
    "steps", [None, 7, [7], [{"source": "ghost"}], [{"source": "agent", "tool_calls": [{}]}]]
)
def test_what_is_no_trajectory_is_malformed_alone(tmp_path: Path, steps: Any) -> None:
    found = records(write(tmp_path, RUN, RUN | {"steps": steps}, RUN), "atif")
    assert len(found) == 3
    assert reasons(found) == ["bad_trajectory"]


_LONG = "terminus_2_hello-world-context-summarization-linear-history"


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("openhands_hello-world.trajectory.json", (220, 80)),
        ("openhands_hello-world.trajectory.no_function_calling.json", (220, 80)),
        (f"{_LONG}.trajectory.json", (2252, 160)),
        # 1700 + 3 x 850 of its own four steps, 420 + 40 + 40 + 30.
        (f"{_LONG}.trajectory.cont-1.json", (4250, 530)),
    ],
)  # fmt: skip
def test_real_trajectories(shared_data: Path, name: str, tokens: tuple[int, int]) -> None:
    file = shared_data / "inspect-logs" / "atif" / name
    steps = json.loads(file.read_text())["steps"]
    answers = [
        result["content"]
        for step in steps
        for result in (step.get("observation") or {}).get("results", [])
        if "content" in result
    ]
    (trace,) = traces(file, "atif")
    assert len(trace.messages) == len(steps) + len(answers)
    assert [m.content for m in trace.messages if m.role == "tool"] == answers
    shown = [call for step in steps for call in step.get("tool_calls", [])]
    assert [json.loads(c.arguments) for c in trace.calls] == [c["arguments"] for c in shown]
    assert (trace.input_tokens, trace.output_tokens) == tokens
