"""MLflow's traces of versions 2 and 3, as documents, lists, lines and data frames."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.ingest.dialects import read_span, session_of, user_of
from pipeline.ingest.messages import read_messages
from pipeline.ingest.readers.head import read_head
from pipeline.ingest.readers.mlflow import MlflowReader
from pipeline.ingest.records import Event, Malformed, Span
from pipeline.ingest.source import Source

TRACE = "tr-0af7651916cd43dd8448eb211c80319c"
START = datetime(2026, 11, 2, 9, 0, 0, 123000, UTC)
NANOSECONDS = 1_793_610_000_123_456_789  # START's second and what a data frame loses of it
# Base64 of 8 bytes: 01..01, 02..02, 03..03.
BASE64 = {"agent": "AQEBAQEBAQE=", "llm": "AgICAgICAgI=", "get_order": "AwMDAwMDAwM="}
HEX = {"agent": "01" * 8, "llm": "02" * 8, "get_order": "03" * 8}

VALUES: dict[str, dict[str, Any]] = {
    "agent": {
        "mlflow.spanType": "AGENT",
        "mlflow.spanInputs": {"question": "Where is order 7?"},
        "mlflow.spanOutputs": "It is late.",
    },
    "llm": {
        "mlflow.spanType": "CHAT_MODEL",
        "mlflow.spanInputs": {"messages": [{"role": "user", "content": "Where is order 7?"}]},
        "mlflow.spanOutputs": {
            "choices": [
                {
                    "message": {
                        "role": "assistant",
                        "content": None,
                        "tool_calls": [
                            {
                                "id": "c1",
                                "type": "function",
                                "function": {"name": "get_order", "arguments": '{"id":7}'},
                            }
                        ],
                    }
                }
            ]
        },
        "mlflow.chat.tokenUsage": {"input_tokens": 10, "output_tokens": 4, "total_tokens": 14},
        "mlflow.llm.model": "gpt-4o",
        "mlflow.llm.cost": {"input_cost": 0.1, "output_cost": 0.2, "total_cost": 0.3},
    },
    "get_order": {
        "mlflow.spanType": "TOOL",
        "mlflow.spanInputs": {"id": 7},
    },
}
EXCEPTION = {"exception.type": "TimeoutError", "exception.message": "secret"}


def _encoded(values: dict[str, Any]) -> dict[str, str]:
    """Attributes as MLflow keeps them: each its own JSON text."""
    return {name: json.dumps(value) for name, value in values.items()}


def _assessment(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "assessment_id": f"a-{name}",
        "assessment_name": name,
        "trace_id": TRACE,
        "source": {"source_type": kind, "source_id": "someone"},
        "create_time": "2026-11-02T10:00:00Z",
        "last_update_time": "2026-11-02T10:00:01Z",
        "valid": True,
        **more,
    }


ASSESSMENTS = [
    _assessment("helpful", "HUMAN", feedback={"value": True}, rationale="quick"),
    _assessment("tone", "LLM_JUDGE", feedback={"value": "rude"}, span_id=BASE64["llm"]),
    _assessment("length", "CODE", feedback={"value": 0.5}),
    _assessment("broken", "LLM_JUDGE", feedback={"value": None, "error": {"error_code": "X"}}),
    _assessment("old", "HUMAN", feedback={"value": False}, valid=False),
    _assessment("expected_response", "HUMAN", expectation={"value": "It arrives today."}),
    _assessment(
        "facts",
        "HUMAN",
        expectation={
            "serialized_value": {"serialization_format": "JSON_FORMAT", "value": '["a","b"]'}
        },
    ),
]


def _spans_3() -> list[dict[str, Any]]:
    return [
        {
            "trace_id": "CvdlGRbNQ92ESOshHIAxnA==",
            "span_id": BASE64[name],
            "parent_span_id": None if name == "agent" else BASE64["agent"],
            "name": name,
            "start_time_unix_nano": NANOSECONDS,
            "end_time_unix_nano": NANOSECONDS + 10**9,
            "events": [
                {"name": "exception", "time_unix_nano": NANOSECONDS, "attributes": EXCEPTION}
            ]
            if name == "get_order"
            else [],
            "status": {
                "code": "STATUS_CODE_ERROR" if name == "get_order" else "STATUS_CODE_OK",
                "message": "",
            },
            "attributes": _encoded(values),
            "links": [],
        }
        for name, values in VALUES.items()
    ]


def _trace_3() -> dict[str, Any]:
    info = {
        "trace_id": TRACE,
        "trace_location": {"type": "MLFLOW_EXPERIMENT"},
        "request_time": "2026-11-02T09:00:00.123Z",
        "execution_duration_ms": 1500,
        "state": "OK",
        "trace_metadata": {
            "mlflow.trace.session": "s-1",
            "mlflow.trace.user": "user-9",
            "mlflow.trace.tokenUsage": '{"input_tokens": 10, "output_tokens": 4}',
            "mlflow.traceInputs": '{"question": "Wh...',
            "mlflow.source.git.commit": "abc123",
        },
        "tags": {"mlflow.traceName": "support", "tier": "gold"},
        "assessments": ASSESSMENTS,
        "request_preview": "Wh...",
    }
    return {"info": info, "data": {"spans": _spans_3()}}


def _spans_2() -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "context": {"span_id": HEX[name], "trace_id": "0af7651916cd43dd8448eb211c80319c"},
            "parent_id": None if name == "agent" else HEX["agent"],
            "start_time": NANOSECONDS,
            "end_time": NANOSECONDS + 10**9,
            "status_code": "ERROR" if name == "get_order" else "OK",
            "status_message": "",
            "attributes": _encoded(values),
            "events": [{"name": "exception", "timestamp": NANOSECONDS, "attributes": EXCEPTION}]
            if name == "get_order"
            else [],
        }
        for name, values in VALUES.items()
    ]


def _info_2() -> dict[str, Any]:
    return {
        "request_id": TRACE,
        "experiment_id": "1",
        "timestamp_ms": 1_793_610_000_123,
        "execution_time_ms": 1500,
        "status": "OK",
        "request_metadata": {"mlflow.trace.session": "s-1", "mlflow.trace.user": "user-9"},
        "tags": {"mlflow.traceName": "support", "tier": "gold"},
        "assessments": ASSESSMENTS,
    }


def _trace_2() -> dict[str, Any]:
    data = {"spans": _spans_2(), "request": '{"question": "Where is order 7?"}', "response": "null"}
    return {"info": _info_2(), "data": data}


def _row_3() -> dict[str, Any]:
    """A row of `search_traces()` in MLflow 3; its column `trace` holds the whole trace as text."""
    trace = _trace_3()
    info = {name: trace["info"][name] for name in ("trace_id", "state", "trace_metadata", "tags")}
    return {
        "trace": json.dumps(trace),
        **info,
        "request_time": 1_793_610_000_123,
        "execution_duration": 1500,
        "spans": trace["data"]["spans"],
        "assessments": ASSESSMENTS,
    }


def _row_2() -> dict[str, Any]:
    """A row in MLflow 2; the column `trace` is an object that a table only names."""
    return {
        "trace": f"Trace(request_id={TRACE})",
        **_info_2(),
        "request": {"question": "Where is order 7?"},
        "response": None,
        "spans": _spans_2(),
    }


def _text(written: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_text(written)

    return write


def _document(trace: dict[str, Any]) -> Callable[[Path], None]:
    return _text(json.dumps(trace, indent=2))


def _lines(trace: dict[str, Any]) -> Callable[[Path], None]:
    return _text(json.dumps(trace) + "\n")


def _list(trace: dict[str, Any]) -> Callable[[Path], None]:
    return _text(json.dumps([trace]))


def _table(row: dict[str, Any]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        """pandas' `to_csv()`: an index without a name, structures as their repr."""
        with path.open("w", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(["", *row])
            writer.writerow([0, *("" if cell is None else str(cell) for cell in row.values())])

    return write


def _parquet(row: dict[str, Any]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        cells = {k: json.dumps(v) if isinstance(v, dict | list) else v for k, v in row.items()}
        pq.write_table(pa.Table.from_pylist([cells]), path)

    return write


def _columns(row: dict[str, Any]) -> Callable[[Path], None]:
    columns = {name: {"0": cell} for name, cell in row.items()}
    return _text(json.dumps(columns))


def _read(path: Path, day: date | None = None) -> list[Any]:
    source = Source(path, day)
    assert MlflowReader().sniff(read_head(source))
    return list(MlflowReader().read(source))


@pytest.mark.parametrize(
    "write",
    [
        _document(_trace_3()),
        _lines(_trace_3()),
        _list(_trace_3()),
        _document(_trace_2()),
        _lines(_trace_2()),
        _list(_row_3()),
        _list(_row_2()),
        _table(_row_3()),
        _table(_row_2()),
        _parquet(_row_3()),
        _parquet(_row_2()),
        _columns(_row_2()),
    ],
)
def test_every_shape_gives_the_same_trace(tmp_path: Path, write: Callable[[Path], None]) -> None:
    write(tmp_path / "traces")
    records = _read(tmp_path / "traces")
    spans = {r.name: r for r in records if isinstance(r, Span) and not r.envelope}
    (envelope,) = [r for r in records if isinstance(r, Span) and r.envelope]

    assert {name: span.span_id for name, span in spans.items()} == HEX
    assert {span.parent_id for name, span in spans.items() if name != "agent"} == {HEX["agent"]}
    assert {span.trace_id for span in spans.values()} == {TRACE}
    assert spans["llm"].start == START.replace(microsecond=123456)
    assert [name for name, span in spans.items() if span.failed] == ["get_order"]

    model = read_span(spans["llm"])
    assert (model.kind, model.model, model.cost_usd) == ("llm", "gpt-4o", 0.3)
    assert (model.input_tokens, model.output_tokens) == (10, 4)
    assert [m.content for m in read_messages(model.heard)] == ["Where is order 7?"]
    (said,) = read_messages(model.said, "assistant")
    assert [(c.id, c.name, c.arguments) for c in said.tool_calls] == [
        ("c1", "get_order", '{"id":7}')
    ]
    call = read_span(spans["get_order"]).call
    assert call is not None
    assert (call.name, json.loads(call.arguments), call.error) == (
        "get_order",
        {"id": 7},
        "TimeoutError",
    )

    assert (envelope.span_id, envelope.name) == (TRACE, "support")
    assert (envelope.start, envelope.end) == (START, START + timedelta(milliseconds=1500))
    assert session_of(envelope.attributes) == "s-1"
    assert user_of(envelope.attributes) == "user-9"
    assert envelope.attributes["mlflow.traceTag.tier"] == "gold"
    # The copy that MLflow cut is not taken while the spans hold the whole.
    assert envelope.attributes.get("mlflow.traceInputs") in (
        None,
        {"question": "Where is order 7?"},
    )

    verdicts = {r.attributes["gen_ai.evaluation.name"]: r for r in records if isinstance(r, Event)}
    told = {name: dict(event.attributes) for name, event in verdicts.items()}
    for attributes in told.values():
        del attributes["gen_ai.evaluation.name"]
    assert told == {
        "helpful": {
            "gen_ai.evaluation.score.value": 1.0,
            "gen_ai.evaluation.explanation": "quick",
            "caselaw.score.source": "human",
        },
        "tone": {"gen_ai.evaluation.score.label": "rude", "caselaw.score.source": "model"},
        "length": {"gen_ai.evaluation.score.value": 0.5, "caselaw.score.source": "code"},
        "expected_response": {
            "caselaw.score.source": "human",
            "caselaw.score.correction": "It arrives today.",
        },
        "facts": {"caselaw.score.source": "human", "caselaw.score.correction": '["a","b"]'},
    }
    assert {name: event.span_id for name, event in verdicts.items() if event.span_id} == {
        "tone": HEX["llm"]
    }
    assert {event.trace_id for event in verdicts.values()} == {TRACE}


def test_trace_objects_as_pandas_writes_them(tmp_path: Path) -> None:
    """MLflow 2, `search_traces().to_json()`: attributes decoded, so text of JSON stays text."""
    span: dict[str, Any] = {
        "span_id": HEX["agent"],
        "span_type": "AGENT",
        "parent_id": None,
        "name": "agent",
        "start_time_ns": NANOSECONDS,
        "end_time_ns": NANOSECONDS,
        "status": {"status_code": "OK", "description": ""},
        "attributes": {"mlflow.spanType": "AGENT", "mlflow.spanOutputs": '{"answer": 1}'},
        "events": [],
    }
    trace = {"info": _info_2(), "data": {"spans": [span]}}
    row = {**_row_2(), "trace": trace}
    (tmp_path / "t.json").write_text(json.dumps([row]))
    first = _read(tmp_path / "t.json")[0]
    assert first.attributes["mlflow.spanOutputs"] == '{"answer": 1}'


def test_a_trace_of_which_only_the_info_is_there(tmp_path: Path) -> None:
    info = {**_trace_3()["info"], "state": "IN_PROGRESS", "execution_duration": "0.5s"}
    del info["execution_duration_ms"]
    (tmp_path / "t.json").write_text(json.dumps({"traces": [{"info": info}]}))
    envelope, *events = _read(tmp_path / "t.json")
    assert envelope.envelope
    assert envelope.end - envelope.start == timedelta(seconds=0.5)
    assert envelope.flags == {"unfinished_span"}
    assert envelope.attributes["mlflow.traceInputs"] == '{"question": "Wh...'
    assert len(events) == 5


def test_bad_parts_leave_the_rest_of_the_trace_alone(tmp_path: Path) -> None:
    trace = _trace_3()
    del trace["info"]["request_time"]
    broken = trace["data"]["spans"]
    broken[1]["span_id"] = None
    broken[2]["start_time_unix_nano"] = "soon"
    trace["info"]["assessments"] = [ASSESSMENTS[0], "no object", {"feedback": {"value": 1}}]
    no_id = {"info": {"trace_metadata": {}}, "data": {"spans": []}}
    no_list = {"info": {"trace_id": "tr-2"}, "data": {"spans": 7}}
    (tmp_path / "t.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in (trace, no_id, no_list, [1], _trace_2()))
    )
    records = _read(tmp_path / "t.jsonl")
    assert [r.reason for r in records if isinstance(r, Malformed)] == [
        "bad_span",
        "bad_span",
        "bad_score",
        "bad_trace",
        "bad_trace",
        "bad_trace",
    ]
    # The envelope's time is its one good span's; the trace of the last line is whole.
    spans = [r for r in records if isinstance(r, Span)]
    assert [span.name for span in spans] == [
        "agent",
        "support",
        "agent",
        "llm",
        "get_order",
        "support",
    ]
    assert spans[1].start == spans[0].start


def test_no_time_at_all(tmp_path: Path) -> None:
    trace = {"info": {"trace_id": "tr-2", "trace_metadata": {}}, "data": {"spans": []}}
    (tmp_path / "t.jsonl").write_text(json.dumps(trace) + "\n")
    assert [r.reason for r in _read(tmp_path / "t.jsonl")] == ["no_time"]
    (envelope,) = _read(tmp_path / "t.jsonl", day=date(2026, 11, 2))
    assert envelope.flags == {"untimed"}
