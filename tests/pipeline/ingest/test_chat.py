"""Chat messages land as JSON, JSON lines, and tau-bench's trajectories."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.datadir import DataDir
from pipeline.ingest import Assembly, LandingError, land
from tests.pipeline.ingest.spans import drop

HELLO = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]
LOOKUP: list[dict[str, Any]] = [
    {"role": "user", "content": [{"type": "text", "text": "Look up A1"},
                                 {"type": "image_url", "image_url": {"url": "x"}}]},
    {"role": "assistant", "content": None, "tool_calls": [
        {"id": "x", "type": "function", "function": {"name": "find", "arguments": '{"q":"A1"}'}}]},
    {"role": "tool", "tool_call_id": "x", "content": "Error: not found"},
    {"role": "assistant", "content": "I could not find it."},
]  # fmt: skip


def contents(assembly: Assembly) -> list[list[str | None]]:
    """What was said in each conversation."""
    rows = assembly.traces.sort("trace_id").to_dicts()
    return [[message["content"] for message in row["messages"]] for row in rows]


@pytest.mark.parametrize("shape", ["lines", "array", "pretty array", "one object", "bare list"])
def test_every_shape_of_file_lands(
    place: DataDir, ingest: Callable[..., Assembly], shape: str
) -> None:
    record = {"messages": HELLO, "created_at": "2026-11-02T08:00:00Z"}
    text = {
        "lines": json.dumps(record),
        "array": json.dumps([record]),
        "pretty array": json.dumps([record], indent=2),
        "one object": json.dumps(record, indent=2),
        "bare list": json.dumps({"messages": HELLO, "timestamp": 1793606400}),
    }[shape]
    drop(place, "chat.json", text)
    assert contents(ingest()) == [["Hello", "Hi"]]


def test_a_tool_call_carries_its_result_and_its_failure(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    drop(place, "day=2026-11-02/c.jsonl", json.dumps({"id": "t1", "messages": LOOKUP}))
    (row,) = ingest().traces.to_dicts()
    (call,) = row["tool_calls"]
    assert (call["name"], call["arguments"], call["result"]) == (
        "find", '{"q":"A1"}', "Error: not found",
    )  # fmt: skip
    assert call["status"] == "error"
    assert row["messages"][0]["content"] == "Look up A1\n[image]"


def test_a_record_without_a_time_needs_the_day(
    place: DataDir, ingest: Callable[..., Assembly], tmp_path: Path
) -> None:
    file = tmp_path / "chat.jsonl"
    file.write_text(json.dumps({"messages": HELLO}))
    land(place, [file])
    arrived = date.today().isoformat()  # noqa: DTZ011 - the machine's clock is UTC or close
    quarantined = ingest(arrived).quarantined
    assert quarantined["reason"].to_list() == ["no_time"]
    assert "--day" in quarantined["detail"][0]
    land(place, [file], date(2026, 11, 2))
    assert contents(ingest()) == [["Hello", "Hi"]]
    assert ingest(arrived).quarantined.is_empty()
    land(place, [file])  # it lies at its day already
    assert ingest(arrived).quarantined.is_empty()


def test_landing_the_same_file_twice_changes_nothing(place: DataDir, tmp_path: Path) -> None:
    file = tmp_path / "chat.jsonl"
    file.write_text(json.dumps({"messages": HELLO}))
    ((first, new),) = land(place, [file], date(2026, 11, 2)).files
    ((second, again),) = land(place, [file], date(2026, 11, 2)).files
    assert (first, new, again) == (second, True, False)


def test_a_file_that_no_reader_knows_is_refused_whole(place: DataDir, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.bin"
    good.write_text(json.dumps({"messages": HELLO}))
    bad.write_bytes(b"\x89PNG\r\n\x1a\nrest")
    with pytest.raises(LandingError, match=r"bad\.bin: no reader .* nothing was landed"):
        land(place, [good, bad], date(2026, 11, 2))
    assert not place.landing.exists()


def test_identical_records_count_once(place: DataDir, ingest: Callable[..., Assembly]) -> None:
    line = json.dumps({"messages": HELLO})
    drop(place, "day=2026-11-02/c.jsonl", line, line, line)
    assembly = ingest()
    assert (assembly.traces.height, assembly.counts.duplicates) == (1, 2)


def test_all_hundred_real_trajectories_land(
    place: DataDir, ingest: Callable[..., Assembly], shared_data: Path
) -> None:
    file = shared_data / "tau-bench" / "gpt-4o-airline.tasks00-24.json"
    land(place, [file], date(2026, 11, 10))
    assembly = ingest("2026-11-10")
    source = json.loads(file.read_text())
    assert assembly.counts.records_in == assembly.counts.records_out == len(source) == 100
    shown = sum(len(m.get("tool_calls") or ()) for t in source for m in t["traj"])
    assert int(assembly.traces["tool_calls"].list.len().sum()) == shown
    assert "reward" not in assembly.traces["attributes"].str.join(""), "no answer key lands"
