"""Phoenix's spans and annotations, in every shape its server and its client write them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.ingest.dialects import read_span, session_of
from pipeline.ingest.messages import read_messages
from pipeline.ingest.readers.head import read_head
from pipeline.ingest.readers.phoenix import PhoenixReader
from pipeline.ingest.records import Malformed, Span
from pipeline.ingest.source import Source

TRACE = "0af7651916cd43dd8448eb211c80319c"
AGENT, MODEL, TOOL, SEARCH = (f"00f067aa0ba902b{number}" for number in range(4))
START = datetime(2026, 11, 2, 9, 0, 0, 123456, UTC)

# As the REST endpoint gives attributes: flat, with the JSON of some spread over flat names.
FLAT: dict[str, dict[str, Any]] = {
    AGENT: {
        "input.value": "Where is order 7?",
        "output.value": "It is late.",
        "session.id": "s-1",
        "metadata.plan.tier": "gold",
    },
    MODEL: {
        "llm.model_name": "gpt-4o",
        "llm.token_count.prompt": 10,
        "llm.token_count.completion": 4,
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": "Be brief.",
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.contents.0.message_content.type": "text",
        "llm.input_messages.1.message.contents.0.message_content.text": "Where is order 7?",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c1",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "get_order",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"id":7}',
        "tag.tags": ["web", "beta"],
    },
    TOOL: {"tool.name": "get_order", "tool.parameters.id": 7, "output.value": "late"},
    SEARCH: {
        "input.value": "order 7",
        "retrieval.documents.0.document.id": "d1",
        "retrieval.documents.0.document.content": "Orders ship daily.",
        "retrieval.documents.0.document.score": 0.5,
        "retrieval.documents.0.document.metadata.page": 3,
    },
}
# As the client's data frame holds the same: lists of structures in one column each.
NESTED: dict[str, dict[str, Any]] = {
    AGENT: {
        "input.value": "Where is order 7?",
        "output.value": "It is late.",
        "session.id": "s-1",
        "metadata": {"plan": {"tier": "gold"}},
    },
    MODEL: {
        "llm.model_name": "gpt-4o",
        "llm.token_count.prompt": 10.0,
        "llm.token_count.completion": 4.0,
        "llm.input_messages": [
            {"message.role": "system", "message.content": "Be brief."},
            {
                "message.role": "user",
                "message.contents": [
                    {
                        "message_content.type": "text",
                        "message_content.text": "Where is order 7?",
                    }
                ],
            },
        ],
        "llm.output_messages": [
            {
                "message.role": "assistant",
                "message.tool_calls": [
                    {
                        "tool_call.id": "c1",
                        "tool_call.function.name": "get_order",
                        "tool_call.function.arguments": '{"id":7}',
                    }
                ],
            }
        ],
        "tag.tags": ["web", "beta"],
    },
    TOOL: {"tool.name": "get_order", "tool.parameters": {"id": 7}, "output.value": "late"},
    SEARCH: {
        "input.value": "order 7",
        "retrieval.documents": [
            {
                "document.id": "d1",
                "document.content": "Orders ship daily.",
                "document.score": 0.5,
                "document.metadata": {"page": 3},
            }
        ],
    },
}
KINDS = {AGENT: "AGENT", MODEL: "LLM", TOOL: "TOOL", SEARCH: "RETRIEVER"}
EXCEPTION = {
    "name": "exception",
    "timestamp": "2026-11-02T09:00:01+00:00",
    "attributes": {"exception.type": "TimeoutError", "exception.message": "secret"},
}


def _common(span: str) -> dict[str, Any]:
    return {
        "name": KINDS[span].lower(),
        "span_kind": KINDS[span],
        "parent_id": None if span == AGENT else AGENT,
        "start_time": START.isoformat(),
        "end_time": "2026-11-02T09:00:02+00:00",
        "status_code": "ERROR" if span == TOOL else "OK",
        "status_message": "",
        "events": [EXCEPTION] if span == TOOL else [],
    }


def _rest() -> list[dict[str, Any]]:
    return [
        {
            "id": "U3Bhbjox",
            **_common(span),
            "context": {"trace_id": TRACE, "span_id": span},
            "attributes": attributes,
        }
        for span, attributes in FLAT.items()
    ]


def _frame() -> list[dict[str, Any]]:
    columns = {name for attributes in NESTED.values() for name in attributes}
    return [
        {
            **_common(span),
            "context.span_id": span,
            "context.trace_id": TRACE,
            **{f"attributes.{name}": attributes.get(name) for name in sorted(columns)},
        }
        for span, attributes in NESTED.items()
    ]


def _otlp_value(value: Any) -> dict[str, Any]:
    unset = dict.fromkeys(("bool_value", "bytes_value", "kvlist_value"))
    if isinstance(value, list):
        return {**unset, "array_value": {"values": [_otlp_value(item) for item in value]}}
    name = {str: "string_value", int: "int_value", float: "double_value"}[type(value)]
    return {**unset, "array_value": None, name: value}


def _rest_page(path: Path) -> None:
    path.write_text(json.dumps({"data": _rest(), "next_cursor": None}))


def _rest_lines(path: Path) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in _rest()))


def _otlp_page(path: Path) -> None:
    nanoseconds = int(START.timestamp()) * 10**9 + 123_456_000
    rows = [
        {
            "trace_id": TRACE,
            "span_id": span,
            "parent_span_id": None if span == AGENT else AGENT,
            "name": KINDS[span].lower(),
            "kind": "SPAN_KIND_INTERNAL",
            "start_time_unix_nano": nanoseconds,
            "end_time_unix_nano": nanoseconds + 10**9,
            "status": {"code": 2 if span == TOOL else 0, "message": None},
            "attributes": [
                {"key": name, "value": _otlp_value(value)}
                for name, value in {**FLAT[span], "openinference.span.kind": KINDS[span]}.items()
            ],
            "events": [
                {
                    "name": "exception",
                    "time_unix_nano": nanoseconds,
                    "attributes": [
                        {"key": name, "value": _otlp_value(value)}
                        for name, value in EXCEPTION["attributes"].items()  # type: ignore[attr-defined]
                    ],
                }
            ]
            if span == TOOL
            else None,
        }
        for span in FLAT
    ]
    path.write_text(json.dumps({"data": rows, "next_cursor": None}))


def _nested_json(path: Path) -> None:
    rows = [
        {
            **_common(span),
            "context": {"trace_id": TRACE, "span_id": span},
            "attributes": attributes,
        }
        for span, attributes in NESTED.items()
    ]
    path.write_text(json.dumps(rows))


def _frame_records(path: Path) -> None:
    path.write_text(json.dumps(_frame()))


def _frame_columns(path: Path) -> None:
    """pandas' `to_json()` as it comes."""
    rows = _frame()
    columns = {name: {row["context.span_id"]: row[name] for row in rows} for name in rows[0]}
    path.write_text(json.dumps(columns))


