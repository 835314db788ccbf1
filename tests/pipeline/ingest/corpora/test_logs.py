"""Logs of runs and sessions: Inspect, ATIF, Claude Code, OpenClaw."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.ingest.landing import LandingError
from tests.pipeline.ingest.corpora.recovery import (
    assert_told_once,
    calls,
    read_json,
    recover,
    roles,
    said,
    tokens,
)

# File: samples in it, by counting them; a log of 2024 lies before the first partition.
LOGS = {
    "2025-09-23T08-09-58-04-00_popularity_DN2wbX2ZvACsBpjwptzBRo.eval": 100,
    "2025-09-23T08-09-58-04-00_security-guide_LuxZJVwvymC3S3SyoJczxB.eval": 16,
    "2025-09-23T08-09-58-04-00_theory-of-mind_bbB4eRCx2rFJLyPH42Cj9r.eval": 100,
    "2025-11-07T10-59-47-05-00_websearch-addition-problem_LqPDntDnkk4h2fSqQ8i6CE.eval": 1,
    "log_formats.eval": 1,
    "log_formats.json": 1,
    "log_images.json": 1,
    "log_images_tc.json": 1,
    "log_length_stop_reason.txt": 1,
    "log_message_deduplication.eval": 1,
    "log_read_sample.eval": 1,
    "log_read_sample.json": 1,
    "log_streaming.eval": 4,
    "log_tool_call_error.json": 1,
}
NO_LOGS = {
    "log_invalid.txt": "bad_json",
    "log_valid.txt": "no_samples",
    "log_version_3.txt": "no_samples",
    "log_with_nan.txt": "no_samples",
}


def samples(path: Path) -> Iterator[Any]:
    """The samples of a log, read without the reader."""
    if path.suffix != ".eval":
        yield from read_json(path)["samples"]
        return
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.startswith("samples/"):
                yield json.loads(archive.read(name))


def spoken(content: Any) -> list[str]:
    """The texts of a message's content that stand there themselves."""
    parts = [content] if isinstance(content, str) else [part.get("text") for part in content]
    return [text for text in parts if text and not text.startswith("attachment://")]


