"""What the receiver takes, what it refuses, and what it says then."""

from __future__ import annotations

import gzip
import random
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import orjson
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from pipeline.receiver.bodies import Refusal, inflate
from pipeline.receiver.otlp import TRACES, read_export

JSON = {"Content-Type": "application/json"}
PROTOBUF = {"Content-Type": "application/x-protobuf"}
GZIP = PROTOBUF | {"Content-Encoding": "gzip"}
SPAN = {
    "traceId": "5b8efff798038103d269b633813fc60c",
    "spanId": "eee19b7ec3c1b174",
    "name": "chat",
    "startTimeUnixNano": "1793577600000000000",
    "endTimeUnixNano": "1793577601000000000",
}


def request(*spans: dict) -> dict:
    return {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}


def protobuf(spans: int = 1, text: str = "") -> bytes:
    message = ExportTraceServiceRequest()
    scope = message.resource_spans.add().scope_spans.add()
    for number in range(spans):
        span = scope.spans.add(trace_id=b"t" * 16, span_id=number.to_bytes(8, "big"))
        if text:
            span.attributes.add(key="text").value.string_value = text
    return message.SerializeToString()


def test_json_is_kept_as_it_came_on_one_line(start):
    receiver = start()
    pretty = orjson.dumps(request(SPAN), option=orjson.OPT_INDENT_2)
    answer = httpx.post(f"{receiver.url}/v1/traces", content=pretty, headers=JSON)
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["content-type"] == "application/json"
    [line] = receiver.lines()
    assert orjson.loads(line) == request(SPAN)


def test_an_acknowledgement_speaks_the_encoding_of_the_request(start):
    receiver = start()
    answer = httpx.post(f"{receiver.url}/v1/traces", content=protobuf(), headers=PROTOBUF)
    assert answer.headers["content-type"] == "application/x-protobuf"
    response = ExportTraceServiceResponse.FromString(answer.content)
    assert answer.status_code == 200
    assert not response.HasField("partial_success")


def test_an_empty_request_is_fine_and_leaves_nothing(idle):
    for headers, content in ((PROTOBUF, b""), (JSON, b"{}")):
        answer = httpx.post(f"{idle.url}/v1/traces", content=content, headers=headers)
        assert answer.status_code == 200
    assert list(idle.folder.iterdir()) == []


def test_metrics_are_answered_with_a_partial_success(idle):
    message = ExportMetricsServiceRequest()
    metric = message.resource_metrics.add().scope_metrics.add().metrics.add(name="calls")
    metric.sum.data_points.add(as_int=1)
    metric.sum.data_points.add(as_int=2)
    content = message.SerializeToString()
    answer = httpx.post(f"{idle.url}/v1/metrics", content=content, headers=PROTOBUF)
    partial = ExportMetricsServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, partial.rejected_data_points) == (200, 2)
    assert "metrics are not kept" in partial.error_message
    assert list(idle.folder.iterdir()) == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"resourceSpans":[{"x":"\\ud83d"}]}', id="half an emoji"),
        pytest.param(b'{"resourceSpans":[{"x":NaN}]}', id="NaN"),
        pytest.param(b'{"resourceSpans":[{"x":"\xff"}]}', id="no UTF-8"),
        pytest.param(b'{"resourceSpans":[{"x":123456789012345678901234567890}]}', id="30 digits"),
    ],
)
def test_json_that_is_slightly_wrong_is_kept_for_ingest_to_repair(body):
    assert read_export(TRACES, JSON["Content-Type"], body).lines == body + b"\n"


@pytest.mark.parametrize(
    ("headers", "content", "status", "why"),
    [
        (JSON, b'{"resourceSpans":[{"secret"', 400, "no JSON"),
        (JSON, b"[" * 100_000, 400, "no JSON"),
        (JSON, b"[]", 400, "JSON, but no object"),
        (JSON, b'{"resourceLogs":[]}', 400, "without a list resourceSpans"),
        (JSON, b'{"resourceSpans":{}}', 400, "without a list resourceSpans"),
        (PROTOBUF, b"secret", 400, "no protobuf message"),
        (PROTOBUF | {"Content-Encoding": "gzip"}, b"secret", 400, "not compressed as"),
        (
            PROTOBUF | {"Content-Encoding": "gzip"},
            gzip.compress(b"x" * 99, mtime=0)[:-9],
            400,
            "too early",
        ),
        (PROTOBUF | {"Content-Encoding": "br"}, b"", 415, "gzip, deflate or none"),
        ({"Content-Type": "text/plain"}, b"secret", 415, "Content-Type is"),
        (JSON | {"Origin": "http://example.com"}, b"{}", 403, "browsers"),
        (JSON | {"Sec-Fetch-Site": "same-origin"}, b"{}", 403, "browsers"),
        (JSON | {"Host": "rebound.example.com"}, b"{}", 403, "another server"),
    ],
)
def test_bad_requests_get_a_status_and_leave_nothing(idle, headers, content, status, why):
    answer = httpx.post(f"{idle.url}/v1/traces", content=content, headers=headers)
    assert answer.status_code == status
    if headers["Content-Type"] == PROTOBUF["Content-Type"]:
        told = Status.FromString(answer.content)
        message, code = told.message, told.code
    else:
        message, code = answer.json()["message"], answer.json()["code"]
    assert why in message
    assert code == {400: 3, 415: 3, 403: 7}[status]
    assert "secret" not in message
    assert list(idle.folder.iterdir()) == []


