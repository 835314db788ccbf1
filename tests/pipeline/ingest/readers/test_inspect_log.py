"""Inspect logs, as JSON and as archives."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
import zstandard

from pipeline.ingest.readers.archive import Archive
from pipeline.ingest.readers.inspect_log import InspectLogReader
from pipeline.ingest.records import Trace
from pipeline.ingest.source import Source, Unreadable
from tests.pipeline.ingest.readers.conversations import DAY, reasons, records, said, traces, write

AT = "2026-11-02T10:00:{:02}+00:00"
HEADER: dict[str, Any] = {
    "version": 2, "status": "success",
    "eval": {"run_id": "r1", "task_id": "k1", "task": "sums", "model": "x/agent",
             "created": AT.format(0)},
}  # fmt: skip


def model(second: int, span: str, name: str, tokens: int, **extra: Any) -> dict[str, Any]:
    """A model call's event; of its input tokens, 5 more were read from the cache."""
    usage = {"input_tokens": tokens, "output_tokens": 1, "input_tokens_cache_read": 5}
    return {"event": "model", "span_id": span, "model": name, "timestamp": AT.format(second),
            "output": {"usage": usage, "choices": []}, **extra}  # fmt: skip


SAMPLE: dict[str, Any] = {
    "id": 1, "epoch": 2, "uuid": "u1", "input": "1+1?", "target": "THE-KEY",
    "metadata": {"solution": "THE-KEY"},
    "messages": [
        {"role": "user", "content": "1+1?"},
        {"role": "assistant", "content": [{"type": "reasoning", "reasoning": "SECRET"},
                                          {"type": "text", "text": "attachment://abc"}],
         "tool_calls": [{"id": "c1", "function": "add", "arguments": {"x": "attachment://abc"}},
                        {"id": "c2", "function": "add", "arguments": {}}]},
        {"role": "tool", "content": "2", "tool_call_id": "c1", "function": "add"},
        {"role": "tool", "content": "", "tool_call_id": "c2", "function": "add",
         "error": {"type": "timeout", "message": "took too long"}},
        {"role": "assistant", "content": "It is 2."},
    ],
    "output": {"choices": [{"stop_reason": "stop", "message": {}}]},
    "attachments": {"abc": "Adding."},
    "scores": {"match": {"value": "C", "explanation": "THE-KEY"},
               "judge": {"value": {"tone": 0.5, "style": None}},
               "seen": {"value": 1, "history": [{"provenance": {"author": "someone"}}]},
               "none": {"value": None}},
    "events": [
        {"event": "span_begin", "id": "s", "type": "solver", "timestamp": AT.format(1)},
        model(2, "s", "x/agent", 10),
        {"event": "tool", "span_id": "s", "id": "c1", "function": "add", "arguments": {},
         "uuid": "e1", "result": "2", "timestamp": AT.format(3), "completed": AT.format(5)},
        model(6, "s", "x/agent", 10),
        model(6, "s", "x/agent", 10, cache="read"),
        {"event": "span_begin", "id": "g", "type": "scorers", "timestamp": AT.format(7)},
        {"event": "span_begin", "id": "j", "parent_id": "g", "type": "scorer", "name": "judge",
         "timestamp": AT.format(7)},
        model(8, "j", "x/grader", 900),
    ],
}  # fmt: skip


def log(*samples: Any, **extra: Any) -> dict[str, Any]:
    """A log as one document."""
    return HEADER | {"samples": list(samples)} | extra


def archive(folder: Path, members: dict[str, bytes], **options: Any) -> Path:
    """An archive with these members."""
    path = folder / "log.eval"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **options) as out:
        for name, content in members.items():
            out.writestr(name, content)
    return path


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


WHOLE = {"header.json": as_json(HEADER), "samples/1_epoch_2.json": as_json(SAMPLE)}


def reason_of(path: Path) -> str:
    """Why a file cannot be read at all."""
    with pytest.raises(Unreadable) as error:
        records(path, "inspect_log")
    return error.value.reason