@pytest.mark.parametrize("name", LOGS)
def test_an_inspect_log(name: str, shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "inspect-logs" / "eval-logs" / name
    found = recover(tmp_path, [path])
    told = list(samples(path))
    assert (len(told), len(found.traces), found.reasons) == (LOGS[name], LOGS[name], [])
    left = list(found.traces)
    for sample in told:
        # Which trace it is, its words alone decide; two alike may stand for each other.
        trace = next(t for t in left if _is_of(t, sample))
        left.remove(trace)
        usage = (sample.get("output") or {}).get("usage") or {}
        assert tokens(trace) == (usage.get("input_tokens"), usage.get("output_tokens"))
        asked = [c for m in sample["messages"] for c in m.get("tool_calls") or ()]
        shown = [(c["name"], c["arguments"]) for c in _calls_in_messages(trace)]
        assert shown == [
            (c["function"], json.dumps(c["arguments"], separators=(",", ":"))) for c in asked
        ]
        scores = {s["name"] for s in trace["feedback"]["scores"]}
        assert scores == set(sample.get("scores") or ())
    old = name.startswith(("log_formats", "log_images", "log_length", "log_streaming"))
    assert all(("time_moved" in trace["flags"]) is old for trace in found.traces)


def _calls_in_messages(trace: Any) -> list[Any]:
    return [call for m in trace["messages"] for call in m["tool_calls"] or ()]


def _is_of(trace: Any, sample: Any) -> bool:
    messages = sample["messages"]
    if [m["role"] for m in trace["messages"]] != [m["role"] for m in messages]:
        return False
    return all(
        text in (mine["content"] or "")
        for mine, theirs in zip(trace["messages"], messages, strict=True)
        for text in spoken(theirs["content"])
    )


def test_tools_that_failed_say_how(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "inspect-logs" / "eval-logs" / "log_tool_call_error.json"
    trace = recover(tmp_path, [path]).only
    (sample,) = samples(path)
    kinds = [(m.get("error") or {}).get("type") for m in sample["messages"]]
    assert [c["status"] for c in trace["tool_calls"]] == [
        "timeout" if kind == "timeout" else "error" if kind else "ok" for kind in kinds
    ]


@pytest.mark.parametrize("name", NO_LOGS)
def test_a_log_without_a_sample_is_quarantined(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    found = recover(tmp_path, [shared_data / "inspect-logs" / "eval-logs" / name])
    assert (found.traces, found.reasons) == ([], [NO_LOGS[name]])


def test_licences_are_refused(shared_data: Path, tmp_path: Path) -> None:
    for name in ("LICENSE", "LICENSE-scout"):
        with pytest.raises(LandingError, match="no reader knows this format"):
            recover(tmp_path, [shared_data / "inspect-logs" / name])


# Roles; tokens are the sum of the steps' own: a continued run's totals count the one before too.
ATIF = {
    "openhands_hello-world.trajectory": ("sussata", (220, 80)),
    "openhands_hello-world.trajectory.no_function_calling": ("suata", (220, 80)),
    "terminus_2_hello-world-context-summarization-linear-history.trajectory": (
        "uatatats", (2252, 160),  # 682 + 750 + 820, 60 + 50 + 50
    ),
    "terminus_2_hello-world-context-summarization-linear-history.trajectory.cont-1": (
        "uuauatatatat", (4250, 530),  # 1700 + 3 * 850, 420 + 40 + 40 + 30
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ATIF)
def test_an_atif_run(name: str, shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "inspect-logs" / "atif" / f"{name}.json"
    trace = recover(tmp_path, [path]).only
    assert (roles(trace), tokens(trace)) == ATIF[name]
    steps = read_json(path)["steps"]
    assert [m["content"] for m in trace["messages"] if m["role"] != "tool"] == [
        step["message"] for step in steps
    ]
    given = [r for s in steps for r in (s.get("observation") or {}).get("results", ())]
    assert said(trace, "tool") == [r["content"] for r in given if r.get("content")]
    by_id = {r.get("source_call_id"): r.get("content") for r in given}
    asked = [call for step in steps for call in step.get("tool_calls") or ()]
    assert calls(trace) == [
        (c["function_name"], c["arguments"], by_id.get(c["tool_call_id"])) for c in asked
    ]


# Sessions in a file: roles, tokens, and names of the tools called. `/clear` begins another one.
CLAUDE = {
    "agent-atest01": [("uata", (200, 60), ["Bash"])],  # 80 + 120, 20 + 40
    "agent_session": [("uata", (300, 80), ["Task"])],
    "clear_split_session": [("ua", (50, 15), []), ("ua", (60, 12), [])],
    "compaction_session": [("uasua", (180, 40), [])],  # the summary is the system's
    "simple_conversation": [("uaua", (250, 50), [])],
    "slug_clear_partner": [("ua", (200, 100), [])],
    "slug_clear_session": [("ua", (100, 50), []), ("ua", (80, 30), [])],
    "slug_multi_clear_file1": [("ua", (100, 50), []), ("ua", (80, 30), [])],
    "slug_multi_clear_file2": [("ua", (200, 100), []), ("ua", (60, 20), [])],
    "slug_session_1": [("ua", (100, 50), [])],
    "slug_session_2": [("ua", (200, 100), [])],
    "tool_call_conversation": [("uata", (600, 90), ["Read"])],  # 200 + 100 + 50 + 250 with cache
}


@pytest.mark.parametrize("name", CLAUDE)
def test_claude_code_sessions(name: str, shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "inspect-logs" / "claude-code" / f"{name}.jsonl"
    found = recover(tmp_path, [path])
    traces = sorted(found.traces, key=lambda trace: trace["started_at"])
    assert [(roles(t), tokens(t), [call[0] for call in calls(t)]) for t in traces] == CLAUDE[name]
    everything = "\n".join(m["content"] or "" for t in traces for m in t["messages"])
    results = {c["call_id"]: c["result"] for t in traces for c in t["tool_calls"]}
    for line in path.read_text(encoding="utf-8").splitlines():
        content = (json.loads(line).get("message") or {}).get("content") or ()
        for block in [{"text": content}] if isinstance(content, str) else content:
            if "text" in block and "<command-name>" not in block["text"]:
                assert everything.count(block["text"]) >= 1
            if block.get("type") == "tool_result" and isinstance(block["content"], str):
                assert results[block["tool_use_id"]] == block["content"]
    for trace in traces:
        assert_told_once(trace)


def test_openclaw_sessions(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "inspect-logs" / "openclaw"
    # The main session with its transcript, a sub-agent's, and a message that no session took up.
    path = folder / "crux1-sample-telemetry.jsonl"
    ends = [r for line in path.open() if (r := json.loads(line))["type"] == "agent.end"]
    sums = {
        sum(m["usage"][k] for m in end["messages"] for k in kinds if "usage" in m)
        for end in ends
        for kinds in (("input", "cacheRead", "cacheWrite"), ("output",))
    }
    traces = {roles(t): t for t in recover(tmp_path / "1", [path]).traces}
    assert set(traces) == {"uauattatattata", "uata", "u"}
    assert {n for letters in ("uauattatattata", "uata") for n in tokens(traces[letters])} == sums
    assert [name for name, _, _ in calls(traces["uauattatattata"])] == [
        "memory_search", "exec", "read", "sessions_spawn", "sessions_spawn", "sessions_spawn",
    ]  # fmt: skip
    # Three turns of the user, three sub-agents' reports passed on, a heartbeat; three sub-agents.
    traces = {
        roles(t): t for t in recover(tmp_path / "2", [folder / "sample-telemetry.jsonl"]).traces
    }
    assert set(traces) == {"uatatauauatttatssasasau", "u"}
    names = [name for name, _, _ in calls(traces["uatatauauatttatssasasau"])]
    assert names == ["exec"] * 2 + ["sessions_spawn"] * 3 + ["sessions_yield"] * 4


def test_every_file_is_in_a_table(shared_data: Path) -> None:
    folder = shared_data / "inspect-logs"
    assert {p.name for p in (folder / "eval-logs").iterdir()} == {*LOGS, *NO_LOGS}
    assert {p.stem for p in (folder / "atif").iterdir()} == set(ATIF)
    assert {p.stem for p in (folder / "claude-code").iterdir()} == set(CLAUDE)
    assert len(list((folder / "openclaw").iterdir())) == 2
