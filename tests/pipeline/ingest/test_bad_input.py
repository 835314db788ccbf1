"""What cannot be read is kept with a reason, and its neighbours land."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import tarfile
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.datadir import DataDir
from pipeline.ingest import Assembly, SourcesGone, TooManyQuarantined
from pipeline.ingest.quarantine import REASONS
from pipeline.ingest.readers.rows import read_rows
from pipeline.ingest.records import Malformed, Span, Trace
from pipeline.ingest.source import Source
from tests.pipeline.ingest.spans import NOON, drop, message, request, span

GOOD = request(span(1, 1))
NOON_SECONDS = NOON.timestamp()


def settle(path: Path, when: float = NOON_SECONDS) -> Path:
    """Let a file look untouched for long: it is whole as it is, and arrived on the tests' day."""
    os.utime(path, (when, when))
    return path


def drop_bytes(place: DataDir, name: str, content: bytes) -> Path:
    """Drop a settled file of exactly these bytes."""
    path = drop(place, name)
    path.write_bytes(content)
    return settle(path)


def conversation(**more: Any) -> dict[str, Any]:
    """A chat record without a time: it needs a folder `day=…`."""
    return {"messages": [{"role": "user", "content": "Hi"}], **more}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"resourceSpans": [', "bad_json"),
        (b'{"resourceSpans": 7}', "not_otlp"),
        (b'{"a": NaN}', "bad_json"),
        (b'{"a": "\\ud800"}', "bad_json"),
        (b"[" * 5000 + b"]" * 5000, "too_deep"),
        (b"\x00\x01\x02", "bad_json"),
        (request({"traceId": "zz", "spanId": "1"}).encode(), "bad_span"),
        (request(span(7, 7) | {"startTimeUnixNano": "12"}).encode(), "bad_span"),
        (request(span(7, 7) | {"startTimeUnixNano": "9" * 25}).encode(), "bad_span"),
    ],
)
def test_a_bad_line_is_quarantined_and_its_neighbours_land(
    place: DataDir, ingest: Callable[..., Assembly], line: bytes, reason: str
) -> None:
    path = drop(place, "a.jsonl", GOOD, line, request(span(2, 2)))
    assembly = ingest()
    assert assembly.traces.height == 2
    (bad,) = assembly.quarantined.to_dicts()
    assert bad["reason"] == reason
    assert bad["file"] == "a.jsonl"
    assert bad["byte_offset"] == len(GOOD) + 1 == path.read_bytes().index(line[:9], len(GOOD))
    assert bad["payload"], "the record itself is kept, in the raw zone"


@pytest.mark.parametrize("broken", ['{"id": "a", "mess', '{"id": "a",', '{"messages": [', "{]"])
def test_a_file_whose_first_line_is_broken_lands_the_others(
    place: DataDir, ingest: Callable[..., Assembly], broken: str
) -> None:
    said = [json.dumps(conversation(id=name)) for name in ("b", "c")]
    drop(place, "day=2026-11-02/c.jsonl", broken, *said)
    assembly = ingest()
    assert assembly.traces.height == 2
    assert assembly.quarantined["reason"].to_list() == ["bad_json"]


