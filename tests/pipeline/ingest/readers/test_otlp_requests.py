"""Export requests as JSON: every layout, spelling, id, time and value that writers use."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.ingest.readers.otlp_inputs import (
    SPAN,
    START,
    TRACE,
    envelope,
    holding,
    lines,
    read,
    reasons,
    spans,
)
from tests.pipeline.ingest.spans import NOON, attribute, request, span

ONE, TWO = envelope(span(1, 1)), envelope(span(2, 2))


def snake(value: Any) -> Any:
    """The same JSON with the field names of the .proto files."""
    if isinstance(value, list):
        return [snake(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {"".join(f"_{c.lower()}" if c.isupper() else c for c in k): snake(v)
            for k, v in value.items()}  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        lines(ONE, TWO),
        lines(ONE, TWO).rstrip(),
        json.dumps([ONE, TWO]),
        json.dumps([ONE, TWO], indent=2),
        json.dumps(ONE, indent=2) + "\n" + json.dumps(TWO, indent=2),
        json.dumps(envelope(span(1, 1), span(2, 2)), indent=4),
        lines(snake(ONE), TWO),
        "\ufeff\n\n" + lines(ONE) + "   \n" + lines(TWO),
        lines([ONE, TWO]),
        lines({"batches": ONE["resourceSpans"]}, {"trace": TWO}),
    ],
    ids=["lines", "no last break", "array", "pretty array", "documents", "one document",
         "snake_case", "BOM and blank lines", "a list a line", "Tempo"],
)  # fmt: skip
def test_every_layout_gives_the_same_spans(tmp_path: Path, content: str) -> None:
    found = read(tmp_path, content, name="otlp_json")
    assert [s.trace_id for s in spans(found)] == [f"{1:032x}", f"{2:032x}"]
    assert reasons(found) == []
    assert read(tmp_path, gzip.compress(content.encode())) == found


def test_a_bad_first_line_before_an_indented_one_costs_itself_alone(tmp_path: Path) -> None:
    bad = lines(ONE).rstrip()[:-1] + ', "x": NaN, "traceId": }\n'
    found = read(tmp_path, bad + "  " + lines(TWO), name="otlp_json")
    assert [s.trace_id for s in spans(found)] == [f"{2:032x}"]
    assert len(reasons(found)) == 1


@pytest.mark.parametrize(("written", "meant"), [("1.0", 1), ("1e3", 1000), ("-7", -7)])
def test_an_integer_written_as_a_real_number_is_one_whoever_stands_beside_it(
    tmp_path: Path, written: str, meant: int
) -> None:
    told = span(1, 1) | {"attributes": [{"key": "n", "value": {"intValue": written}}]}
    for beside in (span(2, 2), span(2, 2) | {"startTimeUnixNano": "no time"}):
        found = read(tmp_path, lines(envelope(told, beside)), name="otlp_json")
        assert spans(found)[0].attributes["n"] == meant


def test_a_span_has_all_that_was_said_of_it(tmp_path: Path) -> None:
    raw = span(1, 2, parent=1, failed=True, gen_ai__usage__input_tokens=7, ok=True, score=0.5)
    raw["status"]["message"] = "quota exceeded"
    raw["events"] = [{"name": "e", "attributes": [attribute("k", "v")]}]
    value = json.loads(request(raw, service__version="9"))
    value["resourceSpans"][0]["scopeSpans"][0]["scope"] = {"name": "openinference", "version": "2"}
    (fast,), (slow,) = read(tmp_path, lines(value)), read(tmp_path, lines(snake(value)))
    assert fast == slow
    (found,) = spans([fast])
    assert (found.trace_id, found.span_id, found.parent_id) == (TRACE, f"{2:016x}", SPAN)
    assert (found.start, found.end) == (NOON, NOON + timedelta(seconds=1))
    assert found.failed
    assert found.attributes == {
        "gen_ai.usage.input_tokens": 7,
        "ok": True,
        "score": 0.5,
        "otel.status_description": "quota exceeded",
    }
    assert found.resource == {
        "service.name": "shop",
        "service.version": "9",
        "otel.scope.name": "openinference",
        "otel.scope.version": "2",
    }
    assert found.events == (("e", {"k": "v"}),)


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ({"stringValue": "null"}, "null"),
        ({"stringValue": "\x00 \U0001f600"}, "\x00 \U0001f600"),
        ({"intValue": "-9223372036854775808"}, -(2**63)),
        ({"intValue": 5}, 5),
        ({"intValue": "123456789012345678901234567890"}, "123456789012345678901234567890"),
        ({"intValue": 123456789012345678901234567890}, "123456789012345678901234567890"),
        ({"doubleValue": 2}, 2.0),
        ({"doubleValue": "NaN"}, "NaN"),
        ({"doubleValue": "-Infinity"}, "-Infinity"),
        ({"doubleValue": float("nan")}, "NaN"),
        ({"boolValue": False}, False),
        ({"bytesValue": "AAEC"}, "AAEC"),
        ({"arrayValue": {"values": [{"stringValue": "a"}, {"intValue": "1"}]}}, ["a", 1]),
        ({"arrayValue": {}}, []),
        ({"kvlistValue": {"values": [attribute("k", 1)]}}, {"k": 1}),
        ({"kvlistValue": {}}, {}),
        ({}, None),
        ("bare text", "bare text"),
        ({"city": "Paris"}, {"city": "Paris"}),
    ],
)
def test_every_kind_of_value_is_unwrapped(tmp_path: Path, value: Any, meant: Any) -> None:
    for content in (lines(holding(value)), lines(snake(holding(value)))):
        (found,) = spans(read(tmp_path, content))
        assert found.attributes == {"x": meant}
        assert not found.flags


@pytest.mark.parametrize(
    "spelling",
    [
        str.upper,
        lambda text: base64.b64encode(bytes.fromhex(text)).decode(),
    ],
    ids=["upper case", "base64"],
)
def test_ids_come_out_in_lower_case_hex(tmp_path: Path, spelling: Any) -> None:
    raw = span(0xABCDEF << 100, 0xFEDCBA << 40, parent=0xAAAAAAAAAAAAAAAA)
    (plain,) = read(tmp_path, lines(envelope(raw)))
    for name in ("traceId", "spanId", "parentSpanId"):
        raw[name] = spelling(raw[name])
    assert read(tmp_path, lines(envelope(raw))) == [plain]


@pytest.mark.parametrize("parent", ["", None, "0" * 16])
def test_a_parent_that_names_nothing_is_none(tmp_path: Path, parent: str | None) -> None:
    (found,) = spans(read(tmp_path, lines(envelope(span(1, 1) | {"parentSpanId": parent}))))
    assert found.parent_id is None


def at(**times: Any) -> str:
    """A request whose one span has these times."""
    raw = span(1, 1)
    names = {"start": "startTimeUnixNano", "end": "endTimeUnixNano"}
    return lines(envelope(raw | {names[name]: value for name, value in times.items()}))


@pytest.mark.parametrize(
    ("start", "end", "flags"),
    [
        (START, START + 10**9, set()),
        (str(START), str(START + 10**9), set()),
        (START // 10**3, START // 10**3 + 10**6, {"time_unit_us"}),
        (str(START // 10**6), str(START // 10**6 + 1000), {"time_unit_ms"}),
        (START // 10**9, START // 10**9 + 1, {"time_unit_s"}),
        ({"low": START & 0xFFFFFFFF, "high": START >> 32}, START + 10**9, set()),
    ],
    ids=["number", "text", "microseconds", "milliseconds", "seconds", "JavaScript Long"],
)
def test_a_time_in_another_unit_is_read_and_flagged(
    tmp_path: Path, start: Any, end: Any, flags: set[str]
) -> None:
    (found,) = spans(read(tmp_path, at(start=start, end=end)))
    assert (found.start, found.end) == (NOON, NOON + timedelta(seconds=1))
    assert found.flags == flags


@pytest.mark.parametrize(
    ("end", "flag"),
    [
        (START - 1, "clock_skew"),
        ("5000000000000000000", "clock_skew"),  # in the year 2128
        ("x", "clock_skew"),
        (0, "unfinished_span"),
        ("", "unfinished_span"),
        (None, "unfinished_span"),
    ],
)
def test_an_end_that_cannot_be_is_the_start_and_flagged(
    tmp_path: Path, end: Any, flag: str
) -> None:
    (found,) = spans(read(tmp_path, at(end=end)))
    assert (found.end, found.flags) == (found.start, {flag})


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (12, "bad_span"),
        (10**25, "bad_span"),
        ("yesterday", "bad_span"),
        ([], "bad_span"),
        (True, "no_time"),
        (0, "no_time"),
        (None, "no_time"),
    ],
)
def test_a_start_that_cannot_be_is_malformed(tmp_path: Path, start: Any, reason: str) -> None:
    found = read(tmp_path, at(start=start) + lines(TWO))
    assert reasons(found) == [reason]
    assert len(spans(found)) == 1


@pytest.mark.parametrize(
    ("start", "year"),
    [("1700000000000000000", 2023), (1700000000000, 2023), ("5000000000000000000", 2128)],
)
def test_a_time_outside_of_all_partitions_is_for_the_caller_to_judge(
    tmp_path: Path, start: Any, year: int
) -> None:
    (found,) = spans(read(tmp_path, at(start=start)))
    assert found.start.year == year


def test_a_span_without_a_time_takes_the_day_it_was_landed_with(tmp_path: Path) -> None:
    (found,) = spans(read(tmp_path, at(start=0, end=0), day=date(2026, 11, 5)))
    assert found.start == datetime(2026, 11, 5, tzinfo=UTC)
    assert found.flags == {"day_given", "unfinished_span"}


def test_one_bad_span_leaves_the_others_of_its_request(tmp_path: Path) -> None:
    bad = [
        {},
        span(9, 9) | {"traceId": "zz"},
        span(9, 9) | {"traceId": "0" * 32},
        span(9, 9) | {"spanId": "ab" * 7},
        span(9, 9) | {"spanId": "ab cd ef 01 23 4"},
        span(9, 9) | {"attributes": [7]},
        span(9, 9) | {"attributes": [attribute("k", 1) | {"value": {"intValue": "one"}}]},
        span(9, 9) | {"events": 5},
        None,
    ]
    for raw in bad:
        found = read(tmp_path, lines(envelope(span(1, 1), raw, span(2, 2))))  # type: ignore[arg-type]
        assert [s.span_id for s in spans(found)] == [f"{1:016x}", f"{2:016x}"], raw
        assert reasons(found) == ["bad_span"], raw


def test_signals_beside_traces_are_skipped_and_what_is_none_is_told(tmp_path: Path) -> None:
    metrics = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m"}]}]}]}
    empty: dict[str, Any] = {"resourceSpans": []}
    odd = {"resourceSpans": [{"resource": {}, "somethingElse": []}]}
    found = read(tmp_path, lines(metrics, ONE, empty, {"resourceSpans": None}, odd, {"a": 1}))
    assert len(spans(found)) == 1
    assert reasons(found) == ["not_otlp", "not_otlp"]
    assert read(tmp_path, lines(metrics), name="otlp_json") == []