def _frame_split(path: Path) -> None:
    rows = _frame()
    table = {
        "columns": list(rows[0]),
        "index": [row["context.span_id"] for row in rows],
        "data": [list(row.values()) for row in rows],
    }
    path.write_text(json.dumps(table))


def _frame_parquet(path: Path) -> None:
    rows = _frame()
    for row in rows:
        row["start_time"] = START
        row["end_time"] = datetime(2026, 11, 2, 9, 0, 2, tzinfo=UTC)
        row["__index_level_0__"] = row["context.span_id"]
    pq.write_table(pa.Table.from_pylist(rows), path)


def _frame_csv(path: Path) -> None:
    """pandas' `to_csv()`: lists and structures as their repr, the index twice."""
    rows = _frame()
    with path.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["context.span_id", *rows[0]])
        for row in rows:
            cells = ["" if cell is None else str(cell) for cell in row.values()]
            writer.writerow([row["context.span_id"], *cells])


def _read(path: Path) -> list[Any]:
    source = Source(path)
    assert PhoenixReader().sniff(read_head(source))
    return list(PhoenixReader().read(source))


@pytest.mark.parametrize(
    "write",
    [
        _rest_page,
        _rest_lines,
        _otlp_page,
        _nested_json,
        _frame_records,
        _frame_columns,
        _frame_split,
        _frame_parquet,
        _frame_csv,
    ],
)
def test_every_shape_gives_the_same_spans(tmp_path: Path, write: Callable[[Path], None]) -> None:
    write(tmp_path / "spans")
    spans = {record.span_id: record for record in _read(tmp_path / "spans")}

    assert {span: record.parent_id for span, record in spans.items()} == {
        AGENT: None,
        MODEL: AGENT,
        TOOL: AGENT,
        SEARCH: AGENT,
    }
    assert {(record.trace_id, record.start) for record in spans.values()} == {(TRACE, START)}
    assert [span for span, record in spans.items() if record.failed] == [TOOL]

    model = spans[MODEL].attributes
    # A table's numbers may be text or have grown a fraction; `read_span` below reads them.
    expected = {k: v for k, v in FLAT[MODEL].items() if "token_count" not in k}
    assert {name: model[name] for name in expected} == expected
    assert spans[AGENT].attributes["metadata"] == {"plan": {"tier": "gold"}}
    assert spans[TOOL].attributes["tool.parameters"] == {"id": 7}
    assert session_of(spans[AGENT].attributes) == "s-1"

    content = read_span(spans[MODEL])
    assert (content.kind, content.input_tokens, content.output_tokens) == ("llm", 10, 4)
    assert [(m.role, m.content) for m in read_messages(content.heard)] == [
        ("system", "Be brief."),
        ("user", "Where is order 7?"),
    ]
    (said,) = read_messages(content.said, "assistant")
    assert [(c.id, c.name, c.arguments) for c in said.tool_calls] == [
        ("c1", "get_order", '{"id":7}')
    ]
    call = read_span(spans[TOOL]).call
    assert call is not None
    assert (call.name, json.loads(call.arguments), call.status, call.error) == (
        "get_order",
        {"id": 7},
        "timeout",
        "TimeoutError",
    )
    found = read_span(spans[SEARCH]).retrieval
    assert found is not None
    assert [(d.id, d.content, d.score) for d in found.documents] == [
        ("d1", "Orders ship daily.", 0.5)
    ]


