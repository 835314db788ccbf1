from __future__ import annotations

import datetime as dt
import json
from typing import Any

import polars as pl
import pytest

from pipeline.redaction import Redactor, SurrogateKey, redact_traces
from pipeline.tables import QUARANTINED_RECORDS, RAW_TRACES, REDACTED_TRACES

START = dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)
CONTENT_KEY = SurrogateKey(bytes(range(100, 132)))


def row(trace_id: str, text: str, **changes: Any) -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(RAW_TRACES.columns)
    message = dict.fromkeys(("tool_calls", "tool_call_id", "name", "finish_reason"))
    call = {
        "span_id": "00f1",
        "call_id": "call_1",
        "name": "find_customer",
        "arguments": json.dumps({"email": "zora@example.com"}),
        "result": json.dumps({"first_name": "Zora", "order_id": "ORD-100482"}),
        "status": "ok",
        "error": None,
        "started_at": START,
        "duration_ms": 12.5,
    }
    return empty | {
        "trace_id": trace_id,
        "member_trace_ids": [trace_id],
        "session_id": "session-1",
        "started_at": START,
        "messages": [message | {"role": "user", "content": text}],
        "tool_calls": [call],
        "retrievals": [
            {
                "span_id": "00f2",
                "query": "late parcel",
                "documents": [{"id": "HC-101", "content": "Wait 3 days.", "score": 0.5}],
            }
        ],
        "feedback": {"scores": [], "escalated": False, "correction": "Zora is right"},
        "attributes": json.dumps({"app.channel": "web", "enduser.id": "zora@example.com"}),
        **changes,
    }


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=RAW_TRACES.schema)


def test_a_day_is_redacted_to_the_declared_tables(redactor: Redactor) -> None:
    redacted, quarantined = redact_traces(
        frame(row("t1", "I am Zora, see [HC-101]")), redactor, CONTENT_KEY
    )
    assert redacted.schema == REDACTED_TRACES.schema
    assert quarantined.schema == QUARANTINED_RECORDS.schema
    (out,) = redacted.to_dicts()
    assert "zora" not in redacted.write_json().casefold()
    assert out["messages"][0]["content"].endswith(", see [HC-101]")
    call = out["tool_calls"][0]
    assert (call["name"], call["status"], call["started_at"]) == ("find_customer", "ok", START)
    assert json.loads(call["result"])["order_id"] == "ORD-100482"
    assert out["retrievals"][0]["documents"][0]["id"] == "HC-101"
    assert json.loads(out["attributes"]) == {"app.channel": "web"}  # only listed keys pass
    # Zora: in the message, the result, and the correction; her e-mail: in the arguments
    assert out["entity_counts"] == [
        {"entity": "EMAIL_ADDRESS", "count": 1},
        {"entity": "PERSON", "count": 3},
    ]
    assert out["surrogate_key_id"] == redactor.key_id
    assert out["detector_versions"] == list(redactor.detector_versions)


def test_what_cannot_be_redacted_is_quarantined_without_its_text(redactor: Redactor) -> None:
    long = "x" * (redactor.policy.max_string_chars + 1)
    redacted, quarantined = redact_traces(
        frame(row("t1", long), row("t2", "hello")), redactor, CONTENT_KEY
    )
    assert redacted["trace_id"].to_list() == ["t2"]
    (bad,) = quarantined.to_dicts()
    assert (bad["trace_id"], bad["stage"], bad["reason"]) == (
        "t1",
        "redaction",
        "redaction_oversize",
    )
    assert bad["payload"] is None


def test_an_empty_day_gives_typed_empty_tables(redactor: Redactor) -> None:
    redacted, quarantined = redact_traces(RAW_TRACES.empty(), redactor, CONTENT_KEY)
    assert (redacted.height, quarantined.height) == (0, 0)
    assert redacted.schema == REDACTED_TRACES.schema


def test_the_content_digest_outlives_surrogate_key_times_and_feedback(redactor: Redactor) -> None:
    other = Redactor(redactor.policy, SurrogateKey(bytes(range(50, 82))))
    later = row("t1", "I am Zora", feedback=None, started_at=START + dt.timedelta(hours=1))
    first, _ = redact_traces(frame(row("t1", "I am Zora")), redactor, CONTENT_KEY)
    second, _ = redact_traces(frame(later), other, CONTENT_KEY)
    third, _ = redact_traces(frame(row("t1", "I am Zara")), redactor, CONTENT_KEY)
    digest = first["content_digest"][0]
    assert second["content_digest"][0] == digest
    assert second["messages"][0][0]["content"] != first["messages"][0][0]["content"]
    assert third["content_digest"][0] != digest


def test_the_order_of_rows_does_not_matter(redactor: Redactor) -> None:
    rows = [row(f"t{n}", f"I am Zora, parcel {n}") for n in range(4)]
    forwards, _ = redact_traces(frame(*rows), redactor, CONTENT_KEY)
    backwards, _ = redact_traces(frame(*rows[::-1]), redactor, CONTENT_KEY)
    assert forwards.equals(backwards)


@pytest.mark.parametrize("broken", ["not json", "[1]"])
def test_of_attributes_that_are_no_object_none_passes(redactor: Redactor, broken: str) -> None:
    redacted, _ = redact_traces(frame(row("t1", "hello", attributes=broken)), redactor, CONTENT_KEY)
    assert redacted["attributes"].to_list() == ["{}"]