def only(path: Path) -> Trace:
    (trace,) = traces(path, "inspect_log", None)
    return trace


def test_a_sample_is_a_conversation(tmp_path: Path) -> None:
    trace = only(write(tmp_path, log(SAMPLE), name="log.json"))
    assert said(trace) == [
        ("user", "1+1?"), ("assistant", "Adding."), ("tool", "2"), ("tool", "took too long"),
        ("assistant", "It is 2."),
    ]  # fmt: skip
    first, second = trace.calls
    assert (first.arguments, first.result, first.status) == ('{"x":"Adding."}', "2", "ok")
    assert (first.span_id, first.duration_ms) == ("e1", 2000.0)
    assert (second.status, second.result) == ("timeout", "took too long")
    assert (trace.trace_id, trace.service, trace.session_id) == ("u1", "sums", None)
    assert trace.messages[-1].finish_reason == "stop"


def test_the_answer_key_and_the_grader_stay_out(tmp_path: Path) -> None:
    trace = only(write(tmp_path, log(SAMPLE)))
    assert "THE-KEY" not in repr(trace)
    assert "SECRET" not in repr(trace)
    # Two calls of the agent's with 10 + 5 each; the third came from the cache, 900 were graded.
    assert (trace.input_tokens, trace.output_tokens, trace.models) == (30, 2, {"x/agent"})
    assert (trace.ended_at - trace.started_at).total_seconds() == 5


def test_scores_say_whose_they_are(tmp_path: Path) -> None:
    trace = only(write(tmp_path, log(SAMPLE)))
    assert [(s.name, s.value, s.label, s.source) for s in trace.scores] == [
        ("match", 1.0, "C", "code"), ("judge.tone", 0.5, None, "model"),
        ("seen", 1.0, None, "human"),
    ]  # fmt: skip


def test_a_sample_that_failed_or_was_cut_off_is_partial(tmp_path: Path) -> None:
    failed = SAMPLE | {"error": {"message": "ValueError('of a PERSON')", "traceback": "PERSON"}}
    trace = only(write(tmp_path, log(failed)))
    assert (trace.status, trace.error, trace.complete) == ("error", "ValueError", False)
    assert "PERSON" not in repr(trace)
    limited = only(write(tmp_path, log(SAMPLE | {"limit": {"type": "message", "limit": 4}})))
    assert (limited.complete, limited.flags) == (False, {"limit_reached"})


def test_without_messages_the_last_model_call_tells(tmp_path: Path) -> None:
    answer = {"role": "assistant", "content": "It is 2."}
    call = model(2, "s", "x/agent", 1, input_refs=[[0, 1]])
    call["output"]["choices"] = [{"message": answer}]
    pool = {"messages": [{"role": "user", "content": "1+1?"}]}
    sample = SAMPLE | {"messages": [], "events": [call], "events_data": pool}
    assert said(only(write(tmp_path, log(sample)))) == [("user", "1+1?"), ("assistant", "It is 2.")]
    unasked = SAMPLE | {"messages": [], "events": []}
    assert said(only(write(tmp_path, log(unasked)))) == [("user", "1+1?")]


def test_a_log_without_events_takes_its_own_time(tmp_path: Path) -> None:
    sample = {"id": 1, "epoch": 1, "input": "x", "messages": SAMPLE["messages"][:1]}
    trace = only(write(tmp_path, log(sample)))
    assert trace.started_at.isoformat() == AT.format(0)
    again = only(write(tmp_path, log(sample | {"epoch": 2})))
    assert trace.trace_id != again.trace_id


def test_tools_of_the_models_own_server_are_calls(tmp_path: Path) -> None:
    part = {"type": "tool_use", "tool_type": "web_search", "id": "w", "name": "web_search",
            "arguments": '{"q":"x"}', "result": "found"}  # fmt: skip
    message = {"role": "assistant", "content": [part, {"type": "text", "text": "Found."}]}
    sample = {"id": 1, "input": "x", "messages": [message]}
    (call,) = only(write(tmp_path, log(sample))).calls
    assert (call.name, call.arguments, call.result) == ("web_search", '{"q":"x"}', "found")