def test_text_of_a_value_stays_text(tmp_path: Path) -> None:
    """What a tool wrote may look like JSON or a repr; only lists of the conventions are opened."""
    (row,) = [row for row in _frame() if row["context.span_id"] == TOOL]
    row["attributes.output.value"] = "{'status': 'late'}"
    (tmp_path / "s.jsonl").write_text(json.dumps(row) + "\n")
    (span,) = _read(tmp_path / "s.jsonl")
    assert span.attributes["output.value"] == "{'status': 'late'}"


def test_messages_of_other_conventions_stay_structures(tmp_path: Path) -> None:
    (row, *_) = _rest()
    told = [{"role": "user", "parts": [{"type": "text", "content": "Hello"}]}]
    row["attributes"] = {"gen_ai": {"input": {"messages": told}, "operation": {"name": "chat"}}}
    row["span_kind"] = "UNKNOWN"
    (tmp_path / "s.jsonl").write_text(json.dumps(row) + "\n")
    (span,) = _read(tmp_path / "s.jsonl")
    assert span.attributes["gen_ai.input.messages"] == told
    assert "openinference.span.kind" not in span.attributes
    content = read_span(span)
    assert content.kind == "llm"
    assert [m.content for m in read_messages(content.heard)] == ["Hello"]


def test_spans_as_the_opentelemetry_sdk_prints_them(tmp_path: Path) -> None:
    printed = {
        "name": "chat",
        "context": {"trace_id": f"0x{TRACE}", "span_id": f"0x{MODEL}", "trace_state": "[]"},
        "kind": "SpanKind.INTERNAL",
        "parent_id": f"0x{AGENT}",
        "start_time": "2026-11-02T09:00:00.123456Z",
        "end_time": "2026-11-02T09:00:01.000000Z",
        "status": {"status_code": "ERROR", "description": "x"},
        "attributes": FLAT[MODEL],
        "events": [],
        "links": [],
        "resource": {"attributes": {"service.name": "shop"}, "schema_url": ""},
    }
    (tmp_path / "s.jsonl").write_text(json.dumps(printed) + "\n")
    (span,) = _read(tmp_path / "s.jsonl")
    assert (span.trace_id, span.span_id, span.parent_id) == (TRACE, MODEL, AGENT)
    assert span.failed
    assert span.resource == {"service.name": "shop"}


def _annotation(**more: Any) -> dict[str, Any]:
    return {
        "id": "U3BhbkFubm90YXRpb246MQ==",
        "created_at": "2026-11-02T10:00:00+00:00",
        "source": "APP",
        "name": "correctness",
        "annotator_kind": "HUMAN",
        "result": {"label": "wrong", "score": 0.0, "explanation": "Not late."},
        "metadata": {},
        "span_id": MODEL,
        **more,
    }


