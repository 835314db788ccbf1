"""Langfuse's exports: traces, observations and scores, in every file it writes them to."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ids import canonical_json
from pipeline.ingest.readers import choose_reader
from pipeline.ingest.readers.head import read_head
from pipeline.ingest.readers.langfuse import LangfuseReader
from pipeline.ingest.records import Event, Malformed, Span
from pipeline.ingest.source import Source

# An observation as the API's first version and the download of a trace write it.
GENERATION: dict[str, Any] = {
    "id": "o-2",
    "traceId": "t-1",
    "projectId": "p-1",
    "type": "GENERATION",
    "environment": "production",
    "parentObservationId": "o-1",
    "startTime": "2025-03-01T10:00:00.250Z",
    "endTime": "2025-03-01T10:00:01.000Z",
    "completionStartTime": "2025-03-01T10:00:00.500Z",
    "name": "answer",
    "level": "DEFAULT",
    "statusMessage": None,
    "version": "v7",
    "model": "gpt-4o",
    "modelParameters": {"temperature": 0},
    "input": [{"role": "user", "content": "Where is my parcel?"}],
    "output": {"role": "assistant", "content": "On its way."},
    "usageDetails": {"input": 12, "input_cached_tokens": 4, "output": 3, "total": 19},
    "costDetails": {"input": 0.00003, "output": 0.00003},
    "totalCost": 0.00006,
    "promptName": "support",
    "promptVersion": 4,
    "metadata": {
        "thread_id": "c-9",
        "attributes": {"gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": "16"},
        "resourceAttributes": {"service.name": "shop"},
        "scope": {"name": "openinference.instrumentation.openai", "version": "0.1.2"},
    },
}
TRACE: dict[str, Any] = {
    "id": "t-1",
    "timestamp": "2025-03-01T10:00:00.000Z",
    "name": "chat",
    "userId": "u-1",
    "sessionId": "s-1",
    "release": "2025.3",
    "version": None,
    "environment": "production",
    "public": False,
    "bookmarked": False,
    "tags": ["beta"],
    "input": "Where is my parcel?",
    "output": "On its way.",
    "metadata": {"tier": "gold"},
    "latency": 1.5,
}
SCORE: dict[str, Any] = {
    "id": "sc-1",
    "timestamp": "2025-03-01T11:00:00.000Z",
    "traceId": "t-1",
    "observationId": None,
    "sessionId": None,
    "name": "helpful",
    "source": "ANNOTATION",
    "dataType": "NUMERIC",
    "value": 0.5,
    "stringValue": None,
    "comment": "half right",
}
# The same as the blob export writes it: snake_case, text, no zones, empty text for nothing.
BLOB: dict[str, Any] = {
    "id": "o-2",
    "trace_id": "t-1",
    "project_id": "p-1",
    "environment": "production",
    "type": "GENERATION",
    "parent_observation_id": "o-1",
    "start_time": "2025-03-01 10:00:00.250000",
    "end_time": "2025-03-01 10:00:01.000000",
    "name": "answer",
    "metadata": {
        "thread_id": "c-9",
        "attributes": '{"gen_ai.request.model":"gpt-4o","gen_ai.usage.input_tokens":"16"}',
        "resourceAttributes": '{"service.name":"shop"}',
        "scope": '{"name":"openinference.instrumentation.openai","version":"0.1.2"}',
    },
    "level": "DEFAULT",
    "status_message": "",
    "version": "v7",
    "input": '[{"role":"user","content":"Where is my parcel?"}]',
    "output": '{"role":"assistant","content":"On its way."}',
    "provided_model_name": "gpt-4o",
    "model_parameters": '{"temperature":0}',
    "usage_details": {"input": 12, "input_cached_tokens": 4, "output": 3, "total": 19},
    "cost_details": {"input": 0.00003, "output": 0.00003},
    "completion_start_time": "2025-03-01 10:00:00.500000",
    "prompt_name": "support",
    "prompt_version": 4,
    "total_cost": 0.00006,
    "latency": 0.75,
    "tool_calls": [],
    "tool_call_names": [],
    "tool_definitions": {},
}


def write_json(path: Path, value: Any) -> Source:
    path.write_text(json.dumps(value))
    return Source(path)


def write_lines(path: Path, rows: Sequence[Any]) -> Source:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Source(path)


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> Source:
    """As Langfuse does: every cell quoted, nothing as an empty cell, structures as JSON."""
    with path.open("w", newline="") as handle:
        writer = csv.writer(handle, quoting=csv.QUOTE_ALL)
        writer.writerow(rows[0])
        for row in rows:
            cells = [
                "" if v is None else v if isinstance(v, str) else json.dumps(v)
                for v in row.values()
            ]
            writer.writerow(cells)
    return Source(path)


def read(source: Source) -> list[Any]:
    return list(LangfuseReader().read(source))


def only(source: Source) -> Any:
    (record,) = read(source)
    return record


def span(tmp_path: Path, **changed: Any) -> Span:
    record = only(write_json(tmp_path / "o.json", GENERATION | changed))
    assert isinstance(record, Span)
    return record


def score(tmp_path: Path, **changed: Any) -> Event:
    record = only(write_json(tmp_path / "s.json", SCORE | changed))
    assert isinstance(record, Event)
    return record


def test_an_observation_becomes_a_span_under_langfuses_otel_names(tmp_path: Path) -> None:
    assert span(tmp_path) == Span(
        trace_id="t-1",
        span_id="o-2",
        parent_id="o-1",
        name="answer",
        start=datetime(2025, 3, 1, 10, 0, 0, 250000, UTC),
        end=datetime(2025, 3, 1, 10, 0, 1, tzinfo=UTC),
        failed=False,
        attributes={
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": "16",
            "langfuse.observation.type": "generation",
            "langfuse.observation.input": [{"role": "user", "content": "Where is my parcel?"}],
            "langfuse.observation.output": {"role": "assistant", "content": "On its way."},
            "langfuse.observation.model.name": "gpt-4o",
            "langfuse.observation.model.parameters": {"temperature": 0},
            "langfuse.observation.usage_details": {
                "input": 12,
                "input_cached_tokens": 4,
                "output": 3,
                "total": 19,
            },
            "langfuse.observation.cost_details": {
                "input": 0.00003,
                "output": 0.00003,
                "total": 0.00006,
            },
            "langfuse.observation.level": "DEFAULT",
            "langfuse.observation.completion_start_time": "2025-03-01T10:00:00.500Z",
            "langfuse.observation.prompt.name": "support",
            "langfuse.observation.prompt.version": 4,
            "langfuse.observation.metadata": {"thread_id": "c-9"},
            "langfuse.environment": "production",
            "langfuse.version": "v7",
        },
        resource={
            "service.name": "shop",
            "otel.scope.name": "openinference.instrumentation.openai",
            "otel.scope.version": "0.1.2",
        },
    )


def test_a_trace_becomes_an_envelope(tmp_path: Path) -> None:
    assert only(write_json(tmp_path / "t.json", TRACE)) == Span(
        trace_id="t-1",
        span_id="t-1",
        parent_id=None,
        name="chat",
        start=datetime(2025, 3, 1, 10, tzinfo=UTC),
        end=datetime(2025, 3, 1, 10, 0, 1, 500000, UTC),  # latency is in seconds
        failed=False,
        attributes={
            "langfuse.trace.name": "chat",
            "langfuse.trace.input": "Where is my parcel?",
            "langfuse.trace.output": "On its way.",
            "langfuse.trace.tags": ["beta"],
            "langfuse.trace.metadata": {"tier": "gold"},
            "session.id": "s-1",
            "user.id": "u-1",
            "langfuse.environment": "production",
            "langfuse.release": "2025.3",
        },
        envelope=True,
    )


def test_every_container_of_the_blob_export_reads_as_the_api_does(tmp_path: Path) -> None:
    expected = span(tmp_path)
    when = "langfuse.observation.completion_start_time"  # kept as it was written

    def same(record: Any) -> bool:
        attributes = dict(record.attributes) | {when: expected.attributes[when]}
        version = "langfuse.observation.prompt.version"
        attributes[version] = int(attributes[version])
        return bool(
            attributes == expected.attributes
            and (record.start, record.end, record.resource, record.parent_id)
            == (expected.start, expected.end, expected.resource, expected.parent_id)
        )

    assert same(only(write_lines(tmp_path / "o.jsonl", [BLOB])))
    assert same(only(write_json(tmp_path / "o.json", [BLOB])))
    assert same(only(write_csv(tmp_path / "o.csv", [BLOB])))
    zipped = tmp_path / "o.jsonl.gz"
    zipped.write_bytes(gzip.compress((tmp_path / "o.jsonl").read_bytes()))
    assert same(only(Source(zipped)))

    # ClickHouse writes maps as maps, times as timestamps, and costs as decimals.
    def pairs(name: str) -> list[tuple[str, Any]]:
        return list(BLOB[name].items())

    when_ = pa.timestamp("us", "UTC")
    times = {n: datetime.fromisoformat(BLOB[n]) for n in BLOB if n.endswith("_time")}
    maps = {
        "metadata": pa.array([pairs("metadata")], pa.map_(pa.string(), pa.string())),
        "usage_details": pa.array([pairs("usage_details")], pa.map_(pa.string(), pa.uint64())),
        "cost_details": pa.array([pairs("cost_details")], pa.map_(pa.string(), pa.float64())),
    }
    table = pa.table(
        {n: [v] for n, v in BLOB.items() if n != "tool_definitions"}
        | {n: pa.array([t.replace(tzinfo=UTC)], when_) for n, t in times.items()}
        | maps
    )
    pq.write_table(table, tmp_path / "o.parquet")
    assert same(only(Source(tmp_path / "o.parquet")))

    # ... or text as bytes, if so set.
    texts = [n for n, v in BLOB.items() if isinstance(v, str) and n not in times]
    for name in texts:
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, table[name].cast(pa.binary()))
    pq.write_table(table, tmp_path / "bytes.parquet")
    assert same(only(Source(tmp_path / "bytes.parquet")))


@pytest.mark.parametrize(
    ("document", "kinds"),
    [
        (GENERATION, ["o-2"]),
        (BLOB, ["o-2"]),
        (TRACE, ["t-1"]),
        ({"data": [TRACE | {"scores": ["sc-1"], "observations": ["o-2"]}], "meta": {}}, ["t-1"]),
        ({"data": [GENERATION], "meta": {"cursor": "x"}}, ["o-2"]),
        (TRACE | {"observations": [GENERATION], "scores": []}, ["t-1", "o-2"]),
        ({"trace": TRACE, "observations": [GENERATION]}, ["t-1", "o-2"]),
        ({"id": "s-1", "createdAt": "2025-03-01", "traces": [TRACE]}, ["t-1"]),
        ({"data": [], "meta": {"page": 1, "limit": 50, "totalItems": 0, "totalPages": 0}}, []),
    ],
)
def test_documents_and_pages(tmp_path: Path, document: Any, kinds: list[str]) -> None:
    source = write_json(tmp_path / "document.json", document)

    assert LangfuseReader().sniff(read_head(source))
    reader = choose_reader(source)
    assert reader is not None
    assert reader.name == "langfuse"
    assert [record.span_id for record in read(source)] == kinds


def test_what_stands_in_a_trace_belongs_to_it(tmp_path: Path) -> None:
    bare = {"id": "o-1", "type": "SPAN", "startTime": "2025-03-01T10:00:00Z"}
    vote = {"id": "sc", "name": "thumb", "source": "API", "value": 1}
    document = TRACE | {"observations": [bare], "scores": [vote]}

    trace, observation, event = read(write_json(tmp_path / "t.json", document))

    assert trace.envelope
    assert (observation.trace_id, observation.parent_id) == ("t-1", None)
    assert (event.trace_id, event.span_id) == ("t-1", None)


def test_rows_of_langfuse_4_bring_the_traces_labels(tmp_path: Path) -> None:
    row = BLOB | {
        "trace_name": "chat",
        "user_id": "u-1",
        "session_id": "s-1",
        "tags": ["beta"],
        "release": "2025.3",
        "is_root_observation": True,
        # stored flat: the place, then the attribute's own dotted name
        "metadata": {
            "thread_id": "c-9",
            "attributes.gen_ai.operation.name": "chat",
            "resourceAttributes.service.name": "shop",
            "scope.name": "tracer",
        },
    }
    record = only(write_lines(tmp_path / "v4.jsonl", [row]))

    told = record.attributes
    assert told["langfuse.trace.name"] == "chat"
    assert told["langfuse.trace.tags"] == ["beta"]
    assert (told["session.id"], told["user.id"], told["langfuse.release"]) == (
        "s-1",
        "u-1",
        "2025.3",
    )
    assert told["langfuse.internal.is_app_root"] is True
    assert told["gen_ai.operation.name"] == "chat"
    assert told["langfuse.observation.metadata"] == {"thread_id": "c-9"}
    assert record.resource == {"service.name": "shop", "otel.scope.name": "tracer"}


def test_without_inputs_and_outputs_the_tool_columns_tell_the_calls(tmp_path: Path) -> None:
    row = BLOB | {
        "input": "",
        "output": "",
        "tool_calls": ['{"id":"c1","arguments":"{\\"q\\":1}","type":"function","index":0}'],
        "tool_call_names": ["search"],
    }
    record = only(write_lines(tmp_path / "o.jsonl", [row]))

    # {"q":1} is what the model wrote; Langfuse keeps the name in a column of its own
    call = {"id": "c1", "type": "function", "function": {"name": "search", "arguments": '{"q":1}'}}
    assert record.attributes["langfuse.observation.output"] == {
        "role": "assistant",
        "tool_calls": [call],
    }


@pytest.mark.parametrize(
    ("changed", "usage", "cost"),
    [
        ({"usage": {"input": 5, "output": 2, "total": 7, "unit": "TOKENS"}}, (5, 2, 7), None),
        ({"usage": {"input": 5, "output": 2, "total": 7, "unit": None}}, (5, 2, 7), None),
        ({"usage": {"input": 500, "output": 20, "unit": "CHARACTERS"}}, None, None),
        (
            {"usage": {"promptTokens": "5", "completionTokens": "2", "totalTokens": "7"}},
            (5, 2, 7),
            None,
        ),
        ({"promptTokens": 5, "completionTokens": 2, "totalTokens": 7}, (5, 2, 7), None),
        ({"inputUsage": 5, "outputUsage": 2, "totalUsage": 7}, (5, 2, 7), None),
        ({"usageDetails": '{"input":5,"output":2,"total":7}'}, (5, 2, 7), None),
        ({"usageDetails": {"input": 0, "output": 0, "total": 0}}, None, None),
        ({"calculatedTotalCost": 0.25}, None, {"total": 0.25}),
        (
            {"calculatedInputCost": 0.1, "calculatedOutputCost": 0.2},
            None,
            {"input": 0.1, "output": 0.2},
        ),
        ({"usage": {"inputCost": 0.1, "totalCost": 0.3}}, None, {"input": 0.1, "total": 0.3}),
        ({"totalCost": 0, "costDetails": {}}, None, None),
        ({"totalCost": "0.30"}, None, {"total": 0.3}),
    ],
)
def test_tokens_and_costs_of_every_age(
    tmp_path: Path,
    changed: dict[str, Any],
    usage: tuple[int, ...] | None,
    cost: dict[str, float] | None,
) -> None:
    before = {"usageDetails": None, "costDetails": None, "totalCost": None}
    told = span(tmp_path, **(before | changed)).attributes

    expected = dict(zip(("input", "output", "total"), usage, strict=True)) if usage else None
    assert told.get("langfuse.observation.usage_details") == expected
    assert told.get("langfuse.observation.cost_details") == cost


@pytest.mark.parametrize(
    "written",
    [
        "2025-03-01T10:00:00.250Z",
        "2025-03-01T11:00:00.250+01:00",
        "2025-03-01 10:00:00.250000",
        "2025-03-01T10:00:00.250",
        '"2025-03-01T10:00:00.250Z"',  # a date of the UI's CSV, quoted once more
        1740823200250,  # 2025-03-01T10:00:00Z is 1740823200 s since 1970
        "1740823200250",
        1740823200.25,
    ],
)
def test_times_however_they_are_written(tmp_path: Path, written: Any) -> None:
    assert span(tmp_path, startTime=written).start == datetime(2025, 3, 1, 10, 0, 0, 250000, UTC)


@pytest.mark.parametrize("nothing", ["", "null", "None", None])
def test_nothing_however_it_is_written(tmp_path: Path, nothing: str | None) -> None:
    record = span(
        tmp_path,
        parentObservationId=nothing,
        endTime=nothing,
        output=nothing,
        model=nothing,
        metadata=nothing,
        statusMessage=nothing,
    )
    assert record.parent_id is None
    assert record.end == record.start
    assert record.flags == {"unfinished_span"}
    assert "langfuse.observation.output" not in record.attributes
    assert "langfuse.observation.model.name" not in record.attributes
    assert record.resource == {}


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("plain words", "plain words"),
        ("42", "42"),  # an answer, not a number
        ('{"role": "user"}', {"role": "user"}),
        ('"{\\"role\\": \\"user\\"}"', {"role": "user"}),  # JSON text of JSON text
        ('"Say hello"', "Say hello"),
        ("{'query': 'example'}", {"query": "example"}),
        ("[see above]", "[see above]"),
        (0, 0),
        (False, False),
    ],
)
def test_inputs_are_opened_where_they_are_json(tmp_path: Path, cell: Any, value: Any) -> None:
    assert span(tmp_path, input=cell).attributes["langfuse.observation.input"] == value


@pytest.mark.parametrize(
    "cell",
    [
        {"tier": "gold"},
        '{"tier": "gold"}',
        '"{\\"tier\\": \\"gold\\"}"',
        dict(enumerate('{"tier": "gold"}')),  # a text spread into its characters
    ],
)
def test_metadata_however_it_is_written(tmp_path: Path, cell: Any) -> None:
    assert span(tmp_path, metadata=cell).attributes["langfuse.observation.metadata"] == {
        "tier": "gold"
    }


def test_errors_events_skew_and_what_lies_elsewhere(tmp_path: Path) -> None:
    failed = span(tmp_path, level="ERROR", statusMessage="boom")
    assert failed.failed
    assert failed.attributes["langfuse.observation.status_message"] == "boom"

    assert span(tmp_path, type="EVENT", endTime=None).flags == frozenset()
    backwards = span(tmp_path, endTime="2025-03-01T09:00:00Z")
    assert (backwards.end, backwards.flags) == (backwards.start, {"clock_skew"})

    media = "@@@langfuseMedia:type=application/json|id=m-1|source=field_size_limit@@@"
    moved = span(tmp_path, output=media)
    assert "langfuse.observation.output" not in moved.attributes
    assert moved.flags == {"content_elsewhere"}


def test_columns_of_the_future_are_kept(tmp_path: Path) -> None:
    told = span(tmp_path, serviceTier="flex").attributes
    assert told["langfuse.observation.serviceTier"] == "flex"


@pytest.mark.parametrize(
    ("changed", "value", "label", "comment", "correction"),
    [
        ({}, 0.5, None, "half right", None),
        ({"dataType": None}, 0.5, None, "half right", None),
        (
            {"dataType": "BOOLEAN", "value": 1, "stringValue": "True"},
            1.0,
            "True",
            "half right",
            None,
        ),
        ({"dataType": "BOOLEAN", "value": False}, 0.0, "False", "half right", None),
        # the number is the category's place in a list only where a configuration has one
        (
            {"dataType": "CATEGORICAL", "value": 0, "stringValue": "rude"},
            None,
            "rude",
            "half right",
            None,
        ),
        (
            {"dataType": "CATEGORICAL", "value": 2, "stringValue": "rude", "configId": "c"},
            2.0,
            "rude",
            "half right",
            None,
        ),
        ({"dataType": "CATEGORICAL", "value": "rude"}, None, "rude", "half right", None),
        (
            {"dataType": "TEXT", "value": 0, "stringValue": "too long"},
            None,
            None,
            "too long\nhalf right",
            None,
        ),
        (
            {"dataType": "CORRECTION", "value": 0, "stringValue": "It left.", "comment": None},
            None,
            None,
            None,
            "It left.",
        ),
        ({"dataType": "NUMERIC", "value": "0.5", "comment": ""}, 0.5, None, None, None),
    ],
)
def test_scores_of_every_type(
    tmp_path: Path,
    changed: dict[str, Any],
    value: float | None,
    label: str | None,
    comment: str | None,
    correction: str | None,
) -> None:
    event = score(tmp_path, **changed)

    assert event.name == "gen_ai.evaluation.result"
    assert event.time == datetime(2025, 3, 1, 11, tzinfo=UTC)
    told = event.attributes
    assert told["gen_ai.evaluation.name"] == "helpful"
    assert told.get("gen_ai.evaluation.score.value") == value
    assert told.get("gen_ai.evaluation.score.label") == label
    assert told.get("gen_ai.evaluation.explanation") == comment
    assert told.get("caselaw.score.correction") == correction


@pytest.mark.parametrize(
    ("source", "metadata", "expected"),
    [
        ("ANNOTATION", {}, "human"),
        ("EVAL", {}, "model"),
        ("API", {}, "user"),
        ("API", {"annotator_kind": "LLM"}, "model"),
        ("API", '{"source": "code"}', "code"),
    ],
)
def test_who_judged(tmp_path: Path, source: str, metadata: Any, expected: str) -> None:
    event = score(tmp_path, source=source, metadata=metadata)
    assert event.attributes["caselaw.score.source"] == expected


@pytest.mark.parametrize(
    ("changed", "trace", "observation", "session"),
    [
        ({}, "t-1", None, None),
        ({"observationId": "o-2"}, "t-1", "o-2", None),
        ({"traceId": None, "sessionId": "s-1"}, None, None, "s-1"),
        ({"traceId": "", "observationId": "", "sessionId": "s-1"}, None, None, "s-1"),
        ({"traceId": None, "subject": {"kind": "trace", "id": "t-2"}}, "t-2", None, None),
        (
            {"traceId": None, "subject": {"kind": "observation", "id": "o-2", "traceId": "t-2"}},
            "t-2",
            "o-2",
            None,
        ),
        ({"traceId": None, "subject": {"kind": "session", "id": "s-2"}}, None, None, "s-2"),
        ({"traceId": None, "datasetRunId": "r-1"}, None, None, None),
    ],
)
def test_what_a_score_is_on(
    tmp_path: Path,
    changed: dict[str, Any],
    trace: str | None,
    observation: str | None,
    session: str | None,
) -> None:
    event = score(tmp_path, **changed)
    assert (event.trace_id, event.span_id) == (trace, observation)
    assert event.attributes.get("session.id") == session


def test_a_score_on_nothing_says_how_to_ask_for_it(tmp_path: Path) -> None:
    record = only(write_json(tmp_path / "s.json", SCORE | {"traceId": None, "projectId": "p"}))
    assert isinstance(record, Malformed)
    assert record.reason == "no_target"
    assert "fields=subject" in record.detail


def test_scores_of_the_blob_export_as_csv(tmp_path: Path) -> None:
    row = {
        "id": "sc-1",
        "timestamp": "2025-03-01 11:00:00.000000",
        "project_id": "p-1",
        "environment": "production",
        "trace_id": "t-1",
        "observation_id": None,
        "session_id": None,
        "dataset_run_id": None,
        "name": "tone",
        "value": 0,
        "source": "ANNOTATION",
        "comment": None,
        "data_type": "CATEGORICAL",
        "string_value": "rude",
        "created_at": "2025-03-01 11:00:00.000000",
    }
    source = write_csv(tmp_path / "scores.csv", [row])

    assert LangfuseReader().sniff(read_head(source))
    assert only(source).attributes == {
        "gen_ai.evaluation.name": "tone",
        "gen_ai.evaluation.score.label": "rude",
        "caselaw.score.source": "human",
        "langfuse.score.id": "sc-1",
        "langfuse.environment": "production",
    }


def test_the_ui_writes_a_column_for_every_score_and_a_list_of_comments(tmp_path: Path) -> None:
    row = TRACE | {
        "usage": {"promptTokens": 16, "completionTokens": 3, "totalTokens": 19},
        "comments": [
            {"id": "k", "content": "Look at this one", "created_at": "2025-03-02T00:00:00Z"}
        ],
        "toxicity": [0.1, 0.3],
        "tone": ["rude"],
        "resolved": ["True"],
        "unused": None,
    }
    for source in (write_json(tmp_path / "t.json", [row]), write_csv(tmp_path / "t.csv", [row])):
        trace, comment, *columns = read(source)

        usage = trace.attributes["langfuse.observation.usage_details"]
        assert usage == {"input": 16, "output": 3, "total": 19}
        assert comment.attributes["gen_ai.evaluation.explanation"] == "Look at this one"
        assert comment.attributes["caselaw.score.source"] == "human"
        assert [
            (
                event.attributes["gen_ai.evaluation.name"],
                event.attributes.get("gen_ai.evaluation.score.value"),
                event.attributes.get("gen_ai.evaluation.score.label"),
                event.attributes.get("caselaw.score.source"),
                event.trace_id,
            )
            for event in columns
        ] == [
            ("toxicity", 0.1, None, None, "t-1"),
            ("toxicity", 0.3, None, None, "t-1"),
            ("tone", None, "rude", None, "t-1"),
            ("resolved", 1.0, "True", None, "t-1"),
        ]


def test_the_list_of_a_runs_files_is_no_trace(tmp_path: Path) -> None:
    manifest = {
        "version": 1,
        "projectId": "p-1",
        "exportSource": "TRACES_OBSERVATIONS",
        "window": {},
        "tables": ["scores"],
        "files": [],
    }
    source = write_json(tmp_path / "manifest.json", manifest)
    assert LangfuseReader().sniff(read_head(source))
    assert read(source) == []


def test_one_bad_row_leaves_its_neighbours_alone(tmp_path: Path) -> None:
    bad: list[Any] = [
        GENERATION | {"id": None},
        GENERATION | {"startTime": "yesterday"},
        GENERATION | {"startTime": None},
        GENERATION | {"startTime": 10**30},
        GENERATION | {"input": json.loads("[" * 300 + "]" * 300)},
        SCORE | {"name": {"not": "a name"}},
        {"id": "x", "createdAt": "2025-03-01"},
        7,
        "text",
        None,
    ]
    good = GENERATION | {"id": "good"}
    rows = [row for each in bad for row in (each, good)]

    records = read(write_lines(tmp_path / "o.jsonl", rows))

    assert [r.span_id for r in records[1::2]] == ["good"] * len(bad)
    assert [r.reason for r in records[::2]] == [
        "bad_span",
        "bad_span",
        "no_time",
        "bad_span",
        "too_deep",
        "bad_span",
        "unknown_row",
        "bad_row",
        "bad_row",
        "bad_row",
    ]
    assert not any("parcel" in r.detail for r in records[::2])


def test_a_bad_trace_leaves_its_observations_alone(tmp_path: Path) -> None:
    for document in (
        TRACE | {"timestamp": "?", "observations": [GENERATION], "scores": [SCORE]},
        {"trace": TRACE | {"timestamp": "?"}, "observations": [GENERATION], "scores": [SCORE]},
    ):
        trace, observation, event = read(write_json(tmp_path / "t.json", document))
        assert isinstance(trace, Malformed)
        assert observation.span_id == "o-2"
        assert event.trace_id == "t-1"


def test_a_day_given_by_hand_dates_what_has_no_time(tmp_path: Path) -> None:
    path = write_json(tmp_path / "o.json", GENERATION | {"startTime": None}).path
    record = only(Source(path, day=date(2025, 3, 1)))
    assert record.start == datetime(2025, 3, 1, tzinfo=UTC)
    assert record.flags == {"untimed"}


def test_text_of_any_kind_survives_being_written_again(tmp_path: Path) -> None:
    odd = json.dumps({"half": "\ud800", "nul": "\x00", "n": 10**30, "nan": float("nan")})
    asked = span(tmp_path, input=odd).attributes["langfuse.observation.input"]

    assert asked == {"half": "\ufffd", "nul": "\x00", "n": str(10**30), "nan": None}
    assert canonical_json(asked)


@pytest.mark.parametrize(
    "foreign",
    [
        {"id": "1", "timestamp": "x", "user_id": "u", "session_id": "s", "messages": []},
        {"id": "1", "trace_id": "t", "run_type": "llm", "start_time": "x", "name": "n"},
        {"name": "n", "source": "web", "value": 3},
        {"data": [{"id": 1}], "meta": {}},
        {"messages": [{"role": "user", "content": "x"}]},
    ],
)
def test_other_formats_are_left_to_others(tmp_path: Path, foreign: Any) -> None:
    assert not LangfuseReader().sniff(read_head(write_json(tmp_path / "f.json", foreign)))


def test_a_first_row_larger_than_the_head_is_still_known(tmp_path: Path) -> None:
    long = "x" * 400_000
    for document in (
        [BLOB | {"input": long}],
        {"trace": TRACE | {"input": long}, "observations": [GENERATION]},
        {"data": [GENERATION | {"input": long}], "meta": {}},
    ):
        source = write_json(tmp_path / "long.json", document)
        assert LangfuseReader().sniff(read_head(source))
        assert not any(isinstance(record, Malformed) for record in read(source))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from([GENERATION, BLOB, TRACE, SCORE]), st.data())
def test_no_value_of_a_column_is_fatal(
    tmp_path_factory: pytest.TempPathFactory, row: dict[str, Any], data: st.DataObject
) -> None:
    changed = data.draw(st.dictionaries(st.sampled_from(sorted(row)), json_values, max_size=4))
    path = tmp_path_factory.getbasetemp() / "any.json"

    records = read(write_json(path, [row | changed, GENERATION]))

    assert records[-1].span_id == "o-2"
    assert len(records) == 2