def test_nothing_of_a_payload_is_printed(start):
    receiver = start()
    for body in (b'{"resourceSpans":[{"secret"', b'{"resourceSpans":[{"secret":1}]}'):
        httpx.post(f"{receiver.url}/v1/traces", content=body, headers=JSON)
    assert "secret" not in receiver.stop()


def test_there_is_nothing_for_browsers_to_read(idle):
    for method in ("GET", "OPTIONS", "PUT"):
        answer = httpx.request(method, f"{idle.url}/v1/traces")
        assert answer.status_code == 405
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert httpx.post(f"{idle.url}/else").status_code == 404


def test_a_bomb_and_a_body_too_large_get_413(start):
    receiver = start()
    bomb = gzip.compress(b"\0" * (65 << 20))  # 64 KB that hold 65 MB, where 64 are taken
    url = f"{receiver.url}/v1/traces"
    answer = httpx.post(url, content=bomb, headers=GZIP)
    assert (answer.status_code, Status.FromString(answer.content).code) == (413, 8)
    large = httpx.post(url, content=bytes(65 << 20), headers=PROTOBUF, timeout=30)
    assert large.status_code == 413
    assert httpx.post(url, content=protobuf(), headers=PROTOBUF).status_code == 200
    assert len(receiver.spans()) == 1


def test_a_body_too_large_that_nobody_announced_gets_413(start):
    receiver = start()

    def chunks() -> Iterator[bytes]:
        for _ in range(65):
            yield bytes(1 << 20)

    url = f"{receiver.url}/v1/traces"
    assert httpx.post(url, content=chunks(), headers=PROTOBUF, timeout=30).status_code == 413
    assert httpx.post(url, content=protobuf(), headers=PROTOBUF).status_code == 200


def test_bodies_that_are_announced_and_never_come_stand_in_nobodys_way(start):
    receiver = start()
    host, port = re.findall(r"//(.+):(\d+)", receiver.url)[0]
    head = f"POST /v1/traces HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
    with ExitStack() as clients:

        def announce(size: int) -> socket.socket:
            client = clients.enter_context(socket.create_connection((host, int(port)), timeout=5))
            client.sendall(f"{head}Content-Length: {size}\r\n\r\n{{".encode())
            return client

        # A byte above the cap is refused at once; at the cap a byte each of six bodies takes
        # six bytes, where announcements of 384 MB would be more than all requests may hold.
        assert announce((64 << 20) + 1).recv(1000).startswith(b"HTTP/1.1 413")
        for _ in range(6):
            announce(64 << 20)
        time.sleep(0.3)
        answer = httpx.post(f"{receiver.url}/v1/traces", content=protobuf(), headers=PROTOBUF)
        assert answer.status_code == 200


def test_two_host_headers_are_refused(idle):
    host, port = re.findall(r"//(.+):(\d+)", idle.url)[0]
    with socket.create_connection((host, int(port)), timeout=5) as client:
        names = f"Host: {host}:{port}\r\nHost: rebound.example.com\r\n"
        head = f"POST /v1/traces HTTP/1.1\r\n{names}Content-Type: application/json\r\n"
        client.sendall(f"{head}Content-Length: 2\r\n\r\n{{}}".encode())
        assert client.recv(1000).startswith(b"HTTP/1.1 400")


