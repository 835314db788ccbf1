"""OTLP protobuf: one request or many, as the SDK and the Collector write them, whole or damaged."""

from __future__ import annotations

import gzip
import json
import random
import sqlite3
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import zstandard
from google.protobuf.internal.encoder import _VarintBytes
from google.protobuf.json_format import MessageToDict
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from pipeline.ingest.readers import READERS
from pipeline.ingest.readers.head import read_head
from pipeline.ingest.source import Source
from tests.pipeline.ingest.readers.otlp_inputs import (
    SPAN,
    START,
    TRACE,
    events,
    read,
    reasons,
    spans,
)
from tests.pipeline.ingest.spans import NOON


def message(*numbers: int, text: str = "v", **more: Any) -> bytes:
    """A request with one span per number, as the official classes write it."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope = group.scope_spans.add()
    scope.scope.name = "s"
    for number in numbers:
        span = scope.spans.add(
            trace_id=number.to_bytes(16, "big"), span_id=number.to_bytes(8, "big"),
            name="chat", start_time_unix_nano=START, end_time_unix_nano=START + 10**9, **more,
        )  # fmt: skip
        span.attributes.add(key="k").value.string_value = text
    return request.SerializeToString()


def fixed(*messages: bytes) -> bytes:
    """As the Collector's file exporter frames them."""
    return b"".join(len(m).to_bytes(4, "big") + m for m in messages)


def delimited(*messages: bytes) -> bytes:
    """As protobuf's own delimited streams do."""
    return b"".join(_VarintBytes(len(m)) + m for m in messages)


def zstd_fixed(*messages: bytes) -> bytes:
    """As the Collector does with `compression: zstd`."""
    return fixed(*(zstandard.compress(m) for m in messages))


def as_json(data: bytes) -> bytes:
    """A request as the Collector's JSON."""
    value = MessageToDict(ExportTraceServiceRequest.FromString(data))
    for span in value["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        span["traceId"], span["spanId"] = f"{TRACE}", f"{SPAN}"
    return json.dumps(value).encode()


@pytest.mark.parametrize("framing", [b"".join, fixed, delimited, zstd_fixed])
def test_every_framing_gives_the_same_spans(tmp_path: Path, framing: Callable[..., bytes]) -> None:
    parts = (message(1, 2), b"", message(3))
    data = framing(parts) if framing == b"".join else framing(*parts)
    found = read(tmp_path, data, name="otlp_protobuf")
    assert [s.trace_id for s in spans(found)] == [f"{n:032x}" for n in (1, 2, 3)]
    assert reasons(found) == []
    first = spans(found)[0]
    assert (first.start, first.attributes) == (NOON, {"k": "v"})
    assert first.resource == {"service.name": "shop", "otel.scope.name": "s"}
    assert read(tmp_path, gzip.compress(data)) == found
    assert read(tmp_path, zstandard.compress(data)) == found


def test_the_collectors_compressed_json_is_read_too(tmp_path: Path) -> None:
    (found,) = spans(read(tmp_path, zstd_fixed(as_json(message(1))), name="otlp_protobuf"))
    assert (found.trace_id, found.attributes) == (TRACE, {"k": "v"})


def test_what_the_sdk_exports_is_the_same_in_protobuf_and_json(tmp_path: Path) -> None:
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("agent", "1.0")
    with tracer.start_as_current_span("invoke_agent"), tracer.start_as_current_span("chat") as span:
        span.set_attributes(
            {"gen_ai.usage.input_tokens": 2**40, "t": 0.5, "b": True, "l": ["a", "b"], "nan": 1e999}
        )
        span.add_event("gen_ai.choice", {"index": 0})
        span.set_status(trace.Status(trace.StatusCode.ERROR, "quota"))
    request = encode_spans(memory.get_finished_spans())
    found = read(tmp_path, request.SerializeToString(), name="otlp_protobuf")
    chat, agent = spans(found)
    assert (chat.parent_id, agent.parent_id) == (agent.span_id, None)
    assert chat.attributes == {
        "gen_ai.usage.input_tokens": 2**40, "t": 0.5, "b": True, "l": ["a", "b"],
        "nan": "Infinity", "otel.status_description": "quota",
    }  # fmt: skip
    assert (chat.failed, chat.events) == (True, (("gen_ai.choice", {"index": 0}),))
    assert chat.resource["otel.scope.version"] == "1.0"
    # protobuf's own JSON mapping has ids in base64, and the same records.
    text = json.dumps(MessageToDict(request))
    assert read(tmp_path, text, name="otlp_json") == found


def test_log_records_become_events_and_metrics_are_skipped(tmp_path: Path) -> None:
    logs = ExportLogsServiceRequest()
    record = logs.resource_logs.add().scope_logs.add().log_records.add(
        time_unix_nano=START, trace_id=bytes.fromhex(TRACE), span_id=bytes.fromhex(SPAN),
        event_name="gen_ai.evaluation.result",
    )  # fmt: skip
    record.body.kvlist_value.values.add(key="a").value.int_value = 1
    metrics = ExportMetricsServiceRequest()
    metric = metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="requests")
    metric.sum.data_points.add(as_int=1)
    parts = [m.SerializeToString() for m in (metrics, logs)]
    found = read(tmp_path, fixed(*parts, message(1)), name="otlp_protobuf")
    (event,) = events(found)
    assert (event.trace_id, event.span_id, event.time) == (TRACE, SPAN, NOON)
    assert (event.name, event.attributes) == ("gen_ai.evaluation.result", {"body": {"a": 1}})
    assert (len(spans(found)), reasons(found)) == (1, [])
    assert events(read(tmp_path, parts[1], name="otlp_protobuf")) == [event]


