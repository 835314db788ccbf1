"""Chat messages in the shapes that exports and training sets give them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.ingest.readers.conversations import reasons, records, said, traces, write

HELLO = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]
SAID = [("user", "Hello"), ("assistant", "Hi")]
CHOICES = [{"index": 0, "finish_reason": "stop", "message": HELLO[1]},
           {"index": 1, "message": {"role": "assistant", "content": "not shown"}}]  # fmt: skip


@pytest.mark.parametrize(
    "record",
    [
        {"messages": HELLO},
        {"traj": HELLO},
        HELLO,
        {"conversations": [{"from": "human", "value": "Hello"}, {"from": "gpt", "value": "Hi"}]},
        {"turns": HELLO},
        {"object": "chat.completion", "messages": HELLO[:1], "choices": CHOICES},
        {"object": "chat.completion", "input": HELLO[:1], "choices": CHOICES},
        {"request": {"messages": HELLO[:1]}, "response": {"choices": CHOICES}},
        {"request": json.dumps({"messages": HELLO[:1]}), "response": {"choices": CHOICES}},
        {"object": "list", "data": [{"messages": HELLO}]},
        {"messages": json.dumps(HELLO), "about": HELLO[:0], "first": {"role": "user"}},
    ],
)
def test_every_shape_says_the_same(tmp_path: Path, record: Any) -> None:
    (trace,) = traces(write(tmp_path, record), "chat")
    assert said(trace) == SAID
    assert trace.complete


@pytest.mark.parametrize("lines", [False, True])
def test_a_file_that_is_one_list_of_messages_is_one_conversation(
    tmp_path: Path, lines: bool
) -> None:
    (trace,) = traces(write(tmp_path, *(HELLO if lines else [HELLO])), "chat")
    assert said(trace) == SAID


def test_the_calls_of_a_training_set_keep_their_results(tmp_path: Path) -> None:
    call = '{"name": "find", "arguments": {"q": "A1"}}'
    turns = [{"from": "human", "value": "Find A1."}, {"from": "function_call", "value": call},
             {"from": "observation", "value": "found"}]  # fmt: skip
    (trace,) = traces(write(tmp_path, {"conversations": turns}), "chat")
    (found,) = trace.calls
    assert (found.name, json.loads(found.arguments)) == ("find", {"q": "A1"})
    assert found.result == "found"


def test_blocks_of_another_vendor_are_understood(tmp_path: Path) -> None:
    used = {"type": "tool_use", "id": "t", "name": "find", "input": {"q": "A1"}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": "found"}
    record = {"messages": [HELLO[0], {"role": "assistant", "content": [used]},
                           {"role": "user", "content": [result]}]}  # fmt: skip
    (trace,) = traces(write(tmp_path, record), "chat")
    assert [(c.name, c.result) for c in trace.calls] == [("find", "found")]
    assert [message.role for message in trace.messages] == ["user", "assistant", "tool"]


def test_who_when_and_how_much(tmp_path: Path) -> None:
    record = {
        "messages": HELLO, "id": "t1", "created": 1793613600, "ended_at": "2026-11-02T10:00:09Z",
        "model": "gpt-4o", "metadata": {"session_id": "s1", "user_id": "u1", "release": "v3"},
        "usage": {"prompt_tokens": 9, "completion_tokens": 2,
                  "prompt_tokens_details": {"cached_tokens": 4}},
        "cost_usd": 0.25,
    }  # fmt: skip
    (trace,) = traces(write(tmp_path, record), "chat", None)
    assert (trace.trace_id, trace.session_id, trace.user_id) == ("t1", "s1", "u1")
    assert (trace.release, trace.models) == ("v3", {"gpt-4o"})
    assert (trace.input_tokens, trace.output_tokens, trace.cost_usd) == (9, 2, 0.25)
    assert (trace.ended_at - trace.started_at).total_seconds() == 9


@pytest.mark.parametrize("cost", [-0.25, 1e308, 10**300, "much", None])
def test_a_cost_that_can_be_none_is_none(tmp_path: Path, cost: Any) -> None:
    """One record must not stop the week whose mean it would be part of."""
    (trace,) = traces(write(tmp_path, {"messages": HELLO, "cost_usd": cost}), "chat")
    assert trace.cost_usd is None


def test_cached_tokens_beside_the_input_are_added(tmp_path: Path) -> None:
    used = {"input_tokens": 3, "cache_read_input_tokens": 100, "output_tokens": 2}
    record = {"messages": [HELLO[0], HELLO[1] | {"usage": used}]}
    (trace,) = traces(write(tmp_path, record), "chat")
    assert (trace.input_tokens, trace.output_tokens) == (103, 2)


@pytest.mark.parametrize(
    "time", [1793613600, 1793613600.0, 1793613600000, "2026-11-02T10:00:00Z", "2026-11-02 10:00"]
)
def test_times_as_systems_write_them(tmp_path: Path, time: Any) -> None:
    (trace,) = traces(write(tmp_path, {"messages": HELLO, "timestamp": time}), "chat", None)
    assert trace.started_at.isoformat() == "2026-11-02T10:00:00+00:00"
    assert trace.timed


def test_feedback_is_kept_with_its_author(tmp_path: Path) -> None:
    listed = [{"name": "helpful", "value": 0, "source": "human", "comment": "No."},
              {"key": "tone", "label": "cold"}, {"value": 1}, 7]  # fmt: skip
    (trace,) = traces(write(tmp_path, {"messages": HELLO, "feedback": listed}), "chat")
    assert [(s.name, s.value, s.label, s.source, s.comment) for s in trace.scores] == [
        ("helpful", 0.0, None, "human", "No."), ("tone", None, "cold", "user", None),
    ]  # fmt: skip
    (named,) = traces(write(tmp_path, {"messages": HELLO, "feedback": {"thumbs": 1}}), "chat")
    assert [(s.name, s.value) for s in named.scores] == [("thumbs", 1.0)]


@pytest.mark.parametrize(
    "record",
    [7, {}, {"messages": 7}, {"messages": []}, {"messages": [7]}, {"messages": [{"content": "x"}]},
     {"messages": [HELLO[0], {"role": 7}]}, {"choices": []}, {"input": [{"x": 1}]}],
)  # fmt: skip
def test_what_is_no_conversation_is_malformed_alone(tmp_path: Path, record: Any) -> None:
    found = records(write(tmp_path, {"messages": HELLO}, record), "chat")
    assert reasons(found) == ["not_a_conversation"]
    assert len(found) == 2


def test_without_a_time_the_day_is_needed(tmp_path: Path) -> None:
    path = write(tmp_path, {"messages": HELLO})
    assert reasons(records(path, "chat", None)) == ["no_time"]
    assert not traces(path, "chat")[0].timed


def test_real_trajectories_keep_all_but_the_answer_key(shared_data: Path) -> None:
    file = shared_data / "tau-bench" / "gpt-4o-airline.tasks00-24.json"
    source, found = json.loads(file.read_text()), traces(file, "chat")
    assert len({trace.trace_id for trace in found}) == len(source) == 100
    for run, trace in zip(source, found, strict=True):
        assert said(trace) == [(m["role"], m["content"]) for m in run["traj"]]
        shown = [c for m in run["traj"] for c in m.get("tool_calls") or ()]
        assert [(c.id, c.name, c.arguments) for c in trace.calls] == [
            (c["id"], c["function"]["name"], c["function"]["arguments"]) for c in shown
        ]
        answers = [m["content"] for m in run["traj"] if m["role"] == "tool"]
        assert [c.result for c in trace.calls] == answers
        assert set(trace.attributes) == {"task_id", "trial"}
        instruction = run["info"]["task"]["instruction"]
        assert instruction not in repr(trace), "what the user was told to want is no part of it"
