"""What readers of whole conversations share."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.readers.transcript import (
    NoTime,
    Usage,
    as_amount,
    as_count,
    as_time,
    calls_with,
    prose,
    time_span,
)
from pipeline.ingest.records import Call, Message
from pipeline.ingest.source import Source

TEN = datetime(2026, 11, 2, 10, tzinfo=UTC)
SECONDS = 1793613600  # the same instant


@pytest.mark.parametrize(
    "value",
    [SECONDS, float(SECONDS), SECONDS * 10**3, SECONDS * 10**6, SECONDS * 10**9,
     "2026-11-02T10:00:00Z", "2026-11-02T05:00:00-05:00", "2026-11-02 10:00:00", " 2026-11-02T10 "],
)  # fmt: skip
def test_a_time_in_any_unit_is_the_same_instant(value: Any) -> None:
    assert as_time(value) == TEN


@pytest.mark.parametrize(
    "value", [None, True, "", "yesterday", 10**40, math.nan, math.inf, [], {"a": 1}]
)
def test_what_is_no_time_is_none(value: Any) -> None:
    assert as_time(value) is None


@given(st.integers() | st.floats() | st.text() | st.none() | st.booleans())
def test_no_value_breaks_the_small_readings(value: Any) -> None:
    found = as_time(value)
    assert found is None or found.tzinfo is UTC
    count, amount = as_count(value), as_amount(value)
    assert count is None or 0 <= count < 2**53
    assert amount is None or math.isfinite(amount)


def test_a_span_runs_from_the_first_to_the_last(tmp_path: Path) -> None:
    span = time_span([None, SECONDS + 5, "odd", SECONDS], Source(tmp_path))
    assert (span.start, (span.end - span.start).total_seconds(), span.timed) == (TEN, 5, True)
    given_day = time_span([], Source(tmp_path, date(2026, 11, 2)))
    assert (given_day.start, given_day.timed) == (datetime(2026, 11, 2, tzinfo=UTC), False)
    with pytest.raises(NoTime):
        time_span(["odd"], Source(tmp_path))


def test_what_nobody_counted_is_not_nought() -> None:
    assert Usage() + Usage() == Usage()
    assert Usage(1, None, 0.1) + Usage(2, 3, 0.2) == Usage(3, 3, 0.3)


def test_thoughts_are_not_said() -> None:
    parts = [{"type": "thinking", "thinking": "x"}, {"type": "text", "text": "Hi"}, "there"]
    assert prose(parts) == "Hi\nthere"
    assert prose(parts[:1]) is None


def test_what_a_source_states_of_a_call_counts_before_its_text() -> None:
    calls = tuple(Call(name, "find", "{}") for name in ("a", "b", "c"))
    answers = [Message("tool", "Error: x", tool_call_id=name) for name in ("a", "b")]
    known = {"a": Call("a", "", "", status="stated", duration_ms=3.0),
             "c": Call("c", "", "", result="late", status="timeout", error="timeout")}  # fmt: skip
    found = calls_with([Message("assistant", None, calls), *answers], known)
    assert [(c.status, c.result, c.duration_ms) for c in found] == [
        ("ok", "Error: x", 3.0), ("error", "Error: x", None), ("timeout", "late", None),
    ]  # fmt: skip