def test_times_and_ids_that_cannot_be_are_told_as_in_json(tmp_path: Path) -> None:
    request = ExportTraceServiceRequest.FromString(message(1, 2, 3, 4))
    one, two, three, _ = request.resource_spans[0].scope_spans[0].spans
    one.trace_id = b"short"
    two.start_time_unix_nano = two.end_time_unix_nano = 0
    three.end_time_unix_nano = 0
    found = read(tmp_path, request.SerializeToString())
    assert reasons(found) == ["bad_span", "no_time"]
    assert [sorted(s.flags) for s in spans(found)] == [["unfinished_span"], []]
    again = read(tmp_path, request.SerializeToString(), day=date(2026, 11, 5))
    assert sorted(spans(again)[0].flags) == ["day_given", "unfinished_span"]


def test_a_post_hoc_label_lands_on_its_target(tmp_path: Path) -> None:
    request = ExportTraceServiceRequest.FromString(message(7))
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.links.add(trace_id=bytes.fromhex(TRACE), span_id=bytes.fromhex(SPAN))
    span.attributes.add(key="annotations.0.annotation.name").value.string_value = "a"
    span.attributes.add(key="annotations.0.annotation.score").value.double_value = 1.0
    found = read(tmp_path, request.SerializeToString())
    assert [(e.trace_id, e.span_id) for e in events(found)] == [(TRACE, SPAN)]
    assert spans(found) == []


def test_text_that_is_no_utf8_is_replaced_and_flagged(tmp_path: Path) -> None:
    # Go writes such text; the official Python classes refuse the whole message.
    data = message(1, 2, text="caf\u00e9!").replace("\u00e9".encode(), b"\xe9\xe9", 1)
    first, second = spans(read(tmp_path, data))
    assert (first.attributes, first.flags) == ({"k": "caf\ufffd\ufffd!"}, {"invalid_utf8"})
    assert (second.attributes, second.flags) == ({"k": "caf\u00e9!"}, frozenset())


@pytest.mark.parametrize("framing", [b"".join, fixed, delimited])
def test_of_a_file_cut_anywhere_every_whole_span_stands(
    tmp_path: Path, framing: Callable[..., bytes]
) -> None:
    parts = (message(1, 2), message(3, 4))
    data = framing(parts) if framing == b"".join else framing(*parts)
    whole = spans(read(tmp_path, data))
    seen = set()
    for cut in range(120, len(data)):
        found = read(tmp_path, data[:cut])
        assert spans(found) == whole[: len(spans(found))]
        assert reasons(found) in ([], ["torn_record"]), cut
        seen.add(len(spans(found)))
        if len(data) - cut < 40:
            assert reasons(found) == ["torn_record"]
    assert seen == {1, 2, 3}


