"""Reads Langfuse's exports: files of its UI and of the blob export, and answers of its API.

Names checked at the source, langfuse/langfuse: the API's definition (`fern/apis/server`), the
tables' UI export (`worker/src/features/database-read-stream`), the blob export's field groups
(`packages/shared/src/domain/observation-field-groups.ts`), how OpenTelemetry spans are taken in
(`packages/shared/src/server/otel`), and the page "Blob Storage Export Field Reference".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.ingest.content import as_id
from pipeline.ingest.jsontext import malformed
from pipeline.ingest.readers.cells import unreadable
from pipeline.ingest.readers.head import Head
from pipeline.ingest.readers.langfuse.columns import MANIFEST, kind_of, row_of, said, spelled_in
from pipeline.ingest.readers.langfuse.scores import NoTarget, beside, score_of
from pipeline.ingest.readers.langfuse.spans import observation_of, trace_of
from pipeline.ingest.readers.rows import read_rows
from pipeline.ingest.records import Event, Malformed, Span
from pipeline.ingest.source import Source

__all__ = ["LangfuseReader"]

_ERRORS = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
_DOCUMENT = re.compile(r'\s*\[?\s*\{\s*"(trace|observations)"\s*:\s*[\[{]')
_Records = Iterator[Span | Event | Malformed]


class LangfuseReader:
    """Reads traces, observations and scores: JSON, JSON lines, CSV, Parquet, or pages of the API.

    A trace is a span of its own (`envelope`), an observation a span, a score an event. They are
    joined on their ids later, in whichever files they lie.
    """

    name = "langfuse"

    def sniff(self, head: Head) -> bool:
        """Rows with Langfuse's columns, alone, on a page, or under `trace` and `observations`."""
        if head.columns:
            return kind_of(spelled_in(head.columns.__contains__)) is not None
        if head.first:
            return _is_langfuse(head.first)
        if head.container != "json":
            return False
        has = spelled_in(lambda name: head.has(name))  # the first object is larger than the head
        if _DOCUMENT.match(head.text):
            return has("timestamp") or has("start_time")
        return has("trace_id") and has("parent_observation_id") and has("type")

    def read(self, source: Source) -> _Records:
        """Yield what the file holds; one bad row leaves the others alone."""
        for text in read_rows(source):
            if isinstance(text, Malformed):
                yield text
                continue
            for record in _records(text.value, source, text.offset, None):
                yield _flagged(record) if text.repaired else record


def _is_langfuse(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    if all(name in value for name in MANIFEST):
        return True
    trace, rows = value.get("trace"), value.get("observations")
    if isinstance(trace, Mapping) and isinstance(rows, list):
        return kind_of(row_of(trace).__contains__) == "trace" or any(map(_is_langfuse, rows[:1]))
    for name in ("data", "traces"):
        if isinstance(page := value.get(name), list) and page:
            return _is_langfuse(page[0])
    return kind_of(row_of(value).__contains__) is not None


def _records(value: Any, source: Source, offset: int, trace_id: str | None) -> _Records:
    """Everything in a row, a page, a session's or a trace's document, each record on its own."""
    if isinstance(value, list):
        for item in value:
            yield from _records(item, source, offset, trace_id)
    elif not isinstance(value, Mapping):
        yield unreadable(TypeError(), value, offset, "bad_row")
    elif all(name in value for name in MANIFEST):
        return  # the blob export's list of the files of a run
    elif isinstance(value.get("trace"), Mapping) and isinstance(value.get("observations"), list):
        yield from _row(value["trace"], source, offset, None)
        trace_id = as_id(value["trace"].get("id"))
        for name in ("observations", "scores"):
            yield from _nested(value.get(name), source, offset, trace_id)
    elif isinstance(value.get("data"), list) and "id" not in value:
        yield from _records(value["data"], source, offset, trace_id)
    elif isinstance(value.get("traces"), list):
        yield from _records(value["traces"], source, offset, trace_id)
    else:
        yield from _row(value, source, offset, trace_id)


def _row(record: Mapping[str, Any], source: Source, offset: int, trace_id: str | None) -> _Records:
    try:
        row = row_of(record)
        kind = kind_of(row.__contains__)
        if kind == "score":
            yield score_of(row, trace_id)
            return
        if kind is None:
            detail = "neither a trace, an observation nor a score of Langfuse"
            yield malformed(
                "unknown_row", detail, unreadable(TypeError(), record, 0).payload, offset
            )
            return
        span = trace_of(row, source) if kind == "trace" else observation_of(row, source, trace_id)
        found = [span, *beside(row, span)]
    except NoTarget as error:
        payload = unreadable(error, record, 0).payload
        detail = "a score that names nothing it is on; ask the API with fields=subject"
        yield malformed("no_target", detail, payload, offset)
        return
    except _ERRORS as error:
        yield unreadable(error, record, offset)
        return
    yield from found
    if kind == "trace":
        for name in ("observations", "scores"):
            yield from _nested(row.get(name), source, offset, span.trace_id)


def _nested(rows: Any, source: Source, offset: int, trace_id: str | None) -> _Records:
    """Rows within a trace; the list of traces has only their ids there."""
    listed = said(rows)
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, Mapping):
            yield from _row(item, source, offset, trace_id)


def _flagged(record: Span | Event | Malformed) -> Span | Event | Malformed:
    from msgspec.structs import replace

    if isinstance(record, Span):
        return replace(record, flags=record.flags | {"invalid_utf8"})
    return record