def test_one_document_over_several_lines_is_no_file_of_lines(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    message = '{"role": "user", "content": "Hi"}'
    drop(place, "day=2026-11-02/c.json", '{"messages": [', message, "]}")
    assert ingest().traces.height == 1


def test_a_bad_span_leaves_the_others_of_its_line(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    drop(place, "a.jsonl", request(span(1, 1), {"traceId": "zz"}, span(2, 2)))
    assembly = ingest()
    assert (assembly.traces.height, assembly.counts.quarantined) == (2, 1)


def test_bytes_that_are_no_utf8_are_replaced_and_flagged(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    line = request(span(1, 1, name="caf\u00e9")).encode().replace(b"\\u00e9", b"\xe9")
    drop(place, "a.jsonl", line)
    assert ingest().traces["flags"].to_list() == [["invalid_utf8"]]


def test_a_byte_order_mark_and_blank_lines_are_no_records(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    drop(place, "a.jsonl", b"\xef\xbb\xbf" + GOOD.encode(), b"", b"   ")
    assert ingest().counts.records_in == 1


def test_a_torn_last_line_is_kept_apart(place: DataDir, ingest: Callable[..., Assembly]) -> None:
    path = drop(place, "a.jsonl", GOOD, GOOD)
    path.write_bytes(path.read_bytes()[:-40])
    assembly = ingest()
    # A file that changed a moment ago may still be growing: half a line is left for later.
    assert (assembly.traces.height, assembly.quarantined.height) == (1, 0)
    settle(path, time.time() - 7200)
    assembly = ingest()
    assert (assembly.traces.height, assembly.quarantined["reason"].to_list()) == (1, ["torn_line"])


def test_a_broken_array_keeps_what_stands_before_the_break(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    record = json.dumps({"messages": [{"role": "user", "content": "Hi"}]})
    text = f'[{record}, {record[:-1]}, "x": 1}}, {record[:30]}'
    drop(place, "day=2026-11-02/c.json", text)
    assembly = ingest()
    assert assembly.traces.height == 2
    assert assembly.quarantined["reason"].to_list() == ["bad_json"]
    assert text.encode()[assembly.quarantined["byte_offset"][0] :].startswith(record[:20].encode())


def test_a_message_of_ten_megabytes_lands_and_a_larger_record_than_allowed_does_not(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    def talk(n: int, size: int) -> str:
        heard = json.dumps([message("user", "x" * size)])
        return request(span(n, n, gen_ai__input__messages=heard, gen_ai__operation__name="chat"))

    drop(place, "a.jsonl", talk(1, 10 * 2**20), talk(2, 65 * 2**20), talk(3, 5))
    assembly = ingest()
    assert sorted(m[0]["content"].__len__() for m in assembly.traces["messages"]) == [5, 10 * 2**20]
    (bad,) = assembly.quarantined.to_dicts()
    assert bad["reason"] == "too_large"
    assert len(bad["payload"]) == 64 * 1024


def zipped(**members: bytes) -> bytes:
    """A zip archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def tarred(content: bytes, kind: str = "w") -> bytes:
    """A tar archive with one member; `w:gz` compresses it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=kind) as archive:  # type: ignore[call-overload]
        member = tarfile.TarInfo("a.jsonl")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def database() -> bytes:
    """A SQLite file."""
    with sqlite3.connect(":memory:") as connection:
        connection.execute("create table t (a)")
        return connection.serialize()


def table(**columns: list[Any]) -> bytes:
    """A Parquet file."""
    packed = io.BytesIO()
    pq.write_table(pa.table(columns), packed)
    return packed.getvalue()


FOREIGN = table(city=["Lima", "Oslo"], height=[154, 23])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b" \n\t\r\n" * 99, "empty", id="white space"),
        pytest.param(b"\xef\xbb\xbf\n", "empty", id="a byte order mark"),
        pytest.param(b"\0" * 5000, "unknown_format", id="NULs after a crash"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "unknown_format", id="PNG"),
        pytest.param(b"\x7fELF\x02\x01\x01" + bytes(99), "unknown_format", id="ELF"),
        pytest.param(database(), "unknown_format", id="SQLite"),
        pytest.param(tarred(GOOD.encode()), "unknown_format", id="tar"),
        pytest.param(tarred(GOOD.encode(), "w:gz"), "nested_archive", id="tar in gzip"),
        pytest.param(zipped(a=zipped(b=GOOD.encode())), "nested_archive", id="zip in zip"),
        pytest.param(zipped(a=GOOD.encode()), "not_inspect", id="zip of something"),
        pytest.param(zipped(a=GOOD.encode())[:-30], "bad_zip", id="torn zip"),
        pytest.param(FOREIGN, "unknown_format", id="foreign Parquet"),
        pytest.param(FOREIGN[: len(FOREIGN) // 2], "bad_parquet", id="torn Parquet"),
        pytest.param(b"PAR1" + bytes(99) + b"PAR1", "bad_parquet", id="no Parquet"),
        pytest.param(b"city,height\nLima,154\n", "unknown_format", id="foreign CSV"),
        pytest.param(b'{"city": "Lima"}\n', "unknown_format", id="foreign JSON"),
        pytest.param(b"INFO started\nINFO done\n", "unknown_format", id="a log"),
    ],
)
def test_a_file_that_holds_no_traces_is_kept_with_a_reason_on_the_day_it_arrived(
    place: DataDir, ingest: Callable[..., Assembly], content: bytes, reason: str
) -> None:
    drop(place, "good.jsonl", GOOD)
    drop_bytes(place, "other", content)
    assembly = ingest()
    (bad,) = assembly.quarantined.to_dicts()
    assert (bad["reason"], bad["file"]) == (reason, "other")
    assert reason in REASONS
    assert assembly.traces.height == 1
    assert (assembly.counts.records_in, assembly.counts.quarantined) == (2, 1)
    assert ingest("2026-11-01").counts.records_in == 0


@pytest.mark.parametrize(
    "odd", ["-1", "-f", "", " ", "+", "0x", "\0", "/../..", "\xe9" * 5000, "\ud800"]
)
def test_no_id_takes_its_neighbours_down(
    place: DataDir, ingest: Callable[..., Assembly], odd: str
) -> None:
    records = [conversation(id=value, session_id=value) for value in ("a", odd, "b")]
    drop(place, "day=2026-11-02/c.jsonl", *map(json.dumps, records))
    assembly = ingest()
    assert (assembly.traces.height, assembly.quarantined.height) == (3, 0)


DEEP = b"[" * 1000 + b"]" * 1000


@pytest.mark.parametrize("layout", ["lines", "array"])
@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (b"NaN", None),
        (b"-Infinity", None),
        (b"1e999", None),
        (b"1" * 30, "1" * 30),
        (b"-" + b"9" * 5000, "-" + "9" * 5000),
        (b"9223372036854775807", 2**63 - 1),
        (b'"\\ud800!"', "\ufffd!"),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"a\xffb"', "a\ufffdb"),
        (b'"a\x01b"', "a\x01b"),
        (b'"a\\u0000b"', "a\0b"),
        (b'1, "v": 2', 2),  # of two equal keys the later one counts
        (b"[" * 150 + b"]" * 150, json.loads("[" * 150 + "]" * 150)),
        (DEEP, "too_deep"),
        (b"tru", "bad_json"),
        (b"{,}", "bad_json"),
    ],
)
def test_an_odd_value_lands_as_it_was_meant_or_is_kept_apart(
    place: DataDir, ingest: Callable[..., Assembly], layout: str, value: bytes, kept: Any
) -> None:
    odd = json.dumps(conversation(v="@")).encode().replace(b'"@"', value)
    records = [json.dumps(conversation(v=n)).encode() for n in range(2)]
    lines = [records[0], odd, records[1]]
    name = "day=2026-11-02/c.json"
    drop(place, name, *lines if layout == "lines" else [b"[" + b",\n".join(lines) + b"]"])
    assembly = ingest()
    found = [json.loads(a)["v"] for a in assembly.traces["attributes"]]
    reasons = assembly.quarantined["reason"].to_list()
    if isinstance(kept, str) and kept in REASONS:
        assert (sorted(found), reasons) == ([0, 1], [kept])
    else:
        assert [v for v in found if v not in (0, 1)] == [kept]
        assert (len(found), reasons) == (3, [])


def test_a_cell_of_parquet_that_cannot_be_held_takes_its_own_row_alone(tmp_path: Path) -> None:
    times = pa.array([0, 2**62, 1]).cast(pa.timestamp("us", "UTC"))  # beyond 9999
    pq.write_table(pa.table({"time": times}), tmp_path / "a.parquet")
    found = list(read_rows(Source(tmp_path / "a.parquet")))
    said = [row.reason if isinstance(row, Malformed) else row.value["time"].year for row in found]
    assert said == [1970, "bad_row", 1970]


@pytest.mark.parametrize("key", ["gen_ai__input__messages", "gen_ai__tool__call__arguments"])
@pytest.mark.parametrize(
    "text", [DEEP.decode(), '["\\ud800"]', "[NaN]", "[" + "1" * 30 + "]", "[1"]
)
def test_odd_json_within_an_attribute_lands(
    place: DataDir, ingest: Callable[..., Assembly], key: str, text: str
) -> None:
    odd = span(2, 2, gen_ai__operation__name="chat", gen_ai__tool__name="f", **{key: text})
    drop(place, "a.jsonl", GOOD, request(odd))
    assembly = ingest()
    assert (assembly.traces.height, assembly.counts.quarantined) == (2, 0)


def test_a_trace_of_fifty_thousand_spans_takes_seconds(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    calls = [
        span(1, n, parent=1, second=n / 100, seconds=0.01, gen_ai__operation__name="execute_tool",
             gen_ai__tool__name="look", gen_ai__tool__call__id=f"c{n}")
        for n in range(2, 50_001)
    ]  # fmt: skip
    drop(place, "a.jsonl", *[request(*calls[n : n + 5000]) for n in range(0, 49_999, 5000)], GOOD)
    begun = time.monotonic()
    assembly = ingest()
    assert time.monotonic() - begun < 20
    (row,) = assembly.traces.to_dicts()
    assert (len(row["tool_calls"]), row["completeness"]) == (49_999, "complete")
    assert (assembly.counts.records_in, assembly.counts.records_out) == (50_000, 50_000)


def test_too_many_bad_records_fail_the_day_loudly(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    drop(place, "a.jsonl", *[request(span(n, n)) for n in range(1, 19)], b"{", b"{")
    assembly = ingest()
    assembly.require_ratio(0.10)  # 2 of 20 are 10 %
    with pytest.raises(TooManyQuarantined, match=r"2 of 20 records .*caselaw quarantine ls"):
        assembly.require_ratio(0.05)


def test_an_empty_day_is_a_day(ingest: Callable[..., Assembly]) -> None:
    assembly = ingest()
    assert (assembly.traces.height, assembly.counts.records_in) == (0, 0)
    assembly.require_ratio(0.05)


def test_conversations_whose_files_are_gone_are_not_dropped_from_a_published_day(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    drop(place, "a.jsonl", GOOD)
    second = drop(place, "b.jsonl", request(span(2, 2)))
    before = ingest().traces
    second.unlink()
    ingest().require_sources(before.clear())
    with pytest.raises(SourcesGone, match=r"1 of the 2 conversations .* kept as it is"):
        ingest().require_sources(before)
    # A file that grew has another digest, but tells of all that it told of before.
    drop(place, "b.jsonl", request(span(2, 2)), request(span(3, 3)))
    ingest().require_sources(before)


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai__usage__input_tokens": 12.0, "gen_ai__usage__cost": "free"},
        {"gen_ai__usage__input_tokens": "n/a"},
        {"gen_ai__usage__input_tokens": 2**63},
        {"gen_ai__input__messages": "5"},
        {"gen_ai__input__messages": '[{"role": "tool", "parts": [{"type": "tool_call_response", '
         '"id": {"a": 1}}]}]'},
        {"gen_ai__conversation__id": 10**30},
    ],
)  # fmt: skip
def test_a_value_of_an_unforeseen_kind_takes_no_neighbour_down(
    place: DataDir, ingest: Callable[..., Assembly], attributes: dict[str, object]
) -> None:
    odd = span(2, 2, gen_ai__operation__name="chat", **attributes)
    drop(place, "a.jsonl", GOOD, request(odd))
    assembly = ingest()
    assert f"{1:032x}" in assembly.traces["trace_id"].to_list()
    assert assembly.traces.height + assembly.quarantined.height == 2


def test_a_trace_that_breaks_assembly_is_quarantined_alone(
    place: DataDir, ingest: Callable[..., Assembly], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.ingest.days import passes

    assemble = passes.trace_of_spans

    def break_on_second(spans: list[Span], *events: Any, **more: Any) -> Trace:
        if spans[0].trace_id.endswith("2"):
            raise TypeError("text of the trace")
        return assemble(spans, *events, **more)

    monkeypatch.setattr(passes, "trace_of_spans", break_on_second)
    drop(place, "a.jsonl", GOOD, request(span(2, 2), span(2, 3, parent=2)))
    assembly = ingest()
    assert assembly.traces.height == 1
    (bad,) = assembly.quarantined.to_dicts()
    assert (bad["reason"], bad["trace_id"], bad["file"]) == ("bad_trace", f"{2:032x}", "a.jsonl")
    assert "text of the trace" not in bad["detail"]
    assert (assembly.counts.records_in, assembly.counts.quarantined) == (3, 2)


def test_a_time_before_the_first_partition_is_quarantined_or_moved_to_a_day_given_by_hand(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    old = {"messages": [{"role": "user", "content": "Hi"}], "created_at": "2023-01-01T10:00:00Z"}
    path = drop(place, "c.jsonl", json.dumps(old))
    noon = NOON.timestamp()  # with no time that counts, a file's records belong to its arrival
    os.utime(path, (noon, noon))
    assert ingest().quarantined["reason"].to_list() == ["time_out_of_range"]
    path.unlink()
    drop(place, "day=2026-11-02/c.jsonl", json.dumps(old))
    (row,) = ingest().traces.to_dicts()
    assert row["started_at"] == datetime(2026, 11, 2, 10, tzinfo=UTC)
    assert row["flags"] == ["time_moved"]


def test_a_folder_that_is_no_day_and_a_name_that_is_no_text_stop_nobody(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    drop(place, "day=2026-13-45/c.jsonl", GOOD)
    odd = drop(place, "b.jsonl", request(span(2, 2)))
    os.rename(odd, os.fsencode(odd.parent) + b"/\xff.jsonl")
    assert ingest().traces.height == 2


def test_an_end_far_in_the_future_does_not_read_the_future(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    drop(place, "a.jsonl", request(span(1, 1, seconds=3e8)))
    drop(place, "far.jsonl", request(span(2, 2, start=NOON + timedelta(days=300))))
    assert ingest().traces["trace_id"].to_list() == [f"{1:032x}"]