def test_a_broken_message_is_passed_over_and_lost_lengths_end_the_file(tmp_path: Path) -> None:
    broken = b"\xff" * 90
    found = read(tmp_path, fixed(message(1), broken, message(2)))
    assert (len(spans(found)), reasons(found)) == (2, ["bad_protobuf"])
    found = read(tmp_path, fixed(message(1), broken, broken, broken, message(2)))
    assert len(spans(found)) == 1
    assert reasons(found) == ["bad_protobuf"] * 4, "three messages, and the rest of the file"
    zeros = read(tmp_path, fixed(message(1)) + bytes(5000))
    assert (len(spans(zeros)), reasons(zeros)) == (1, ["bad_protobuf"])


def test_messages_above_the_cap_are_malformed_and_bombs_are_not_unpacked(tmp_path: Path) -> None:
    large = message(2, text="x" * 5000)
    bomb = zstandard.compress(message(2, text="x" * 2**20))
    assert len(bomb) < 2000
    for data in (fixed(message(1), large, message(3)), fixed(message(1), bomb, message(3)),
                 message(1) + large + message(3)):  # fmt: skip
        found = read(tmp_path, data, largest=4096)
        assert [s.trace_id[-1] for s in spans(found)] == ["1", "3"]
        assert reasons(found) == ["too_large"]


def test_a_value_nested_as_deep_as_protobuf_allows_is_read_and_deeper_is_malformed(
    tmp_path: Path,
) -> None:
    def nested(depth: int) -> bytes:
        request = ExportTraceServiceRequest.FromString(message(1, 2))
        value = request.resource_spans[0].scope_spans[0].spans[0].attributes[0].value
        for _ in range(depth):
            value = value.array_value.values.add()
        value.int_value = 1
        return request.SerializeToString()

    assert reasons(read(tmp_path, nested(40))) == []
    # The SDK's serializer stops at its own depth too: 200 levels are wrapped by hand.
    leaf = b"\x18\x01"
    for _ in range(400):
        leaf = b"\x0a" + _VarintBytes(len(leaf)) + leaf
        leaf = b"\x2a" + _VarintBytes(len(leaf)) + leaf
    pair = b"\x0a\x01k\x12" + _VarintBytes(len(leaf)) + leaf
    span = (
        b"\x0a\x10"
        + b"\1" * 16
        + b"\x12\x08"
        + b"\1" * 8
        + b"\x4a"
        + _VarintBytes(len(pair))
        + pair
    )
    scope = b"\x12" + _VarintBytes(len(span)) + span
    group = b"\x12" + _VarintBytes(len(scope)) + scope
    found = read(tmp_path, message(1) + b"\x0a" + _VarintBytes(len(group)) + group + message(3))
    assert (len(spans(found)), reasons(found)) == (2, ["bad_span"])


def test_other_binaries_are_not_taken_for_otlp(tmp_path: Path) -> None:
    database = tmp_path / "some.sqlite"
    with sqlite3.connect(database) as connection:
        connection.execute("create table t (a text)")
        connection.executemany("insert into t values (?)", [("x" * 50,)] * 500)
    chance = random.Random(5)
    samples = [
        Path(sys.executable).read_bytes()[:300_000],
        database.read_bytes(),
        b"\x89PNG\r\n\x1a\n" + chance.randbytes(3000),
        bytes(4096),
        b"\x0a\x00" * 100,
        b"\n" * 300,
        ExportTraceServiceRequest().SerializeToString() + b"\n[]",
        *(chance.randbytes(chance.randint(1, 400)) for _ in range(3000)),
        *(b"\x0a" + chance.randbytes(60) for _ in range(3000)),
        *(bytes([0, 0, 0, 60]) + chance.randbytes(60) for _ in range(500)),
    ]
    (reader,) = (reader for reader in READERS if reader.name == "otlp_protobuf")
    path = tmp_path / "binary"
    for sample in samples:
        path.write_bytes(sample)
        assert not reader.sniff(read_head(Source(path))), sample[:20]