def test_annotations_are_verdicts(tmp_path: Path) -> None:
    rows = [
        _annotation(),
        _annotation(annotator_kind="LLM", result={"score": 1}),
        _annotation(span_id=None, trace_id=TRACE, annotator_kind="CODE"),
        _annotation(span_id=None, session_id="s-1"),
    ]
    (tmp_path / "a.json").write_text(json.dumps({"data": rows, "next_cursor": None}))
    events = _read(tmp_path / "a.json")
    assert events[0].attributes == {
        "gen_ai.evaluation.name": "correctness",
        "gen_ai.evaluation.score.value": 0.0,
        "gen_ai.evaluation.score.label": "wrong",
        "gen_ai.evaluation.explanation": "Not late.",
        "caselaw.score.source": "human",
    }
    assert [(e.trace_id, e.span_id, e.attributes.get("session.id")) for e in events] == [
        (None, MODEL, None),
        (None, MODEL, None),
        (TRACE, None, None),
        (None, None, "s-1"),
    ]
    assert [e.attributes["caselaw.score.source"] for e in events] == [
        "human",
        "model",
        "code",
        "human",
    ]


def test_data_frames_of_annotations_and_of_evaluations(tmp_path: Path) -> None:
    annotations = pa.Table.from_pylist(
        [
            {
                "span_id": MODEL,
                "annotation_name": "correctness",
                "annotator_kind": "HUMAN",
                "result.label": "wrong",
                "result.score": float("nan"),
                "result.explanation": None,
            }
        ]
    )
    pq.write_table(annotations, tmp_path / "annotations.parquet")
    (event,) = _read(tmp_path / "annotations.parquet")
    assert event.attributes["gen_ai.evaluation.score.label"] == "wrong"
    assert "gen_ai.evaluation.score.value" not in event.attributes

    # pandas' JSON by columns keeps the span only as the label of the row.
    columns = {"annotator_kind": {MODEL: "LLM"}, "name": {MODEL: "tone"}, "score": {MODEL: 0.25}}
    (tmp_path / "annotations.json").write_text(json.dumps(columns))
    (event,) = _read(tmp_path / "annotations.json")
    assert (event.span_id, event.attributes["gen_ai.evaluation.score.value"]) == (MODEL, 0.25)

    evaluations = f"context.span_id,label,score,explanation\n{MODEL},relevant,1,fits\n"
    (tmp_path / "evaluations.csv").write_text(evaluations)
    (event,) = _read(tmp_path / "evaluations.csv")
    assert event.attributes["gen_ai.evaluation.score.value"] == 1.0
    assert event.attributes["caselaw.score.source"] == "model"


def test_columns_that_arize_keeps_beside_a_span(tmp_path: Path) -> None:
    row = {
        **_frame()[0],
        "eval.Correctness.label": "wrong",
        "eval.Correctness.score": 0.0,
        "eval.Correctness.explanation": "Not late.",
        "annotation.tone.label": "rude",
        "annotation.tone.updated_by": "someone",
    }
    (tmp_path / "s.jsonl").write_text(json.dumps(row) + "\n")
    span, tone, correctness = _read(tmp_path / "s.jsonl")
    assert isinstance(span, Span)
    assert (tone.span_id, tone.attributes["caselaw.score.source"]) == (AGENT, "human")
    assert correctness.attributes == {
        "gen_ai.evaluation.name": "Correctness",
        "gen_ai.evaluation.score.value": 0.0,
        "gen_ai.evaluation.score.label": "wrong",
        "gen_ai.evaluation.explanation": "Not late.",
        "caselaw.score.source": "model",
    }


def test_bad_rows_leave_their_neighbours_alone(tmp_path: Path) -> None:
    first, *_, last = _rest()
    rows: list[Any] = [
        first,
        {**first, "start_time": None},
        {**first, "context": {"trace_id": TRACE}},
        {**first, "context": {"trace_id": {}, "span_id": []}},
        {**first, "end_time": "2026-11-02T08:00:00+00:00", "context": last["context"]},
        {**first, "end_time": None},
        {**first, "attributes": [{"no key": 1}]},
        {"unlike": "any"},
        None,
    ]
    (tmp_path / "s.json").write_text(json.dumps({"data": rows}))
    records = _read(tmp_path / "s.json")
    assert [r.flags for r in records if isinstance(r, Span)] == [
        set(),
        {"clock_skew"},
        {"unfinished_span"},
    ]
    assert [r.reason for r in records if isinstance(r, Malformed)] == [
        "no_time",
        *["bad_span"] * 5,
    ]
