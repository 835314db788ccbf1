"""The short way for plain traces says what the long way says, and knows when to stand back."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pipeline.ingest.readers import choose_reader
from pipeline.ingest.records import Span
from pipeline.ingest.source import Source
from pipeline.ingest.traces.plain import plain_trace
from pipeline.ingest.traces.spans import trace_of_spans
from tests.bench.traffic import write_spans

_ODD: list[Any] = [None, "", "null", "[]", "{}", 0, 7, -1, True, [], {}, "Error: no", "[1]", "x"]


def traces_of(path: Path) -> list[list[Span]]:
    source = Source(path)
    reader = choose_reader(source)
    assert reader is not None
    found: dict[str, list[Span]] = defaultdict(list)
    for record in reader.read(source):
        if isinstance(record, Span):
            found[record.trace_id].append(record)
    return list(found.values())


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> list[list[Span]]:
    path = tmp_path_factory.mktemp("traffic") / "spans.jsonl"
    write_spans(path, 400)
    return traces_of(path)


def test_plain_traces_are_the_same_either_way(traffic: list[list[Span]]) -> None:
    assert len(traffic) == 40
    for spans in traffic:
        short = plain_trace(spans, source="otlp_json")
        assert short is not None
        assert short == trace_of_spans(spans, source="otlp_json")


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_whatever_is_changed_the_short_way_agrees_or_stands_back(
    traffic: list[list[Span]], data: st.DataObject
) -> None:
    spans = list(traffic[data.draw(st.integers(0, 4))])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(spans) - 1))
        spans[at] = changed(spans, at, data)
    short = plain_trace(spans, source="otlp_json")
    if short is not None:
        long = trace_of_spans(spans, source="otlp_json")
        differing = [n for n in long.__struct_fields__ if getattr(short, n) != getattr(long, n)]
        assert differing == []


def changed(spans: list[Span], at: int, data: st.DataObject) -> Span:
    """A span with one thing about it made different."""
    span, other = spans[at], spans[data.draw(st.integers(0, len(spans) - 1))]
    match data.draw(st.sampled_from(["drop", "odd", "swap", "parent", "time", "failed", "event"])):
        case "drop" if span.attributes:
            gone = data.draw(st.sampled_from(sorted(span.attributes)))
            kept = {k: v for k, v in span.attributes.items() if k != gone}
            return replace(span, attributes=kept)
        case "odd" if span.attributes:
            names = sorted({*span.attributes, "session.id", "llm.cost.total"})
            odd = {data.draw(st.sampled_from(names)): data.draw(st.sampled_from(_ODD))}
            return replace(span, attributes={**span.attributes, **odd})
        case "swap":
            return replace(span, attributes=other.attributes)
        case "parent":
            parent = data.draw(st.sampled_from([None, "00000000000000ff", other.span_id]))
            return replace(span, parent_id=parent)
        case "time":
            moved = timedelta(seconds=data.draw(st.integers(-60, 60)))
            return replace(span, start=span.start + moved, end=span.end + moved)
        case "failed":
            return replace(span, failed=True)
        case _:
            return replace(span, events=(("exception", {"exception.type": "TimeoutError"}),))
