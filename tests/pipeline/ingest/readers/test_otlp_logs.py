"""Log records as events: of a trace, of a session, or of nothing that this project is about."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.ingest.records import Event
from tests.pipeline.ingest.readers.otlp_inputs import (
    SPAN,
    START,
    TRACE,
    envelope,
    events,
    lines,
    read,
    reasons,
    spans,
)
from tests.pipeline.ingest.spans import NOON, attribute, span


def logs(*records: dict[str, Any]) -> dict[str, Any]:
    """An export request of log records."""
    return {
        "resourceLogs": [{"scopeLogs": [{"scope": {"name": "s"}, "logRecords": list(records)}]}]
    }


def record(**more: Any) -> dict[str, Any]:
    """A log record of the first trace."""
    return {"timeUnixNano": str(START), "traceId": TRACE, "spanId": SPAN} | more


BODY = {"kvlistValue": {"values": [attribute("content", "Hi")]}}


@pytest.mark.parametrize(
    ("raw", "name", "attributes"),
    [
        (
            record(eventName="gen_ai.choice", body=BODY),
            "gen_ai.choice",
            {"body": {"content": "Hi"}},
        ),
        (
            record(attributes=[attribute("event.name", "gen_ai.user.message")], body=BODY),
            "gen_ai.user.message",
            {"event.name": "gen_ai.user.message", "body": {"content": "Hi"}},
        ),
        (record(body={"stringValue": "GET /"}), "", {"body": "GET /"}),
        (record(eventName="e", attributes=[attribute("n", 3)]), "e", {"n": 3}),
    ],
)
def test_a_record_of_a_trace_becomes_an_event(
    tmp_path: Path, raw: dict[str, Any], name: str, attributes: dict[str, Any]
) -> None:
    found = read(tmp_path, lines(logs(raw)), name="otlp_json")
    assert found == [Event(TRACE, SPAN, name, NOON, attributes)]


def test_the_time_of_observation_stands_in_and_no_time_is_none(tmp_path: Path) -> None:
    observed = record(observedTimeUnixNano=str(START + 10**9)) | {"timeUnixNano": "0"}
    first, second = events(read(tmp_path, lines(logs(observed, record() | {"timeUnixNano": "x"}))))
    assert (first.time, second.time) == (NOON + timedelta(seconds=1), None)


def test_outside_of_any_trace_a_session_ties_a_record_and_gen_ai_alone_is_missed(
    tmp_path: Path,
) -> None:
    alone: dict[str, Any] = {"traceId": "", "spanId": ""}
    session = record(attributes=[attribute("gen_ai.conversation.id", "c1")]) | alone
    ordinary = record(body={"stringValue": "started"}) | alone
    lost = record(eventName="gen_ai.evaluation.result") | alone
    found = read(tmp_path, lines(logs(session, ordinary, lost)))
    (event,) = events(found)
    assert (event.trace_id, event.attributes["session.id"]) == (None, "c1")
    assert reasons(found) == ["log_without_trace"]


def test_traces_and_logs_may_share_a_file_and_even_a_line(tmp_path: Path) -> None:
    both = envelope(span(1, 1)) | logs(record(eventName="e"))
    found = read(tmp_path, lines(envelope(span(2, 2)), logs(record(eventName="d")), both))
    assert (len(spans(found)), [event.name for event in events(found)]) == (2, ["d", "e"])


def test_a_record_with_a_broken_id_is_malformed_alone(tmp_path: Path) -> None:
    found = read(tmp_path, lines(logs(record(traceId="zz"), record())))
    assert (reasons(found), len(events(found))) == (["bad_span"], 1)
