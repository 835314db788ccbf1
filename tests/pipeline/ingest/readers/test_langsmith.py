"""LangSmith's runs and feedback: every container gives the same spans and verdicts."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.ingest.dialects import read_span, session_of, user_of
from pipeline.ingest.messages import read_messages
from pipeline.ingest.readers.head import read_head
from pipeline.ingest.readers.langsmith import LangSmithReader
from pipeline.ingest.records import Event, Malformed, Span
from pipeline.ingest.source import Source

TRACE = "0f000000-0000-7000-8000-000000000001"
MODEL = "0f000000-0000-7000-8000-000000000002"
TOOL = "0f000000-0000-7000-8000-000000000003"
PROJECT = "0f000000-0000-4000-8000-00000000000a"


def _message(kind: str, **kwargs: Any) -> dict[str, Any]:
    """A message as LangChain serialises it."""
    path = ["langchain", "schema", "messages", kind]
    return {"lc": 1, "type": "constructor", "id": path, "kwargs": kwargs}


def _run(run: str, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "id": run,
        "trace_id": TRACE,
        "name": kind,
        "run_type": kind,
        "start_time": "2026-11-02T09:00:00.123456",
        "end_time": "2026-11-02T09:00:01",
        "session_id": PROJECT,
        "status": "success",
        **more,
    }


ROOT = _run(
    TRACE,
    "chain",
    inputs={"question": "Where is order 7?"},
    outputs={"answer": "It is late."},
    extra={"metadata": {"thread_id": "thread-1", "user_id": "user-9", "revision_id": "r42"}},
    tags=["web"],
)
CHAT = _run(
    MODEL,
    "llm",
    parent_run_id=TRACE,
    inputs={
        "messages": [
            [
                _message("SystemMessage", content="Be brief.", type="system"),
                _message("HumanMessage", content="Where is order 7?", type="human"),
            ]
        ]
    },
    outputs={
        "generations": [
            [
                {
                    "text": "",
                    "message": _message(
                        "AIMessage",
                        content="",
                        type="ai",
                        tool_calls=[
                            {
                                "name": "get_order",
                                "args": {"id": 7},
                                "id": "c1",
                                "type": "tool_call",
                            }
                        ],
                    ),
                }
            ]
        ]
    },
    extra={
        "metadata": {"ls_provider": "openai", "ls_model_name": "gpt-4o", "thread_id": "thread-1"}
    },
    events=[{"name": "new_token", "time": "2026-11-02T09:00:00.5", "kwargs": {"token": "It"}}],
    prompt_tokens=10,
    completion_tokens=4,
    total_tokens=14,
    prompt_token_details={"cache_read": 3},
    total_cost="0.0012",
)
LOOKUP = _run(
    TOOL,
    "tool",
    parent_run_id=TRACE,
    inputs={"id": 7},
    outputs={"output": {"content": "late", "type": "tool", "tool_call_id": "c1"}},
)
RUNS = [ROOT, CHAT, LOOKUP]


def _read(path: Path, day: date | None = None) -> list[Any]:
    source = Source(path, day)
    assert LangSmithReader().sniff(read_head(source))
    return list(LangSmithReader().read(source))


def _spans(path: Path) -> dict[str, Span]:
    return {record.span_id: record for record in _read(path)}


def _json_list(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps(rows, indent=1))


def _json_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def _api_page(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps({"runs": rows, "cursors": {"next": None}, "parsed_query": None}))


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    """A row whose structures are JSON text, as CSV and the bulk export's columns hold them."""
    return {
        name: json.dumps(value) if isinstance(value, dict | list) else value
        for name, value in row.items()
    }


def _csv(path: Path, rows: list[dict[str, Any]]) -> None:
    names = sorted({name for row in rows for name in row})
    with path.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, names)
        writer.writeheader()
        writer.writerows(_cells(row) for row in rows)


def _parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    """The bulk export: typed times, decimal costs, all structures JSON text."""
    table: list[dict[str, Any]] = []
    for row in rows:
        cells = _cells(row)
        for name in ("start_time", "end_time"):
            cells[name] = datetime.fromisoformat(cells[name]).replace(tzinfo=UTC)
        cost = cells.get("total_cost")
        cells["total_cost"] = Decimal(cost) if cost is not None else None
        table.append(cells)
    names = sorted({name for row in table for name in row})
    columns: dict[str, Any] = {}
    for name in names:
        values = [row.get(name) for row in table]
        kind = pa.timestamp("ns", "UTC") if name.endswith("_time") else None
        columns[name] = pa.array(values, type=kind)
    pq.write_table(pa.table(columns), path)


