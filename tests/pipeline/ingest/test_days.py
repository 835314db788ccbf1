"""A record belongs to one day, whichever files and days its neighbours lie in."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.datadir import DataDir
from pipeline.ingest import Assembly
from tests.pipeline.ingest.spans import NOON, drop, request, span

Ingest = Callable[..., Assembly]
DAYS = [f"2026-11-{day:02d}" for day in range(1, 18)]


def score(trace: int | None, at: datetime, name: str = "helpful", **more: str) -> str:
    """A log record that scores a trace, as the OTel conventions write it."""
    values = {"gen_ai.evaluation.name": name, "gen_ai.evaluation.score.label": "good", **more}
    attributes = [{"key": k, "value": {"stringValue": v}} for k, v in values.items()]
    record: dict[str, Any] = {
        "timeUnixNano": str(int(at.timestamp() * 1e9)),
        "eventName": "gen_ai.evaluation.result",
        "attributes": attributes,
    }
    if trace is not None:
        record |= {"traceId": f"{trace:032x}", "spanId": f"{1:016x}"}
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]})


def counted(ingest: Ingest) -> tuple[int, list[tuple[str, str, int]]]:
    """All spans that stand in any day, and day, id and spans of every conversation."""
    rows = [(day, row) for day in DAYS for row in ingest(day).traces.to_dicts()]
    found = [(day, str(row["trace_id"]), int(row["span_count"])) for day, row in rows]
    return sum(n for _, _, n in found), found


def test_an_export_of_scores_of_many_days_reaches_them_all(place: DataDir, ingest: Ingest) -> None:
    later = NOON + timedelta(days=8)
    drop(place, "a.jsonl", request(span(1, 1), span(2, 1, start=later)))
    drop(place, "scores.jsonl", score(1, NOON), score(2, later))
    for day in ("2026-11-02", "2026-11-10"):
        (row,) = ingest(day).traces.to_dicts()
        assert [given["name"] for given in row["feedback"]["scores"]] == ["helpful"]


def test_a_score_on_a_chat_record_reaches_it(place: DataDir, ingest: Ingest) -> None:
    messages = [{"role": "user", "content": "Hi"}]
    chat = {"id": f"{1:032x}", "created_at": NOON.isoformat(), "messages": messages}
    drop(place, "a.jsonl", json.dumps(chat))
    drop(place, "scores.jsonl", score(1, NOON))
    (row,) = ingest().traces.to_dicts()
    assert [given["name"] for given in row["feedback"]["scores"]] == ["helpful"]


def test_a_score_that_names_a_session_alone_is_counted_once(place: DataDir, ingest: Ingest) -> None:
    for number in range(3):
        start = NOON + timedelta(days=number)
        drop(place, f"{number}.jsonl", request(span(number + 1, 1, start=start, session__id="s")))
    about = {"session.id": "s"}
    drop(place, "scores.jsonl", score(None, NOON + timedelta(days=1, hours=1), **about))
    given = [r["feedback"]["scores"] for day in DAYS for r in ingest(day).traces.to_dicts()]
    assert [len(scores) for scores in given] == [0, 1, 0]


@pytest.mark.parametrize("files", [1, 2])
def test_the_same_trace_in_either_case_is_one(place: DataDir, ingest: Ingest, files: int) -> None:
    trace = "ab" * 16
    one, two = span(1, 1), span(1, 2, parent=1, second=1)
    one["traceId"], two["traceId"] = trace, trace.upper()
    lines = [request(one), request(two)]
    for number in range(files):
        drop(place, f"{number}.jsonl", *lines[number::files])
    (row,) = ingest().traces.to_dicts()
    assert (row["trace_id"], row["span_count"]) == (trace, 2)


@pytest.mark.parametrize("files", [1, 17])
def test_a_session_that_never_pauses_is_cut_by_days_and_loses_nothing(
    place: DataDir, ingest: Ingest, files: int
) -> None:
    step = timedelta(minutes=25)
    every = [
        (NOON + n * step, request(span(n + 1, 1, start=NOON + n * step, session__id="default")))
        for n in range(400)  # nearly seven days
    ]
    for number in range(files):
        lines = [line for at, line in every if files == 1 or at.day == number + 1]
        if lines:
            drop(place, f"{number}.jsonl", *lines)
    spans, found = counted(ingest)
    assert (spans, len(found)) == (400, 7)
    assert len({trace for _, trace, _ in found}) == 7


@pytest.mark.parametrize("together", [True, False])
def test_two_roots_days_apart_are_one_trace_however_the_files_are_cut(
    place: DataDir, ingest: Ingest, together: bool
) -> None:
    far = NOON + timedelta(days=2)
    lines = [request(span(1, 1)), request(span(1, 2, start=far))]
    orphan = request(span(9, 3, parent=8, start=far))
    if together:
        drop(place, "a.jsonl", *lines)
    else:
        drop(place, "a.jsonl", lines[0])
        drop(place, "b.jsonl", lines[1])
    drop(place, "c.jsonl", orphan)
    spans, found = counted(ingest)
    assert spans == 3
    assert found[0] == ("2026-11-02", f"{1:032x}", 2)


def test_a_trace_that_stands_within_a_long_one_is_counted_once(
    place: DataDir, ingest: Ingest
) -> None:
    long = span(1, 1, seconds=2.5 * 86400, session__id="s")
    drop(place, "a.jsonl", request(long))
    within = NOON + timedelta(days=2)
    drop(place, "b.jsonl", request(span(2, 1, start=within, session__id="s")))
    spans, _ = counted(ingest)
    assert spans == 2


def test_an_end_beyond_all_time_is_no_reason_to_stop(place: DataDir, ingest: Ingest) -> None:
    record = {
        "id": "x1", "created_at": NOON.isoformat(), "ended_at": "9999-12-31T23:59:59+00:00",
        "messages": [{"role": "user", "content": "Hi"}],
    }  # fmt: skip
    drop(place, "a.jsonl", json.dumps(record))
    (row,) = ingest().traces.to_dicts()
    assert row["started_at"].date().isoformat() == "2026-11-02"


def test_a_start_that_no_clock_can_hold_takes_no_file_with_it(
    place: DataDir, ingest: Ingest, tmp_path: Path
) -> None:
    odd = [{"traceId": "1" * 32, "id": "2" * 16, "name": "x", "startTime": [-(10**18), 15],
            "endTime": [0, 0], "attributes": {}}]  # fmt: skip
    drop(place, "odd.json", json.dumps(odd))
    drop(place, "good.jsonl", request(span(1, 1)))
    assert ingest().traces.height == 1
