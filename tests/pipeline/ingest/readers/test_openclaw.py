"""OpenClaw telemetry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.ingest.readers.conversations import reasons, records, said, traces, write

START = 1793613600000  # 2026-11-02 10:00:00 UTC, in milliseconds
MAIN, SIDE = "agent:main:main", "agent:main:subagent:1"
RECEIVED = {"type": "message.in", "channel": "telegram", "content": "List the files.",
            "timestamp": START, "metadata": {"senderId": "77"}}  # fmt: skip
ASKED = {"role": "user", "content": "List the files.", "timestamp": START}
CALLED = {
    "role": "assistant", "timestamp": START + 1000, "model": "claude-x",
    "content": [{"type": "thinking", "thinking": "SECRET"},
                {"type": "toolCall", "id": "t1", "name": "exec", "arguments": {"command": "ls"}}],
    "usage": {"input": 2, "output": 5, "cacheRead": 100, "cacheWrite": 10, "cost": {"total": 0.5}},
}  # fmt: skip
ANSWERED = {"role": "toolResult", "toolCallId": "t1", "toolName": "exec", "isError": False,
            "content": [{"type": "text", "text": "Error: is the name of a file"}],
            "timestamp": START + 2000}  # fmt: skip
REPLIED = {"role": "assistant", "content": [{"type": "text", "text": "One file."}],
           "timestamp": START + 3000, "usage": {"input": 1, "output": 3}}  # fmt: skip
TRANSCRIPT = [ASKED, CALLED, ANSWERED, REPLIED]


SIDELESS = {"type": "message.out", "channel": "telegram", "contentLength": 4, "ts": START}


def run(kind: str, key: str = MAIN, **extra: Any) -> dict[str, Any]:
    return {"type": f"agent.{kind}", "sessionKey": key, "agentId": "main", **extra}


def tool(kind: str, key: str = MAIN, **extra: Any) -> dict[str, Any]:
    return {"type": f"tool.{kind}", "toolName": "exec", "sessionKey": key, **extra}


SESSION = [
    RECEIVED,
    run("start", prompt="List the files."),
    run("start", prompt="List the files.", messages=[]),
    tool("start", params={"command": "ls"}),
    tool("end", durationMs=12, success=True),
    {"type": "message.out", "channel": "telegram", "content": "One file.", "success": True},
    run("end", messages=TRANSCRIPT),
]


def test_events_and_transcript_are_told_once(tmp_path: Path) -> None:
    (trace,) = traces(write(tmp_path, *SESSION), "openclaw", None)
    assert [role for role, _ in said(trace)] == ["user", "assistant", "tool", "assistant"]
    (call,) = trace.calls
    assert (call.name, call.arguments, call.duration_ms) == ("exec", '{"command":"ls"}', 12.0)
    assert call.status == "ok", "the gateway says it went well, whatever the text looks like"
    # 2 + 100 + 10 of the first reply, 1 of the second; 5 + 3; 0.5 and nothing.
    assert (trace.input_tokens, trace.output_tokens, trace.cost_usd) == (113, 8, 0.5)
    assert (trace.session_id, trace.user_id, trace.complete) == (MAIN, "77", True)
    assert "SECRET" not in repr(trace)


def test_what_only_events_tell_is_kept(tmp_path: Path) -> None:
    lines = [
        run("start", SIDE, prompt="Explore."),
        tool("start", SIDE, params={"command": "ls"}, ts=START),
        tool("end", SIDE, durationMs=12, success=False),
    ]
    (trace,) = traces(write(tmp_path, *lines), "openclaw", None)
    (call,) = trace.calls
    assert (call.name, call.status, call.duration_ms) == ("exec", "error", 12.0)
    assert (said(trace), trace.flags) == ([("user", "Explore.")], {"subagent"})
    assert not trace.complete


def test_a_later_run_adds_to_the_transcript_before_its_prompt(tmp_path: Path) -> None:
    later = [
        run("start", prompt="And the folders?"),
        run("start", prompt="And the folders?", messages=TRANSCRIPT),
        {"type": "message.out", "content": "None."},
    ]
    (trace,) = traces(write(tmp_path, *SESSION[:-1], *later), "openclaw", None)
    assert [text for _, text in said(trace)] == [
        "List the files.", None, "Error: is the name of a file", "One file.", "And the folders?",
        "None.",
    ]  # fmt: skip


def test_a_file_may_begin_in_the_middle_of_a_session(tmp_path: Path) -> None:
    prompt = "And the folders?"
    lines = [run("start", prompt=prompt), run("start", prompt=prompt, messages=TRANSCRIPT)]
    (trace,) = traces(write(tmp_path, *lines), "openclaw", None)
    assert len(trace.messages) == 5
    assert said(trace)[-1] == ("user", prompt)


def test_a_session_begun_anew_under_its_key_is_another(tmp_path: Path) -> None:
    anew = [{"role": "user", "content": "Hello again.", "timestamp": START + 9000}]
    first, second = traces(write(tmp_path, *SESSION, run("end", messages=anew)), "openclaw")
    assert said(second) == [("user", "Hello again.")]
    assert first.trace_id != second.trace_id


def test_another_sessions_announcement_is_no_turn_of_the_users(tmp_path: Path) -> None:
    prompt = "[Inter-session message] sourceSession=x isUser=false\nDone."
    lines = [RECEIVED, run("start", prompt=prompt)]
    first, second = traces(write(tmp_path, *lines), "openclaw")
    assert said(first) == [("system", prompt)]
    assert said(second) == [("user", "List the files.")], "no run took this message up"


def test_usage_events_count_where_no_transcript_does(tmp_path: Path) -> None:
    used = {"type": "llm.usage", "sessionKey": MAIN, "model": "m", "inputTokens": 2,
            "cacheTokens": 100, "outputTokens": 5, "costUsd": 0.25}  # fmt: skip
    (trace,) = traces(write(tmp_path, SESSION[0], SESSION[1], used, used), "openclaw")
    assert (trace.input_tokens, trace.output_tokens, trace.cost_usd) == (204, 10, 0.5)
    (whole,) = traces(write(tmp_path, *SESSION, used), "openclaw")
    assert whole.input_tokens == 113, "the transcript's own counts are not added to"


@pytest.mark.parametrize(
    "line",
    [{"type": "agent.start"}, {"no": "type"}, [7], {"type": "tool.start"},
     run("end", messages=[{"role": "user"}, {"content": "x"}])],
)  # fmt: skip
def test_an_odd_event_leaves_the_others(tmp_path: Path, line: Any) -> None:
    found = records(write(tmp_path, SESSION[0], line, *SESSION[1:]), "openclaw")
    assert reasons(found) == ["bad_event"]
    assert len(found) == 2


def test_messages_of_which_only_the_length_is_told_add_nothing(tmp_path: Path) -> None:
    silent = {"type": "message.in", "channel": "telegram", "contentLength": 4, "ts": START}
    assert traces(write(tmp_path, silent, SIDELESS), "openclaw") == []


def test_without_any_time_the_day_is_needed(tmp_path: Path) -> None:
    path = write(tmp_path, run("start", SIDE, prompt="Explore."))
    assert reasons(records(path, "openclaw", None)) == ["no_time"]
    assert not traces(path, "openclaw")[0].timed


# Sessions: what their longest transcript holds (messages, tool calls, output tokens), and what
# events tell beside it (prompts and replies, tool runs that no transcript shows).
REAL = {
    "sample-telemetry.jsonl": {
        # Four prompts follow the transcript, three replies went out; of 14 tool runs 6 stand in
        # it and 5 are the sub-agents'.
        "agent:main:main": (16, 6, 1257, 7, 3),
        "agent:main:subagent:ee85499e-eb7c-40bb-85c8-2b681dceaa1f": (0, 0, 0, 1, 3),
        "agent:main:subagent:976997f1-716b-48a4-8976-d1f9a457399f": (0, 0, 0, 1, 1),
        "agent:main:subagent:0d5f7c22-6d05-47d2-8b37-6e76b664d3fd": (0, 0, 0, 1, 1),
    },
    "crux1-sample-telemetry.jsonl": {
        "agent:main:subagent:56d1ffc2-631a-4967-bc1f-b39da594b726": (4, 1, 175, 0, 0),
        "agent:main:main": (14, 6, 1482, 0, 0),
        "channel:telegram": (0, 0, 0, 1, 0),
    },
}


@pytest.mark.parametrize("name", REAL)
def test_real_telemetry(shared_data: Path, name: str) -> None:
    file = shared_data / "inspect-logs" / "openclaw" / name
    events = [json.loads(line) for line in file.read_text().splitlines()]
    found = {trace.session_id: trace for trace in traces(file, "openclaw", None)}
    assert set(found) == set(REAL[name])
    for key, (messages, calls, tokens, beside, runs) in REAL[name].items():
        shown = [e.get("messages") or [] for e in events if e.get("sessionKey") == key]
        longest = max(shown, key=len, default=[])
        blocks = [b for m in longest for b in m["content"] if isinstance(b, dict)]
        assert len(longest) == messages
        assert sum(b["type"] == "toolCall" for b in blocks) == calls
        trace = found[key]
        assert len(trace.messages) == messages + beside
        assert len(trace.calls) == calls + runs
        assert (
            (trace.output_tokens or 0)
            == tokens
            == sum(m.get("usage", {}).get("output", 0) for m in longest)
        )
    started = sum(event["type"] == "tool.start" for event in events)
    assert sum(c.duration_ms is not None for t in found.values() for c in t.calls) == started