def test_archive_document_and_chunks_give_the_same_trace(tmp_path: Path) -> None:
    expected = only(write(tmp_path, log(SAMPLE)))
    assert only(archive(tmp_path, WHOLE)) == expected
    left_out = ("messages", "events", "attachments", "metadata")
    shell = {k: v for k, v in SAMPLE.items() if k not in left_out}
    shell["message_refs"] = [[1, 3], [3, 6]]
    listed = json.loads(
        json.dumps(SAMPLE["messages"]).replace("attachment://abc", "attachment://1")
    )
    base = "samples/../../odd id_epoch_2/"
    chunked = {
        "header.json": as_json(HEADER),
        f"{base}sample.json": as_json(shell),
        f"{base}messages/0.json": as_json([{"role": "user", "content": "unused"}, *listed[:2]]),
        f"{base}messages/3.json": as_json(listed[2:]),
        f"{base}events/0.json": as_json(SAMPLE["events"][:5]),
        f"{base}events/5.json": as_json(SAMPLE["events"][5:]),
        f"{base}events/stats.json": as_json({}),
        f"{base}attachments/0.json": as_json(["other"]),
        f"{base}attachments/1.json": as_json(["Adding."]),
    }
    assert only(archive(tmp_path, chunked)) == expected


def test_a_run_still_going_has_no_header_yet(tmp_path: Path) -> None:
    members = {"_journal/start.json": WHOLE["header.json"], **dict([*WHOLE.items()][1:])}
    assert only(archive(tmp_path, members)) == only(archive(tmp_path, WHOLE))


def test_a_compressed_archive_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log.eval.gz"
    path.write_bytes(gzip.compress(archive(tmp_path, WHOLE).read_bytes()))
    assert only(path).trace_id == "u1"


