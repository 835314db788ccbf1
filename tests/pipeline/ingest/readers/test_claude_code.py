"""Claude Code sessions."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.ingest.readers.conversations import reasons, records, said, traces, write


def entry(number: int, kind: str, content: Any, **extra: Any) -> dict[str, Any]:
    """One line of a session, a second after the one before it."""
    message = {"role": kind, "content": content, **extra.pop("message", {})}
    return {
        "uuid": f"u{number}", "parentUuid": f"u{number - 1}" if number else None,
        "sessionId": "s1", "isSidechain": False, "cwd": "/home/PERSON", "gitBranch": "PERSON",
        "version": "2.0.1", "type": kind, "message": message,
        "timestamp": f"2026-11-02T10:00:{number:02}.000Z", **extra,
    }  # fmt: skip


def reply(number: int, block: dict[str, Any], output: int, **extra: Any) -> dict[str, Any]:
    """One block of the reply m1, with the usage as counted so far."""
    usage = {"input_tokens": 3, "cache_creation_input_tokens": 20, "cache_read_input_tokens": 100,
             "output_tokens": output}  # fmt: skip
    about = {"id": "m1", "model": "claude-x", "usage": usage, **extra}
    return entry(number, "assistant", [block], message=about)


CALL = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "no such file", "is_error": True}
SESSION = [
    entry(0, "user", "List the files."),
    reply(1, {"type": "thinking", "thinking": "SECRET"}, 1),
    reply(2, {"type": "text", "text": "Looking."}, 5),
    reply(3, CALL, 9, stop_reason="tool_use"),
    entry(4, "user", [RESULT]),
]


def test_the_lines_of_one_reply_are_one_message_counted_once(tmp_path: Path) -> None:
    (trace,) = traces(write(tmp_path, *SESSION), "claude_code", None)
    assert said(trace) == [
        ("user", "List the files."), ("assistant", "Looking."), ("tool", "no such file"),
    ]  # fmt: skip
    # Cached tokens come on top: 3 + 20 + 100, once and not three times.
    assert (trace.input_tokens, trace.output_tokens) == (123, 9)
    (call,) = trace.calls
    assert (call.name, call.arguments, call.status) == ("Bash", '{"command":"ls"}', "error")
    assert trace.trace_id == trace.session_id == "s1"
    assert not trace.complete, "the tool answered last"


def test_folders_branches_and_thoughts_stay_out(tmp_path: Path) -> None:
    (trace,) = traces(write(tmp_path, *SESSION), "claude_code")
    assert "PERSON" not in repr(trace)
    assert "SECRET" not in repr(trace)


def test_clearing_begins_another_conversation(tmp_path: Path) -> None:
    clear = "<command-name>/clear</command-name>\n<command-args></command-args>"
    lines = [entry(0, "user", "One"), entry(1, "user", clear), entry(2, "user", "Two")]
    first, second = traces(write(tmp_path, *lines), "claude_code")
    assert (said(first), said(second)) == ([("user", "One")], [("user", "Two")])
    assert first.session_id != second.session_id, "or they would be joined again"


def test_what_the_tool_inserts_is_not_the_users(tmp_path: Path) -> None:
    lines = [
        entry(
            0, "user", "<command-name>/review</command-name><command-args>main.py</command-args>"
        ),
        entry(1, "user", "Caveat: local commands.", isMeta=True),
        entry(2, "user", "<local-command-stdout>ok</local-command-stdout>"),
        entry(3, "user", "The story so far.", isCompactSummary=True),
        entry(4, "user", "<bash-input>ls</bash-input>"),
    ]
    (trace,) = traces(write(tmp_path, *lines), "claude_code")
    assert [message.role for message in trace.messages] == [
        "user", "system", "system", "system", "user",
    ]  # fmt: skip
    assert trace.messages[0].content == "/review main.py"
    assert trace.messages[4].content == "!ls"


def test_side_chains_are_conversations_of_their_own(tmp_path: Path) -> None:
    inner = [
        entry(5, "user", "Explore.", isSidechain=True) | {"parentUuid": None},
        entry(6, "assistant", [{"type": "text", "text": "Done."}], isSidechain=True),
    ]
    main, side = traces(write(tmp_path, *SESSION, *inner), "claude_code")
    assert len(main.messages) == 3
    assert (said(side), side.flags) == (
        [("user", "Explore."), ("assistant", "Done.")], {"subagent"},
    )  # fmt: skip
    assert side.session_id != main.session_id
    assert side.attributes["parent_session_id"] == "s1"


def test_repeated_and_other_lines_add_nothing(tmp_path: Path) -> None:
    other = [
        {"type": "summary", "summary": "x", "leafUuid": "u1"},
        {"type": "file-history-snapshot", "messageId": "u1", "snapshot": {}},
        {"type": "progress", "uuid": "p", "parentUuid": "u1", "sessionId": "s1", "data": {}},
    ]
    path = write(tmp_path, *other, *SESSION, *SESSION)
    assert traces(path, "claude_code") == traces(write(tmp_path, *SESSION), "claude_code")


def test_a_broken_line_leaves_the_others(tmp_path: Path) -> None:
    broken = [
        b"{torn",
        {"type": "user", "sessionId": "s1"},
        entry(9, "assistant", [{"type": "tool_use"}]),
    ]
    found = records(write(tmp_path, *SESSION, *broken), "claude_code")
    assert reasons(found) == ["bad_json", "bad_entry", "bad_entry"]
    assert len(found) == 4


@pytest.mark.parametrize("seed", range(3))
def test_a_session_does_not_depend_on_its_neighbours(tmp_path: Path, seed: int) -> None:
    other = [line | {"sessionId": f"s{seed + 2}", "uuid": f"x{line['uuid']}"} for line in SESSION]
    mixed = [line for pair in zip(SESSION, other, strict=True) for line in pair]
    alone = traces(write(tmp_path, *SESSION), "claude_code")
    assert traces(write(tmp_path, *mixed), "claude_code")[:1] == alone


def test_every_real_session_keeps_its_words_calls_and_tokens(shared_data: Path) -> None:
    folder = shared_data / "inspect-logs" / "claude-code"
    files = sorted(folder.glob("*.jsonl"))
    assert len(files) == 12
    for file in files:
        found = traces(file, "claude_code", None)
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        texts, tools, results, tokens, clears = Counter[str](), [], [], [0, 0], 0
        for line in lines:
            message = line.get("message") or {}
            content = message.get("content")
            for block in (
                [{"type": "text", "text": content}] if isinstance(content, str) else content or []
            ):
                if block["type"] == "text" and "/clear" in block["text"]:
                    clears += 1
                elif block["type"] == "text":
                    texts[block["text"]] += 1
                elif block["type"] == "tool_use":
                    tools.append((block["name"], block["input"]))
                elif block["type"] == "tool_result":
                    results.append(block["tool_use_id"])
            for name, value in (message.get("usage") or {}).items():
                tokens[name == "output_tokens"] += value
        said_texts = Counter(m.content for t in found for m in t.messages if m.role != "tool")
        assert said_texts == texts
        calls = [call for trace in found for call in trace.calls]
        assert [(c.name, json.loads(c.arguments)) for c in calls] == tools
        assert [c.id for c in calls if c.result] == results
        assert sum(t.input_tokens or 0 for t in found) == tokens[0]
        assert sum(t.output_tokens or 0 for t in found) == tokens[1]
        assert len(found) == clears + 1
