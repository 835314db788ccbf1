"""Spans outside of any request: what SDKs print, what people dump, what databases hold."""

from __future__ import annotations

import io
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

from tests.pipeline.ingest.readers.otlp_inputs import (
    SPAN,
    TRACE,
    events,
    lines,
    read,
    reasons,
    spans,
)
from tests.pipeline.ingest.spans import NOON

PARENT = f"{2:016x}"
SECONDS = int(NOON.timestamp())
SHAPES: dict[str, dict[str, Any]] = {
    "JavaScript ReadableSpan": {
        "name": "chat",
        "spanContext": {"traceId": TRACE, "spanId": SPAN, "traceFlags": 1},
        "parentSpanId": PARENT,
        "startTime": [SECONDS, 0],
        "endTime": [SECONDS + 1, 0],
        "attributes": {"k": "v"},
        "status": {"code": 2, "message": "no"},
        "resource": {"attributes": {"service.name": "shop"}},
    },
    "JavaScript console": {
        "traceId": TRACE,
        "id": SPAN,
        "parentSpanContext": {"traceId": TRACE, "spanId": PARENT},
        "name": "chat",
        "timestamp": SECONDS * 10**6,
        "duration": 10**6,
        "attributes": {"k": "v"},
        "status": {"code": 2, "message": "no"},
        "resource": {"attributes": {"service.name": "shop"}},
    },
    "flat": {
        "traceId": TRACE.upper(),
        "spanId": SPAN,
        "parentSpanId": PARENT,
        "name": "chat",
        "startTime": "2026-11-02T12:00:00.000Z",
        "endTime": "2026-11-02T13:00:01+01:00",
        "attributes": {"k": "v"},
        "statusCode": "ERROR",
        "statusMessage": "no",
        "resourceAttributes": {"service.name": "shop"},
    },
    "flat, milliseconds": {
        "trace_id": TRACE,
        "span_id": SPAN,
        "parent_id": PARENT,
        "name": "chat",
        "start_time": SECONDS * 1000,
        "end_time": SECONDS * 1000 + 1000,
        "attributes": {"k": "v"},
        "status": {"status_code": "ERROR", "description": "no"},
        "resource": {"service.name": "shop"},
    },
    "ClickHouse otel_traces": {
        "Timestamp": "2026-11-02 12:00:00.000000000",
        "TraceId": TRACE,
        "SpanId": SPAN,
        "ParentSpanId": PARENT,
        "SpanName": "chat",
        "ResourceAttributes": {"service.name": "shop"},
        "SpanAttributes": {"k": "v"},
        "Duration": "1000000000",
        "Events.Name": [],
        "Events.Attributes": [],
        "StatusCode": "Error",
        "StatusMessage": "no",
    },
    "OTLP without its request": {
        "traceId": TRACE,
        "spanId": SPAN,
        "parentSpanId": PARENT,
        "name": "chat",
        "startTimeUnixNano": str(SECONDS * 10**9),
        "endTimeUnixNano": str((SECONDS + 1) * 10**9),
        "attributes": [{"key": "k", "value": {"stringValue": "v"}}],
        "status": {"code": "STATUS_CODE_ERROR", "message": "no"},
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
    },
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("layout", ["lines", "array", "by operation", "pretty", "page"])
def test_every_shape_in_every_layout_is_the_same_span(
    tmp_path: Path, shape: str, layout: str
) -> None:
    raw = SHAPES[shape]
    content = {
        "lines": lines(raw),
        "array": json.dumps([raw]),
        "by operation": json.dumps({"chat": [raw]}),
        "pretty": json.dumps(raw, indent=2),
        "page": json.dumps({"spans": [raw], "next": None}, indent=1),
    }[layout]
    (found,) = spans(read(tmp_path, content))
    assert (found.trace_id, found.span_id, found.parent_id) == (TRACE, SPAN, PARENT)
    assert (found.start, found.end) == (NOON, NOON + timedelta(seconds=1))
    assert (found.name, found.failed) == ("chat", True)
    assert found.attributes == {"k": "v", "otel.status_description": "no"}
    assert found.resource == {"service.name": "shop"}
    units = {"JavaScript console": {"time_unit_us"}, "flat, milliseconds": {"time_unit_ms"}}
    assert found.flags == units.get(shape, set())


def test_what_the_python_sdk_prints_is_read_from_among_other_output(tmp_path: Path) -> None:
    out = io.StringIO()
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=out)))
    tracer = provider.get_tracer("t")
    out.write("starting up\non port {80}\n")
    with tracer.start_as_current_span("invoke_agent") as root:
        root.set_attribute("gen_ai.usage.input_tokens", 5)
        with tracer.start_as_current_span("chat") as child:
            child.set_attribute("gen_ai.response.finish_reasons", ["stop"])
            child.add_event("gen_ai.choice", {"index": 0})
            child.set_status(trace.Status(trace.StatusCode.ERROR, "quota"))
        out.write("answered\n")
    provider.shutdown()
    text = out.getvalue()
    found = read(tmp_path, text, name="otlp_json")
    child_span, root_span = spans(found)
    assert reasons(found) == ["bad_json", "bad_json"], "each stretch of other output, once"
    assert child_span.parent_id == root_span.span_id
    assert child_span.trace_id == root_span.trace_id == f"{root.get_span_context().trace_id:032x}"
    assert root_span.attributes == {"gen_ai.usage.input_tokens": 5}
    assert child_span.attributes == {
        "gen_ai.response.finish_reasons": ["stop"], "otel.status_description": "quota",
    }  # fmt: skip
    assert child_span.events == (("gen_ai.choice", {"index": 0}),)
    assert (child_span.failed, root_span.failed) == (True, False)
    assert root_span.resource["service.name"] == "shop"
    assert root_span.start <= child_span.start <= child_span.end <= root_span.end
    # A damaged document takes the next one along no more than its own text.
    pretty = text[text.index("{\n") :]
    torn = read(tmp_path, pretty[:200] + "\n" + pretty)
    assert (len(spans(torn)), reasons(torn)) == (2, ["bad_json", "bad_json"])
    assert reasons(read(tmp_path, text[:-30]))[-1] == "torn_line"