@pytest.mark.parametrize("write", [_json_list, _json_lines, _api_page, _csv, _parquet])
def test_every_container_gives_the_same_spans(
    tmp_path: Path, write: Callable[[Path, list[dict[str, Any]]], None]
) -> None:
    write(tmp_path / "runs", RUNS)
    spans = _spans(tmp_path / "runs")

    assert [span.parent_id for span in spans.values()] == [None, TRACE, TRACE]
    assert {span.trace_id for span in spans.values()} == {TRACE}
    assert spans[TRACE].start == datetime(2026, 11, 2, 9, 0, 0, 123456, UTC)
    assert spans[TRACE].attributes["langsmith.metadata.revision_id"] == "r42"
    assert session_of(spans[TRACE].attributes) == "thread-1"  # never the project's id
    assert user_of(spans[TRACE].attributes) == "user-9"

    chat = read_span(spans[MODEL])
    assert (chat.kind, chat.model, chat.provider) == ("llm", "gpt-4o", "openai")
    assert (chat.input_tokens, chat.output_tokens, chat.cached_tokens) == (10, 4, 3)
    assert chat.cost_usd == 0.0012
    assert [(m.role, m.content) for m in read_messages(chat.heard)] == [
        ("system", "Be brief."),
        ("user", "Where is order 7?"),
    ]
    (said,) = read_messages(chat.said, "assistant")
    assert [(c.id, c.name, c.arguments) for c in said.tool_calls] == [
        ("c1", "get_order", '{"id":7}')
    ]
    assert spans[MODEL].events == ()  # tokens as they streamed

    call = read_span(spans[TOOL]).call
    assert call is not None
    assert (call.name, json.loads(call.arguments), call.result) == ("tool", {"id": 7}, "late")


def test_place_in_the_tree_from_dotted_order_or_ancestors(tmp_path: Path) -> None:
    order = f"20261102T090000000000Z{TRACE}.20261102T090001000000Z{MODEL}"
    dotted = _run(MODEL, "llm", dotted_order=order)
    del dotted["trace_id"]
    # The API's second version: no parent_run_id, the ancestors from the root down.
    second = _run(TOOL, "TOOL", parent_run_ids=[TRACE, MODEL], project_id=PROJECT)
    _json_lines(tmp_path / "runs.jsonl", [dotted, second])
    spans = _spans(tmp_path / "runs.jsonl")
    assert (spans[MODEL].trace_id, spans[MODEL].parent_id) == (TRACE, TRACE)
    assert (spans[TOOL].trace_id, spans[TOOL].parent_id) == (TRACE, MODEL)
    assert read_span(spans[TOOL]).kind == "tool"


def test_second_version_of_the_api(tmp_path: Path) -> None:
    row = _run(
        MODEL,
        "LLM",
        status="ERROR",
        error="RateLimitError('slow down')\n\nTraceback",
        metadata={"ls_model_name": "gpt-4o", "conversation_id": "c-5"},
        prompt_tokens=8,
        completion_tokens=2,
        prompt_token_details={"raw": {"cache_read": 5}},
        is_in_dataset=True,
    )
    (tmp_path / "page.json").write_text(json.dumps({"items": [row], "next_cursor": "x"}))
    (span,) = _read(tmp_path / "page.json")
    content = read_span(span)
    assert span.failed
    assert (content.kind, content.model, content.input_tokens, content.cached_tokens) == (
        "llm",
        "gpt-4o",
        8,
        5,
    )
    assert session_of(span.attributes) == "c-5"


def test_nested_child_runs_are_spans_too(tmp_path: Path) -> None:
    _json_list(tmp_path / "r.json", [{**ROOT, "child_runs": [{**CHAT, "child_runs": [LOOKUP]}]}])
    assert [record.span_id for record in _read(tmp_path / "r.json")] == [TRACE, MODEL, TOOL]


@pytest.mark.parametrize(
    "outputs",
    [
        {"usage_metadata": {"input_tokens": 3, "output_tokens": 2}},
        {
            "messages": [
                {"role": "assistant", "usage_metadata": {"input_tokens": 3, "output_tokens": 2}}
            ]
        },
        {"llm_output": {"token_usage": {"prompt_tokens": 3, "completion_tokens": 2}}},
        {
            "generations": [
                [
                    {
                        "message": _message(
                            "AIMessage", usage_metadata={"input_tokens": 3, "output_tokens": 2}
                        )
                    }
                ]
            ]
        },
    ],
)
def test_tokens_within_the_answer(tmp_path: Path, outputs: dict[str, Any]) -> None:
    _json_lines(tmp_path / "r.jsonl", [_run(MODEL, "llm", outputs=outputs, prompt_tokens=0)])
    content = read_span(_spans(tmp_path / "r.jsonl")[MODEL])
    assert (content.input_tokens, content.output_tokens) == (3, 2)