def zstd_archive(members: dict[str, bytes], declared: int | None = None) -> bytes:
    """An archive as current tools write it: zstd frames, which `zipfile` learned in 3.14."""
    body, directory = b"", b""
    for name, content in members.items():
        halves = (content[: len(content) // 2], content[len(content) // 2 :])
        packed = b"".join(zstandard.compress(half) for half in halves)
        size, crc = len(content) if declared is None else declared, zlib.crc32(content)
        common = b"".join(
            number.to_bytes(width, "little")
            for number, width in (
                (20, 2), (0, 2), (93, 2), (0, 4), (crc, 4), (len(packed), 4), (size, 4),
                (len(name), 2), (0, 2),
            )
        )  # fmt: skip
        directory += b"PK\x01\x02\x14\0" + common + bytes(10) + len(body).to_bytes(4, "little")
        directory += name.encode()
        body += b"PK\x03\x04" + common + name.encode() + packed
    count = len(members).to_bytes(2, "little")
    sizes = len(directory).to_bytes(4, "little") + len(body).to_bytes(4, "little")
    return body + directory + b"PK\x05\x06" + bytes(4) + count + count + sizes + bytes(2)


def test_members_in_zstd_frames_are_read(tmp_path: Path) -> None:
    path = tmp_path / "log.eval"
    path.write_bytes(zstd_archive(WHOLE))
    assert only(path) == only(archive(tmp_path, WHOLE))


def test_a_member_with_more_than_it_declares_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "log.eval"
    path.write_bytes(zstd_archive(WHOLE, declared=10))
    assert reasons(records(path, "inspect_log")) == ["bad_zip", "bad_zip"]


def test_a_truncated_archive_says_so(tmp_path: Path) -> None:
    path = archive(tmp_path, WHOLE)
    path.write_bytes(path.read_bytes()[:-60])
    assert reason_of(path) == "bad_zip"


def test_a_zip_bomb_is_refused_before_it_is_read(tmp_path: Path) -> None:
    content = b'{"pad": "' + b" " * (70 * 2**20) + b'"}'  # above the 64 MB from which ratios count
    path = archive(tmp_path, WHOLE | {"samples/2_epoch_1.json": content})
    assert reason_of(path) == "bomb"


def test_a_member_too_large_leaves_the_others(tmp_path: Path) -> None:
    noise = zlib.compress(b"x")  # not worth compressing again
    path = archive(tmp_path, WHOLE | {"samples/2_epoch_1.json": noise * 600})
    source = Source(path, DAY, largest_record=300)  # sixteen times as much in one member
    found = list(InspectLogReader().read(source))
    assert reasons(found) == ["too_large"]
    assert len(found) == 2


def test_an_archive_in_an_archive_is_not_opened(tmp_path: Path) -> None:
    inner = archive(tmp_path, WHOLE).read_bytes()
    alone = archive(tmp_path, {"inner.eval": inner})
    assert reasons(records(alone, "inspect_log")) == ["nested_archive"]
    beside = archive(tmp_path, WHOLE | {"samples/2_epoch_1.json": inner})
    found = records(beside, "inspect_log")
    assert reasons(found) == ["nested_archive"]
    assert len(found) == 2


def test_an_empty_archive_and_one_of_something_else_say_so(tmp_path: Path) -> None:
    assert reason_of(archive(tmp_path, {})) == "not_inspect"
    assert reason_of(archive(tmp_path, {"word/document.xml": b"<x/>"})) == "not_inspect"


def test_an_encrypted_member_says_so(tmp_path: Path) -> None:
    path = archive(tmp_path, {"samples/1_epoch_1.json": b"x"})
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1  # the flag in the directory
    raw[6] |= 1
    path.write_bytes(raw)
    assert reasons(records(path, "inspect_log")) == ["encrypted"]


def test_a_damaged_member_leaves_the_others(tmp_path: Path) -> None:
    bad = {"samples/2_epoch_1.json": b"{torn", "samples/3_epoch_1.json": b"[7]"}
    path = archive(tmp_path, WHOLE | bad)
    assert reasons(records(path, "inspect_log")) == ["bad_json", "bad_sample"]
    raw = bytearray(archive(tmp_path, WHOLE | {"samples/0_epoch_1.json": b"{}" * 99}).read_bytes())
    at = raw.index(b"samples/1_epoch_2.json") + 60  # into the bytes of the good sample
    raw[at] ^= 0xFF
    path.write_bytes(raw)
    assert reasons(records(path, "inspect_log")) == ["bad_zip", "bad_json"]


def test_any_damage_ends_in_a_reason(tmp_path: Path) -> None:
    whole, path, chance = archive(tmp_path, WHOLE).read_bytes(), tmp_path / "odd.eval", Random(1)
    for _ in range(300):
        raw = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            raw[chance.randrange(4, len(raw))] = chance.randrange(256)
        path.write_bytes(raw)
        with suppress(Unreadable):  # anything else that is raised fails the test
            records(path, "inspect_log")


def test_names_never_become_paths(tmp_path: Path) -> None:
    path = archive(tmp_path, WHOLE | {"../../outside.json": b"{}", "/etc/passwd": b"{}"})
    with Archive(Source(path)) as opened:
        assert opened.read("../../outside.json") == b"{}"
    assert [p.name for p in tmp_path.iterdir()] == ["log.eval"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"version": 1, "status": ', "bad_json"),
        ('{"version": 2, "status": "started", "eval": {}}', "no_samples"),
        ('{"version": 2, "status": "error", "eval": {}, "samples": [7]}', "bad_sample"),
        ('{"version": 2, "status": "x", "eval": ' + "[" * 5000 + "]" * 5000 + "}", "too_deep"),
    ],
)
def test_a_log_that_holds_nothing_says_why(tmp_path: Path, text: str, reason: str) -> None:
    assert reasons(records(write(tmp_path, text.encode()), "inspect_log")) == [reason]


def test_odd_numbers_and_text_are_mended(tmp_path: Path) -> None:
    sample = SAMPLE | {"scores": {"a": {"value": float("nan")}, "b": {"value": 10**30}}}
    text = json.dumps(log(sample)).replace("It is 2.", "It is \\ud800 2.")
    trace = only(write(tmp_path, text.encode()))
    assert trace.messages[-1].content == "It is � 2."
    assert [(s.name, s.label) for s in trace.scores] == [("b", str(10**30))]
    assert trace.flags == {"invalid_utf8"}


def _samples(file: Path) -> list[dict[str, Any]]:
    """The samples of a real log, read without the reader."""
    if file.suffix == ".eval":
        with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as opened:
            names = [n for n in opened.namelist() if n.startswith("samples/")]
            return [json.loads(opened.read(name)) for name in names]
    return json.loads(file.read_text()).get("samples") or []


def _graded(sample: dict[str, Any]) -> int:
    """Output tokens of the model calls that come after scoring began."""
    events = sample.get("events") or sample.get("transcript", {}).get("events", [])
    places = [n for n, e in enumerate(events) if e.get("type") in ("scorers", "scorer")]
    later = events[places[0] :] if places else []
    return sum(e["output"]["usage"]["output_tokens"] for e in later if e["event"] == "model")


# What each file holds, counted by hand and with other tools: samples, messages, tool calls.
REAL = {
    "2025-09-23T08-09-58-04-00_popularity_DN2wbX2ZvACsBpjwptzBRo.eval": (100, 300, 0),
    "2025-09-23T08-09-58-04-00_security-guide_LuxZJVwvymC3S3SyoJczxB.eval": (16, 48, 0),
    "2025-09-23T08-09-58-04-00_theory-of-mind_bbB4eRCx2rFJLyPH42Cj9r.eval": (100, 200, 0),
    "2025-11-07T10-59-47-05-00_websearch-addition-problem_LqPDntDnkk4h2fSqQ8i6CE.eval": (1, 2, 0),
    "log_formats.eval": (1, 3, 0),
    "log_formats.json": (1, 3, 0),
    "log_images.json": (1, 3, 0),
    "log_images_tc.json": (1, 3, 0),
    "log_length_stop_reason.txt": (1, 2, 0),
    "log_message_deduplication.eval": (1, 12, 5),
    "log_read_sample.eval": (1, 3, 0),
    "log_read_sample.json": (1, 3, 0),
    "log_streaming.eval": (4, 12, 0),
    "log_tool_call_error.json": (1, 11, 11),
}
NONE = {
    "log_invalid.txt": "bad_json", "log_valid.txt": "no_samples",
    "log_version_3.txt": "no_samples", "log_with_nan.txt": "no_samples",
}  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_every_real_log_keeps_its_samples(shared_data: Path, name: str) -> None:
    file = shared_data / "inspect-logs" / "eval-logs" / name
    samples, found = _samples(file), traces(file, "inspect_log", None)
    counted = (
        len(found), sum(len(t.messages) for t in found), sum(len(t.calls) for t in found),
    )  # fmt: skip
    assert counted == REAL[name]
    for sample, trace in zip(samples, found, strict=True):
        assert [m.role for m in trace.messages] == [m["role"] for m in sample["messages"]]
        for raw, message in zip(sample["messages"], trace.messages, strict=True):
            if isinstance(raw["content"], str):
                assert message.content == raw["content"]
        if sample.get("model_usage"):
            summed = sum(u["output_tokens"] for u in sample["model_usage"].values())
            assert trace.output_tokens == summed - _graded(sample)
        assert {s.name for s in trace.scores} == set(sample.get("scores") or ())
        errors = [m["error"]["type"] for m in sample["messages"] if m.get("error")]
        assert [call.error for call in trace.calls if call.error] == errors


@pytest.mark.parametrize("name", NONE)
def test_every_real_log_without_a_sample_says_why(shared_data: Path, name: str) -> None:
    file = shared_data / "inspect-logs" / "eval-logs" / name
    assert reasons(records(file, "inspect_log")) == [NONE[name]]


def test_all_real_logs_are_counted(shared_data: Path) -> None:
    folder = shared_data / "inspect-logs" / "eval-logs"
    assert {file.name for file in folder.iterdir()} == {*REAL, *NONE}