def test_a_compressed_body_may_have_some_members_but_not_very_many():
    member = gzip.compress(b"ab", mtime=0)
    assert inflate(member * 1000, "gzip") == b"ab" * 1000
    # 8 MB of empty members: each used to cost a copy of all that follow.
    empty = gzip.compress(b"", mtime=0)
    began = time.monotonic()
    with pytest.raises(Refusal, match="more than 1000 members") as caught:
        inflate(empty * (8_000_000 // len(empty)), "gzip")
    assert caught.value.status == 400
    assert time.monotonic() - began < 5


def test_members_are_told_apart_wherever_they_end():
    """The windows of 64 kB that are decompressed at a time begin and end within members."""
    noise = random.Random(7).randbytes(200_000)
    parts = [noise[:65_513], b"", noise[:65_514], noise, b"end"]
    body = b"".join(gzip.compress(part, mtime=0) for part in parts)
    assert inflate(body, "gzip") == b"".join(parts)
    with pytest.raises(Refusal, match="too early"):
        inflate(body[:-1], "gzip")


def test_a_large_request_lands_as_lines_that_every_reader_takes(start):
    """40 MB of twenty spans: two lines of at most 32 MB would do, a line a span is what it gets."""
    receiver = start()
    content = protobuf(20, "x" * (2 << 20))
    answer = httpx.post(f"{receiver.url}/v1/traces", content=content, headers=PROTOBUF, timeout=30)
    assert answer.status_code == 200
    assert max(map(len, receiver.lines())) < 32 << 20
    assert [span["spanId"] for span in receiver.spans()] == [f"{n:016x}" for n in range(20)]


def test_a_full_disk_is_told_and_tears_nothing(start):
    receiver = start(file_size=100_000)
    url = f"{receiver.url}/v1/traces"
    statuses = [
        httpx.post(url, content=protobuf(1, "x" * 30_000), headers=PROTOBUF) for _ in range(5)
    ]
    # Three lines of about 30 kB fit into a file of 100 kB, and a small one after them.
    assert [answer.status_code for answer in statuses] == [200, 200, 200, 503, 503]
    assert statuses[-1].headers["Retry-After"] == "30"
    assert Status.FromString(statuses[-1].content).message == "not kept: File too large"
    assert httpx.post(url, content=protobuf(), headers=PROTOBUF).status_code == 200
    assert [len(line) > 30_000 for line in receiver.lines()] == [True, True, True, False]
    assert all(orjson.loads(line) for line in receiver.lines())
    assert "2 refused (2 answered 503)" in receiver.stop()


def test_nothing_is_written_where_not_even_the_first_line_fits(start):
    receiver = start(file_size=1000)
    content = protobuf(1, "x" * 30_000)
    answer = httpx.post(f"{receiver.url}/v1/traces", content=content, headers=PROTOBUF)
    assert answer.status_code == 503
    assert list(receiver.folder.iterdir()) == []


def test_a_token_is_asked_for_where_one_is_set(start):
    receiver = start("--host", "0.0.0.0", CASELAW_RECEIVE_TOKEN="t0ken")
    url = receiver.url.replace("0.0.0.0", "127.0.0.1") + "/v1/traces"
    for headers in ({}, {"Authorization": "Bearer other"}, {"Authorization": "Bearer tökén"}):
        encoded = {name: value.encode() for name, value in (PROTOBUF | headers).items()}
        answer = httpx.post(url, content=protobuf(), headers=encoded)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    right = PROTOBUF | {"Authorization": "Bearer t0ken"}
    assert httpx.post(url, content=protobuf(), headers=right).status_code == 200
    assert "t0ken" not in receiver.stop()


def test_an_address_that_others_reach_needs_a_word(start):
    with pytest.raises(AssertionError, match="CASELAW_RECEIVE_TOKEN"):
        start("--host", "0.0.0.0")
    assert start("--host", "0.0.0.0", "--allow-remote").stop()


def test_a_port_that_is_taken_is_said(start):
    port = start().url.rpartition(":")[2]
    with pytest.raises(AssertionError, match="cannot listen on 127.0.0.1:" + port):
        start("--port", port)


def test_requests_under_way_are_finished_at_the_end(start):
    receiver = start()
    host, port = re.findall(r"//(.+):(\d+)", receiver.url)[0]
    content = protobuf()
    with socket.create_connection((host, int(port)), timeout=10) as client:
        head = f"POST /v1/traces HTTP/1.1\r\nHost: {host}:{port}\r\n"
        head += f"Content-Type: application/x-protobuf\r\nContent-Length: {len(content)}\r\n\r\n"
        client.sendall(head.encode() + content[:10])
        time.sleep(0.3)
        receiver.process.terminate()
        time.sleep(0.3)
        client.sendall(content[10:])
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
    assert "Stopped. 1 spans" in receiver.stop()
    assert receiver.process.returncode == 0
    assert len(receiver.spans()) == 1


def test_a_folder_that_is_taken_away_is_made_anew(start, tmp_path: Path):
    receiver = start()
    url = f"{receiver.url}/v1/traces"
    httpx.post(url, content=protobuf(1), headers=PROTOBUF)
    (tmp_path / "data" / "landing").rename(tmp_path / "kept")
    for file in (tmp_path / "kept").rglob("*.jsonl"):
        file.unlink()
    assert httpx.post(url, content=protobuf(1), headers=PROTOBUF).status_code == 200
    assert len(receiver.spans()) == 1