def test_content_kept_elsewhere_is_flagged(tmp_path: Path) -> None:
    row = _run(
        MODEL, "llm", inputs=None, inputs_s3_urls={"ROOT": {"presigned_url": "https://example.org"}}
    )
    _json_lines(tmp_path / "r.jsonl", [row])
    assert _spans(tmp_path / "r.jsonl")[MODEL].flags == {"content_elsewhere"}


def _feedback(**more: Any) -> dict[str, Any]:
    return {
        "id": "f",
        "run_id": TRACE,
        "trace_id": None,
        "key": "helpful",
        "score": 1,
        "value": None,
        "comment": "quick",
        "correction": None,
        "feedback_source": {"type": "app", "metadata": None},
        "created_at": "2026-11-02T10:00:00+00:00",
        **more,
    }


def test_feedback_is_a_verdict_on_its_run(tmp_path: Path) -> None:
    rows = [
        _feedback(),
        _feedback(feedback_source={"type": "model", "metadata": {"__run": {"run_id": "x"}}}),
        _feedback(feedback_source={"type": "api"}, score=None, value="too long"),
        _feedback(feedback_source={"type": "api", "metadata": {"source": "human"}}, score=True),
        _feedback(run_id=None, trace_id=TRACE, correction={"answer": "It arrives today."}),
    ]
    _json_lines(tmp_path / "f.jsonl", rows)
    events = _read(tmp_path / "f.jsonl")
    assert all(isinstance(event, Event) for event in events)
    told = [event.attributes for event in events]
    assert [row["caselaw.score.source"] for row in told] == [
        "human",
        "model",
        "user",
        "human",
        "human",
    ]
    assert told[0]["gen_ai.evaluation.score.value"] == 1.0
    assert told[0]["gen_ai.evaluation.explanation"] == "quick"
    assert told[2]["gen_ai.evaluation.score.label"] == "too long"
    assert told[4]["caselaw.score.correction"] == "It arrives today."
    assert [(event.trace_id, event.span_id) for event in (events[0], events[4])] == [
        (None, TRACE),
        (TRACE, None),
    ]


@pytest.mark.parametrize("write", [_csv, _json_list])
def test_runs_and_feedback_in_one_file_or_a_table(
    tmp_path: Path, write: Callable[[Path, list[dict[str, Any]]], None]
) -> None:
    write(tmp_path / "f", [_feedback(correction={"answer": "no"})])
    (event,) = _read(tmp_path / "f")
    assert event.attributes["gen_ai.evaluation.score.value"] == 1.0
    assert event.attributes["caselaw.score.correction"] == "no"


def test_bad_rows_leave_their_neighbours_alone(tmp_path: Path) -> None:
    deep: Any = "x"
    for _ in range(300):
        deep = [deep]
    orphan = _run(TOOL, "tool", parent_run_id=MODEL)
    del orphan["trace_id"]
    rows: list[Any] = [
        ROOT,
        _run(MODEL, "llm", start_time=None),
        _run(MODEL, "llm", start_time="yesterday"),
        _run(MODEL, "llm", inputs=deep),
        orphan,
        "no object",
        17,
        _feedback(run_id=None),
        LOOKUP,
    ]
    path = tmp_path / "runs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"id": "torn", "run_ty')
    records = _read(path)
    assert [r.span_id for r in records if isinstance(r, Span)] == [TRACE, TOOL]
    assert [r.reason for r in records if isinstance(r, Malformed)] == [
        "no_time",
        "bad_span",
        "too_deep",
        "bad_span",
        "bad_span",
        "bad_span",
        "bad_span",
        "torn_line",
    ]
    assert not any("yesterday" in r.detail for r in records if isinstance(r, Malformed))


def test_a_day_given_by_hand_stands_in_for_the_time(tmp_path: Path) -> None:
    _json_lines(tmp_path / "r.jsonl", [_run(MODEL, "llm", start_time=None)])
    (span,) = _read(tmp_path / "r.jsonl", day=date(2026, 11, 2))
    assert span.start == datetime(2026, 11, 2, tzinfo=UTC)
    assert span.flags == {"untimed"}


def test_odd_values_survive_as_plain_ones(tmp_path: Path) -> None:
    """NaN, an integer beyond 64 bits and half a surrogate pair, in text of JSON within a cell."""
    row = _run(
        MODEL, "llm", inputs='{"a": NaN, "b": 123456789012345678901234567890, "c": "\\ud800"}'
    )
    _csv(tmp_path / "r.csv", [row])
    (span,) = _read(tmp_path / "r.csv")
    assert span.attributes["langsmith.inputs"] == {
        "a": None,
        "b": "123456789012345678901234567890",
        "c": "\ufffd",
    }
