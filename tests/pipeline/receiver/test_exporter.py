"""The real OpenTelemetry SDK sends; what it was told is kept lies in landing."""

from __future__ import annotations

import signal
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, StatusCode

from pipeline.ingest.readers import choose_reader
from pipeline.ingest.records import Event, Span
from pipeline.ingest.source import Source


class Remembering(SpanExporter):
    """An exporter that remembers which spans the receiver acknowledged."""

    def __init__(self, exporter: OTLPSpanExporter) -> None:
        self._exporter = exporter
        self.acknowledged: set[str] = set()

    def export(self, spans: Any) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self.acknowledged |= {span_id(span) for span in spans}
        return result


def span_id(span: ReadableSpan) -> str:
    assert span.context
    return f"{span.context.span_id:016x}"


def agent(exporter: SpanExporter, batch: int = 512) -> TracerProvider:
    """The tracing of an agent, as a team sets it up."""
    provider = TracerProvider(resource=Resource({"service.name": "support-agent"}))
    provider.add_span_processor(BatchSpanProcessor(exporter, max_export_batch_size=batch))
    return provider


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_spans_of_the_sdk_land_as_the_collector_would_write_them(start, compression):
    receiver = start()
    exporter = OTLPSpanExporter(f"{receiver.url}/v1/traces", compression=compression)
    provider = agent(exporter)
    tracer = provider.get_tracer("agent")
    with tracer.start_as_current_span("invoke_agent") as parent:
        parent.set_attribute("gen_ai.usage.input_tokens", 2**53 + 1)
        parent.set_attribute("gen_ai.request.stop_sequences", ["a", "b"])
        with tracer.start_as_current_span("chat", links=[Link(parent.get_span_context())]) as child:
            child.add_event("gen_ai.choice", {"content": "Grüße 👋"})
            child.set_status(StatusCode.ERROR, "refused")
    provider.shutdown()

    chat, root = receiver.spans()
    context = root_context = parent.get_span_context()
    assert root["traceId"] == f"{context.trace_id:032x}"
    assert root["spanId"] == chat["parentSpanId"] == f"{root_context.span_id:016x}"
    assert chat["links"][0]["spanId"] == root["spanId"]
    assert chat["status"] == {"message": "refused", "code": 2}
    assert chat["events"][0]["attributes"][0]["value"] == {"stringValue": "Grüße 👋"}
    # int64 is text in JSON: 2^53 + 1 is what a double would round.
    assert root["attributes"][0]["value"] == {"intValue": "9007199254740993"}

    [file] = receiver.folder.glob("*")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(receiver.folder.stat().st_mode) == 0o700
    assert b'"key":"service.name","value":{"stringValue":"support-agent"}' in receiver.lines()[0]
    assert "2 spans and 0 log records in 1 requests" in receiver.stop()


def test_log_records_land_and_metrics_are_turned_down_without_a_retry(start):
    receiver = start()
    logs = LoggerProvider()
    logs.add_log_record_processor(
        BatchLogRecordProcessor(OTLPLogExporter(f"{receiver.url}/v1/logs"))
    )
    logs.get_logger("agent").emit(
        event_name="gen_ai.evaluation.result", attributes={"gen_ai.evaluation.name": "thumbs"}
    )
    logs.shutdown()
    [line] = receiver.lines()
    [record] = orjson.loads(line)["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    assert record["eventName"] == "gen_ai.evaluation.result"

    results = []

    class Metrics(OTLPMetricExporter):
        def export(
            self, metrics_data: MetricsData, *args: Any, **kwargs: Any
        ) -> MetricExportResult:
            results.append(super().export(metrics_data, *args, **kwargs))
            return results[-1]

    exporter = Metrics(f"{receiver.url}/v1/metrics")
    meters = MeterProvider([PeriodicExportingMetricReader(exporter)])
    meters.get_meter("agent").create_counter("calls").add(1)
    meters.shutdown()
    assert results == [MetricExportResult.SUCCESS]
    assert len(receiver.lines()) == 1


def test_what_was_acknowledged_survives_kill_9(start):
    receiver = start()
    exporter = Remembering(OTLPSpanExporter(f"{receiver.url}/v1/traces", timeout=2))
    provider = agent(exporter, batch=20)
    tracer = provider.get_tracer("agent")
    for number in range(600):
        tracer.start_span(f"span {number}", attributes={"text": "x" * 2000}).end()
        if number == 400:
            provider.force_flush()
            receiver.process.kill()
    exporter._exporter.shutdown()
    provider.shutdown()

    assert len(exporter.acknowledged) >= 401
    again = start()  # cuts a half line, if the kill left one
    assert {span["spanId"] for span in again.spans()} >= exporter.acknowledged
    assert all(line.endswith(b"\n") for line in again.lines())


def test_two_receivers_on_one_directory_and_many_clients_at_once(start):
    receivers = [start(), start()]
    exporters = [
        Remembering(OTLPSpanExporter(f"{receivers[n % 2].url}/v1/traces")) for n in range(8)
    ]

    def send(exporter: Remembering) -> None:
        provider = agent(exporter, batch=10)
        for number in range(100):
            provider.get_tracer("agent").start_span(f"span {number}").end()
        provider.shutdown()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, exporters))
    said = [receiver.stop(signal.SIGINT) for receiver in receivers]
    assert all("Stopped. 400 spans" in text for text in said)
    assert [receiver.process.returncode for receiver in receivers] == [0, 0]
    landed = [span["spanId"] for span in receivers[0].spans()]
    assert len(landed) == len(set(landed)) == 800
    assert set(landed) == set().union(*(exporter.acknowledged for exporter in exporters))
    assert len(list(receivers[0].folder.glob("*.jsonl"))) >= 2


def test_what_was_received_is_read_like_any_landing_file(start):
    """Spans and log records lie in one file, in the order they came."""
    receiver = start()
    provider = agent(OTLPSpanExporter(f"{receiver.url}/v1/traces"))
    logs = LoggerProvider()
    exporter = OTLPLogExporter(f"{receiver.url}/v1/logs")
    logs.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    with provider.get_tracer("agent").start_as_current_span("chat") as span:
        span.set_attribute("gen_ai.usage.input_tokens", 7)
        logs.get_logger("agent").emit(event_name="gen_ai.choice", attributes={"index": 0})
    provider.shutdown()
    logs.shutdown()
    receiver.stop()

    [file] = receiver.folder.iterdir()
    reader = choose_reader(Source(file))
    assert reader
    event, chat = reader.read(Source(file))
    assert isinstance(event, Event)
    assert isinstance(chat, Span)
    assert (chat.name, chat.attributes["gen_ai.usage.input_tokens"]) == ("chat", 7)
    assert chat.resource["service.name"] == "support-agent"
    assert (event.name, event.span_id, event.trace_id) == (
        "gen_ai.choice",
        chat.span_id,
        chat.trace_id,
    )
