"""Cells of exports: times in every unit, text of structures, and values JSON cannot hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.readers import Reader
from pipeline.ingest.readers.cells import duration, moment, number, opened, plain
from pipeline.ingest.readers.langsmith import LangSmithReader
from pipeline.ingest.readers.mlflow import MlflowReader
from pipeline.ingest.readers.phoenix import PhoenixReader
from pipeline.ingest.readers.tables import INDEX, rows_in
from pipeline.ingest.records import Event, Malformed, Span
from pipeline.ingest.source import Source

NINE = datetime(2026, 11, 2, 9, 0, 0, 123456, UTC)  # 1793610000.123456 seconds since 1970


@pytest.mark.parametrize(
    "cell",
    [
        NINE,
        NINE.replace(tzinfo=None),
        "2026-11-02T09:00:00.123456Z",
        "2026-11-02T09:00:00.123456789Z",
        "2026-11-02 10:00:00.123456+01:00",
        "2026-11-02 09:00:00.123456",
        "1793610000.123456",
        1793610000.123456,
        Decimal("1793610000123.456"),
        1793610000123456,
        1793610000123456789,
        "1793610000123456789",
    ],
)
def test_one_moment_however_written(cell: Any) -> None:
    assert moment(cell) == NINE


@pytest.mark.parametrize("cell", [None, "", "NaT", "nan", float("nan")])
def test_no_moment(cell: Any) -> None:
    assert moment(cell) is None


_NONSENSE: list[Any] = ["yesterday", True, [], {}, 10**30, float("inf"), "1e400"]


@pytest.mark.parametrize("cell", _NONSENSE)
def test_nonsense_is_no_moment(cell: Any) -> None:
    with pytest.raises((ValueError, OverflowError)):
        moment(cell)


def test_durations() -> None:
    assert duration(1500) == duration("1.5s") == duration("1500") == timedelta(seconds=1.5)
    assert duration(None) is None


_CELLS: list[tuple[Any, Any]] = [
    ('{"a": [1]}', {"a": [1]}),
    ("{'a': [1, None, True]}", {"a": [1, None, True]}),
    ('{"a": NaN}', {"a": None}),
    ("[not a list", "[not a list"),
    ("{'a': f()}", "{'a': f()}"),
    ("[array([1])]", "[array([1])]"),
    ("7", "7"),
    ("true", "true"),
    (Decimal("0.5"), 0.5),
    (date(2026, 11, 2), "2026-11-02"),
    ([("key", b"\xff")], [["key", "\ufffd"]]),
]


@pytest.mark.parametrize(("cell", "value"), _CELLS)
def test_what_a_cell_holds(cell: Any, value: Any) -> None:
    assert opened(cell) == value


def test_numbers() -> None:
    cells: list[Any] = ["1.5", True, Decimal(2), "x", None, "nan", "1e400", []]
    assert [number(cell) for cell in cells] == [1.5, 1.0, 2.0, None, None, None, None, None]


def test_nesting_has_an_end() -> None:
    deep: Any = 1
    for _ in range(201):
        deep = [deep]
    with pytest.raises(RecursionError):
        plain(deep)


_leaf = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(), max_size=8),
    st.decimals(),
    st.datetimes(),
    st.binary(max_size=4),
)
_value = st.recursive(
    _leaf,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(_value)
def test_plain_values_are_what_json_can_hold(value: Any) -> None:
    once = plain(value)
    # orjson refuses what is no JSON; NaN it would write as null.
    assert orjson.loads(orjson.dumps(once)) == once
    assert plain(once) == once


def test_rows_of_pages_and_of_data_frames() -> None:
    assert list(rows_in({"runs": [1, 2], "cursors": {}}, ["items", "runs"])) == [1, 2]
    assert list(rows_in([1, 2], [])) == [1, 2]
    assert list(rows_in({"a": 1}, ["runs"])) == [{"a": 1}]
    assert list(rows_in({"columns": ["a"], "index": ["x", "y"], "data": [[1], 7]}, [])) == [
        {"a": 1, INDEX: "x"},
        7,
    ]
    frame = {"a": {"x": 1, "y": 2}, "b": {"y": 3}}
    assert list(rows_in(frame, [], ["a"])) == [
        {INDEX: "x", "a": 1},
        {INDEX: "y", "a": 2, "b": 3},
    ]


_NAMES = {
    "langsmith": ("id trace_id run_type start_time end_time inputs outputs extra error run_id key "
                  "feedback_source score dotted_order parent_run_ids child_runs prompt_tokens"),
    "phoenix": ("context context.span_id context.trace_id start_time attributes events span_kind "
                "attributes.llm.input_messages annotator_kind result span_id eval.a.label status"),
    "mlflow": ("info data trace_id trace_metadata tags spans assessments request_time attributes "
               "start_time_unix_nano span_id trace state execution_duration"),
}  # fmt: skip
_known = _value | st.sampled_from(["2026-11-02T09:00:00Z", "a" * 16, "{}", "[[", 1793610000123])


def _rows(names: str) -> st.SearchStrategy[Any]:
    keys = st.sampled_from(names.split())
    row = st.dictionaries(keys, _known, max_size=8)
    return st.lists(row | st.dictionaries(keys, row | st.lists(row, max_size=2), max_size=4))


@pytest.mark.parametrize("reader", [LangSmithReader(), PhoenixReader(), MlflowReader()])
def test_no_row_stops_a_reader(reader: Reader, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    encode: Callable[[Any], bytes] = msgspec.msgpack.Encoder().encode

    @given(_rows(_NAMES[reader.name]))
    def check(rows: list[Any]) -> None:
        path.write_text("".join(json.dumps(row, default=str) + "\n" for row in rows))
        for record in reader.read(Source(Path(path))):
            assert isinstance(record, Span | Event | Malformed)
            encode(record)
            if isinstance(record, Span | Event):
                orjson.dumps(dict(record.attributes))

    check()
