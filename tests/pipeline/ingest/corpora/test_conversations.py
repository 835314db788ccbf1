"""Whole conversations: customer support, and teams of agents that failed."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipeline.ingest.landing import LandingError
from tests.pipeline.ingest.corpora.recovery import Recovered, read_json, recover, said


@pytest.fixture(scope="module")
def tau(shared_data: Path, tmp_path_factory: Any) -> Recovered:
    path = shared_data / "tau-bench" / "gpt-4o-airline.tasks00-24.json"
    return recover(tmp_path_factory.mktemp("tau"), [path])


@pytest.fixture(scope="module")
def runs(shared_data: Path) -> Any:
    return read_json(shared_data / "tau-bench" / "gpt-4o-airline.tasks00-24.json")


def test_a_hundred_runs_word_for_word(tau: Recovered, runs: Any) -> None:
    assert (len(runs), len(tau.traces), tau.reasons) == (100, 100, [])
    written = Counter(
        tuple((m["role"], m["content"] or None, m.get("tool_call_id")) for m in run["traj"])
        for run in runs
    )
    found = Counter(
        tuple((m["role"], m["content"] or None, m["tool_call_id"]) for m in trace["messages"])
        for trace in tau.traces
    )
    assert found == written


def test_every_call_with_its_arguments_and_result(tau: Recovered, runs: Any) -> None:
    def asked(run: Any) -> tuple[Any, ...]:
        # One call a message, answered by the next; some ids stand twice in one run.
        turns = run["traj"]
        asked = [
            (call["function"], turns[n + 1]["content"])
            for n, message in enumerate(turns)
            for call in message.get("tool_calls") or ()
        ]
        return tuple((call["name"], call["arguments"], result) for call, result in asked)

    found = [
        tuple((c["name"], c["arguments"], c["result"]) for c in trace["tool_calls"])
        for trace in tau.traces
    ]
    assert Counter(found) == Counter(map(asked, runs))
    assert sum(map(len, found)) == 621  # counted in the file


def test_what_holds_no_conversation_is_refused(shared_data: Path, tmp_path: Path) -> None:
    for name in ("tau-bench/LICENSE", "tau-bench/envs-airline-users.json", "who-and-when/LICENSE"):
        with pytest.raises(LandingError, match="no reader knows this format"):
            recover(tmp_path, [shared_data / name])


def test_a_file_dropped_by_hand_is_quarantined_instead(shared_data: Path, tmp_path: Path) -> None:
    landing = tmp_path / "data" / "landing"
    landing.mkdir(parents=True)
    (landing / "users.json").write_bytes(
        (shared_data / "tau-bench" / "envs-airline-users.json").read_bytes()
    )
    found = recover(tmp_path, [])
    assert (found.traces, found.reasons) == ([], ["unknown_format"])


@pytest.fixture(scope="module")
def teams(shared_data: Path, tmp_path_factory: Any) -> list[tuple[Any, dict[str, Any]]]:
    """Every run as it was written, and its trace: told apart by question and last message."""
    paths = sorted((shared_data / "who-and-when").glob("*.json"))
    found = recover(tmp_path_factory.mktemp("teams"), paths)
    assert (len(found.traces), found.reasons) == (len(paths), [])
    by_end = {(said(t, "user")[0], t["messages"][-1]["content"]): t for t in found.traces}
    raw = [read_json(path) for path in paths]
    return [(run, by_end[run["question"], run["history"][-1]["content"]]) for run in raw]


def test_teams_say_what_they_said(teams: Any) -> None:
    assert len(teams) == 126
    for run, trace in teams:
        last = trace["messages"][-len(run["history"]) :]
        assert [m["content"] for m in last] == [turn["content"] for turn in run["history"]]
        assert [m["name"] for m in last] == [turn["name"] for turn in run["history"]]
        # Before it stand the agents' prompts and the question, nothing else.
        first = trace["messages"][: -len(run["history"])]
        assert [m["role"] for m in first] == ["system"] * len(run["system_prompt"]) + ["user"]
        assert {m["content"] for m in first} == {*run["system_prompt"].values(), run["question"]}


def test_who_made_the_mistake_and_when(teams: Any) -> None:
    for run, trace in teams:
        scores = {score["name"]: score for score in trace["feedback"]["scores"]}
        assert scores["mistake"]["label"] == run["mistake_agent"]
        assert scores["mistake"]["comment"] == run["mistake_reason"]
        at = int(scores["mistake_step"]["value"])
        said_then = run["history"][int(run["mistake_step"])]["content"]
        assert trace["messages"][at]["content"] == said_then


def test_no_label_is_told_to_the_graders(teams: Any) -> None:
    for run, trace in teams:
        assert run["mistake_reason"] not in json.dumps(trace["messages"], ensure_ascii=False)
