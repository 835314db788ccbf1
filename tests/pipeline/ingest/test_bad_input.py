"""What cannot be read is kept with a reason, and its neighbours land."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.datadir import DataDir
from pipeline.ingest import Assembly, SourcesGone, TooManyQuarantined
from pipeline.ingest.records import Span, Trace
from tests.pipeline.ingest.spans import NOON, drop, message, request, span

GOOD = request(span(1, 1))


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
    two_hours_ago = time.time() - 7200
    os.utime(path, (two_hours_ago, two_hours_ago))
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


def test_an_unknown_format_is_counted_on_the_day_it_arrived(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    path = drop(place, "image.png", b"\x89PNG\r\n\x1a\n")
    os.utime(path, (1793620800, 1793620800))  # 2026-11-02 12:00 UTC
    assert ingest().quarantined["reason"].to_list() == ["unknown_format"]


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
    from pipeline.ingest import passes

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
