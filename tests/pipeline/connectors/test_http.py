"""Patience and politeness of one request after another."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from pipeline.connectors import ApiError, checked_url
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


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_not_accepted_is_named_and_not_shown(server, api, status):
    server.faults = [Answer({"message": "s3cret is wrong"}, status)]
    with pytest.raises(ApiError, match="does not accept the key of THE_KEY") as caught:
        api().fetch(HERE)
    assert "s3cret" not in str(caught.value)


def test_what_the_server_says_of_a_bad_request_is_passed_on_without_control_characters(server, api):
    server.faults = [Answer({"message": "unknown filter\x1b[31m"}, 400)]
    with pytest.raises(ApiError, match=r"HTTP 400: unknown filter\[31m$"):
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
