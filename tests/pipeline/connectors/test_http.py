"""Patience and politeness of one request after another."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from pipeline.connectors import Api, ApiError, Limits, checked_url
from pipeline.connectors.http import NotOffered, Request, SmallerPages
from tests.pipeline.connectors.platform_server import Answer

HERE = Request("/here")


@pytest.fixture(autouse=True)
def _route(server):
    server.routes["/here"] = lambda _asked: Answer({"fine": True})


def test_trouble_is_tried_again_with_longer_waits(server, api, waits):
    server.faults = [Answer("", 500), Answer(None), Answer(b"{torn", 200), Answer("", 502)]
    assert api().fetch(HERE) == {"fine": True}
    # Full waits are 1, 2, 4 and 8 s, of which at least half is waited.
    for wait, longest in zip(waits.seconds, (1, 2, 4, 8), strict=True):
        assert longest / 2 <= wait <= longest


def test_retry_after_is_honoured_in_seconds_and_as_a_date(server, api, waits):
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    server.faults = [
        Answer("", 429, {"Retry-After": "17"}),
        Answer("", 503, {"Retry-After": soon}),
        Answer("", 429, {"Retry-After": "nonsense"}),
    ]
    assert api().fetch(HERE) == {"fine": True}
    assert 17 <= waits.seconds[0] <= 17.1
    assert 27 <= waits.seconds[1] <= 31
    assert 2 <= waits.seconds[2] <= 4


@pytest.mark.parametrize(
    "given",
    [
        "nan",
        "inf",
        "-inf",
        "1e400",
        "9" * 400,
        "-5",
        "1_0",
        "Mon, 01 Jan 2024 00:00:00 +" + 30 * "9",
    ],
)
def test_retry_after_that_is_no_time_is_ignored(server, api, waits, given):
    server.faults = [Answer("", 429, {"Retry-After": given})]
    assert api().fetch(HERE) == {"fine": True}
    # The first wait of its own: half a second to one.
    assert [0.5 <= wait <= 1 for wait in waits.seconds] == [True]


def test_a_wait_longer_than_the_time_that_is_left_ends_the_pull(server, api, waits):
    server.faults = [Answer("", 429, {"Retry-After": "3600"})]
    with pytest.raises(ApiError, match="asked to wait 3600 s where 60 are left"):
        api(deadline=60).fetch(HERE)
    assert waits.seconds == []


def test_it_gives_up_in_the_end(server, api, waits):
    one = api()
    one.fetch(HERE)
    server.faults = [Answer("", 503)] * 9
    with pytest.raises(ApiError, match="HTTP 503, 8 times in a row"):
        one.fetch(HERE)
    assert len(waits.seconds) == 7


def test_requests_keep_their_distance(api, waits):
    one = api(interval=0.5)
    for _ in range(3):
        one.fetch(HERE)
    assert [0.3 < wait <= 0.5 for wait in waits.seconds] == [True, True]


def test_time_runs_out(api):
    one = api(deadline=0)
    time.sleep(0.001)
    with pytest.raises(ApiError, match="minutes are up"):
        one.fetch(HERE)


def test_the_key_goes_to_no_other_host(server, api):
    server.faults = [Answer("", 302, {"Location": "http://127.0.0.1:1/stolen"})]
    with pytest.raises(ApiError, match=r"redirects to '127\.0\.0\.1:1'"):
        api().fetch(HERE)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("http://[bad", "an address that is none"),
        ("//[", "an address that is none"),
        ("http://127.0.0.1:99999999/", "an address that is none"),
        ("http://user:s3cret@example.com/x", r"'example\.com'"),
        ("/elsewhere", r"'127\.0\.0\.1:[0-9]+'"),
    ],
)
def test_a_redirect_to_nonsense_is_told_like_any_other(server, api, location, told):
    server.faults = [Answer("", 302, {"Location": location})]
    with pytest.raises(ApiError, match=f"redirects to {told}, and the key is not sent there"):
        api().fetch(HERE)


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_not_accepted_is_named_and_not_shown(server, api, status):
    server.faults = [Answer({"message": "s3cret is wrong"}, status)]
    with pytest.raises(ApiError, match="does not accept the key of THE_KEY") as caught:
        api().fetch(HERE)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "said", "told"),
    [
        (400, {"message": "ada@example.org", "error": "InvalidRequestError"},
         r"HTTP 400 \(Bad Request\): InvalidRequestError"),
        (400, {"error": "invalid_cursor"}, r"HTTP 400 \(Bad Request\): invalid_cursor"),
        (409, {"detail": "sk-secret of ada@example.org"}, r"HTTP 409 \(Conflict\)"),
        (400, {"error": "ada@example.org"}, r"HTTP 400 \(Bad Request\)"),
        (400, {"error": "sk-lf-5b8efff798038103"}, r"HTTP 400 \(Bad Request\)"),
        (400, {"error": "invalid_cursor\x1b[31m"}, r"HTTP 400 \(Bad Request\)"),
        (400, {"error": {"code": "sk-secret"}}, r"HTTP 400 \(Bad Request\)"),
        (400, ["sk-secret"], r"HTTP 400 \(Bad Request\)"),
        (400, b"sk-secret", r"HTTP 400 \(Bad Request\)"),
        (499, {"message": "sk-secret"}, "HTTP 499"),
    ],
)  # fmt: skip
def test_of_a_bad_request_only_the_code_is_passed_on(server, api, status, said, told):
    """Servers repeat the request in their sentences, and with it people and keys."""
    server.faults = [Answer(said, status)]
    with pytest.raises(ApiError, match=f"/here: {told}$"):
        api().fetch(HERE)


@pytest.mark.parametrize("status", [404, 405, 410, 501])
def test_an_endpoint_that_is_not_there_is_told_apart(server, api, status):
    server.faults = [Answer("", status)]
    with pytest.raises(NotOffered):
        api().fetch(HERE)


@pytest.mark.parametrize("status", [413, 422, 504])
def test_smaller_pages_are_asked_for_where_there_are_any(server, api, status):
    server.faults = [Answer("", status)]
    with pytest.raises(SmallerPages):
        api().fetch(HERE, shrinkable=True)


def test_an_answer_above_the_cap_is_not_read_to_its_end(server, api):
    server.routes["/here"] = lambda _asked: Answer(b'"' + b"x" * 3_000_000 + b'"')
    with pytest.raises(SmallerPages):
        api(largest_answer=1 << 20).fetch(HERE, shrinkable=True)
    with pytest.raises(ApiError, match="smallest page is larger than 1 MB"):
        api(largest_answer=1 << 20).fetch(HERE)


def test_a_server_that_hangs_is_asked_for_less(server, api):
    server.before = lambda _asked: time.sleep(0.4)
    with pytest.raises(SmallerPages):
        api(timeout=0.1).fetch(HERE, shrinkable=True)


@contextmanager
def dripping(head: bytes) -> Iterator[str]:
    """A server that sends `head` at once, and then a byte every 50 ms."""

    def drip(client: socket.socket) -> None:
        with client:
            client.recv(65536)
            try:
                client.sendall(head)
                while not ended.wait(0.05):
                    client.sendall(b"1")
            except OSError:  # the client hung up
                return

    def accept() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=drip, args=(client,)))
            threads[-1].start()

    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threads = [threading.Thread(target=accept)]
        threads[0].start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        ended.set()
        listening.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", id="body"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", id="body that ends with the connection"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX-Slow: ", id="header"),
    ],
)
def test_a_server_that_drips_is_left_in_time(head):
    """A byte every 50 ms keeps a timeout of 300 ms from ever passing."""
    with dripping(head) as url:
        for limits, error, told in (
            ({"longest_answer": 0.4}, SmallerPages, "^$"),
            ({"deadline": 0.4}, ApiError, "minutes are up"),
        ):
            began = time.monotonic()
            one = Api(url, {}, "THE_KEY", Limits(interval=0, timeout=0.3, **limits))
            with pytest.raises(error, match=told):
                one.fetch(HERE, shrinkable=True)
            assert 0.3 < time.monotonic() - began < 5
            one.close()


def test_half_an_emoji_does_not_cost_the_page(server, api):
    server.routes["/here"] = lambda _asked: Answer(b'{"text": "\\ud83d"}')
    assert api().fetch(HERE) == {"text": "\ud83d"}


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("cloud.langfuse.com", "https://cloud.langfuse.com"),
        ("https://app.phoenix.arize.com/s/space/", "https://app.phoenix.arize.com/s/space"),
        ("http://localhost:6006", "http://localhost:6006"),
        ("http://[::1]:6006", "http://[::1]:6006"),
    ],
)
def test_addresses_that_are_fine(given, base):
    assert checked_url(given) == base


@pytest.mark.parametrize(
    "given", ["http://example.com", "https://user:key@example.com", "https://e.com?x=1", "ftp://e"]
)
def test_addresses_that_are_refused(given):
    with pytest.raises(ValueError, match=r"plain|http") as caught:
        checked_url(given)
    assert "key@" not in str(caught.value)