def test_what_the_python_sdk_prints_of_logs_becomes_events(tmp_path: Path) -> None:
    record = {
        "body": {"content": "Hi"},
        "severity_number": 9,
        "attributes": {"k": 1},
        "timestamp": "2026-11-02T12:00:00.000000Z",
        "trace_id": f"0x{TRACE}",
        "span_id": f"0x{SPAN}",
        "event_name": "gen_ai.user.message",
    }
    (event,) = events(read(tmp_path, json.dumps(record, indent=4)))
    assert (event.trace_id, event.span_id, event.time) == (TRACE, SPAN, NOON)
    assert (event.name, event.attributes) == (
        "gen_ai.user.message", {"k": 1, "body": {"content": "Hi"}},
    )  # fmt: skip


def test_a_map_of_attributes_needs_a_day_and_has_ids_of_its_content(tmp_path: Path) -> None:
    told = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 3, "input": "{}"}
    assert reasons(read(tmp_path, lines(told))) == ["no_time"]
    first, again, other = spans(
        read(tmp_path, lines(told, told, told | {"input": "[]"}), day=date(2026, 11, 2))
    )
    assert first == again
    assert (first.attributes, first.flags) == (told, {"day_given"})
    assert first.trace_id != other.trace_id
    assert (len(first.trace_id), len(first.span_id)) == (32, 16)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"traceId": "0" * 32}, "bad_span"),
        ({"traceId": {"a": 1}}, "bad_span"),
        ({"startTime": None}, "no_time"),
        ({"startTime": "yesterday"}, "bad_span"),
        ({"startTime": [1, 2, 3]}, "bad_span"),
        ({"attributes": 5}, "bad_span"),
        ({"events": [5]}, "bad_span"),
    ],
)
def test_a_bad_span_leaves_the_others_alone(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    good = SHAPES["flat"]
    found = read(tmp_path, lines(good, good | change, good))
    assert (len(spans(found)), reasons(found)) == (2, [reason])


def test_other_json_with_ids_or_times_is_not_claimed(tmp_path: Path) -> None:
    for other in (
        {"trace_id": TRACE, "span_id": SPAN, "message": "GET /", "time": "2026-11-02"},
        {"captureDate": "2026-02-03T15:20:07.289Z", "results": [{"name": "x"}]},
        {"attributes": {}, "startTime": 5},
    ):
        with pytest.raises(AssertionError, match="no reader"):
            read(tmp_path, lines(other))


def test_the_fixtures_of_openinference_land(tmp_path: Path, shared_data: Path) -> None:
    folder = shared_data / "openinference-fixtures"
    day = date(2026, 11, 2)
    # One span a file, but for the two files of generateText (two calls) and the two collections
    # of all ten; counted by hand in the files.
    counts = {"all-spans": 10, "spans-by-operation": 10, "ai-generateText": 2,
              "ai-generateText-doGenerate": 2}  # fmt: skip
    for path in sorted(folder.rglob("*.json")):
        if path.name == "capture-results.json":  # about the capture: no span in it
            continue
        found = read(tmp_path, path.read_bytes(), day=day, name="otel_spans")
        assert len(spans(found)) == len(found) == counts.get(path.stem, 1), path.name
        whole = json.loads(path.read_text())
        if path.parent.name == "genai":
            assert dict(spans(found)[0].attributes) == whole
        elif isinstance(whole, list):
            first = spans(found)[0]
            assert first.trace_id == whole[0]["spanContext"]["traceId"]
            assert first.attributes == whole[0]["attributes"]
            assert first.start.timestamp() == pytest.approx(
                whole[0]["startTime"][0] + whole[0]["startTime"][1] / 1e9, abs=1e-6
            )
            assert not first.flags


def test_zipkin_json_is_read(tmp_path: Path) -> None:
    raw = {"traceId": "a" * 16, "id": SPAN, "parentId": PARENT, "name": "chat", "duration": 10**6,
           "timestamp": SECONDS * 10**6, "tags": {"k": "v"}}  # fmt: skip
    (found,) = spans(read(tmp_path, json.dumps([raw]), name="otel_spans"))
    assert (found.trace_id, found.span_id, found.parent_id) == ("a" * 16, SPAN, PARENT)
    assert (found.start, found.end) == (NOON, NOON + timedelta(seconds=1))
    assert found.attributes == {"k": "v"}


def test_nested_columns_of_clickhouse_become_events_and_scope(tmp_path: Path) -> None:
    row = SHAPES["ClickHouse otel_traces"] | {
        "Events.Name": ["gen_ai.choice"],
        "Events.Attributes": [{"index": "0"}],
        "ScopeName": "agent",
        "ScopeVersion": "2",
    }
    (found,) = spans(read(tmp_path, lines(row), name="otel_spans"))
    assert found.events == (("gen_ai.choice", {"index": "0"}),)
    assert (found.resource["otel.scope.name"], found.resource["otel.scope.version"]) == (
        "agent",
        "2",
    )


def test_a_span_that_has_not_ended_yet_is_flagged(tmp_path: Path) -> None:
    raw = SHAPES["JavaScript ReadableSpan"] | {"endTime": [0, 0]}
    (found,) = spans(read(tmp_path, lines(raw)))
    assert (found.end, found.flags) == (found.start, {"unfinished_span"})
