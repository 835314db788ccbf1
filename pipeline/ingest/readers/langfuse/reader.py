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

from msgspec.structs import replace

from pipeline.ingest.content import as_id
from pipeline.ingest.readers.cells import unreadable
from pipeline.ingest.readers.head import Head
from pipeline.ingest.readers.langfuse.columns import MANIFEST, kind_of, row_of, spelled_in
from pipeline.ingest.readers.langfuse.scores import NoTarget, beside, score_of
from pipeline.ingest.readers.langfuse.spans import observation_of, trace_of
from pipeline.ingest.readers.rows import read_rows
from pipeline.ingest.records import Event, Malformed, Span
from pipeline.ingest.source import Source

__all__ = ["LangfuseReader"]

_ERRORS = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
_DOCUMENT = re.compile(r'\s*\[?\s*\{\s*"(trace|observations)"\s*:\s*[\[{]')
_PAGE = ("page", "limit", "totalItems", "totalPages")
_Records = Iterator[Span | Event | Malformed]


class UnknownRow(ValueError):
    """A row of another table."""


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
            return has("project_id") or has("bookmarked") or has("parent_observation_id")
        return has("trace_id") and has("parent_observation_id") and has("type")

    def read(self, source: Source) -> _Records:
        """Yield what the file holds; one bad row leaves the others alone."""
        for text in read_rows(source):
            if isinstance(text, Malformed):
                yield text
                continue
            for record in _records(text.value, source, text.offset):
                if text.repaired and isinstance(record, Span):
                    record = replace(record, flags=record.flags | {"invalid_utf8"})
                yield record


def _is_langfuse(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    if all(name in value for name in MANIFEST):
        return True
    trace, rows = value.get("trace"), value.get("observations")
    if isinstance(trace, Mapping) and isinstance(rows, list):
        return "timestamp" in trace or any(map(_is_langfuse, rows[:1]))
    page, meta = value.get("data", value.get("traces")), value.get("meta")
    if isinstance(page, list) and page:
        return _is_langfuse(page[0])
    if page == [] and isinstance(meta, Mapping):
        return all(name in meta for name in _PAGE)
    return kind_of(row_of(value).__contains__) is not None


def _records(value: Any, source: Source, offset: int) -> _Records:
    """Everything in a row, a page, a session's or a trace's document, each record on its own."""
    if isinstance(value, list):
        for item in value:
            yield from _records(item, source, offset)
    elif not isinstance(value, Mapping):
        yield unreadable(TypeError(), value, offset, "bad_row")
    elif all(name in value for name in MANIFEST):
        return  # the blob export's list of the files of a run
    elif isinstance(value.get("trace"), Mapping) and isinstance(value.get("observations"), list):
        trace_id = as_id(value["trace"].get("id"))
        yield from _row(value["trace"], source, offset, None, "trace")
        yield from _nested(value, source, offset, trace_id)
    elif isinstance(value.get("data"), list) and "id" not in value:
        yield from _records(value["data"], source, offset)
    elif isinstance(value.get("traces"), list):
        for trace in value["traces"]:
            yield from _row(trace, source, offset, None, "trace")
    else:
        yield from _row(value, source, offset, None, None)


def _row(
    record: Any, source: Source, offset: int, trace_id: str | None, kind: str | None
) -> _Records:
    """The records of one row: itself, what is said of it, and the rows nested in it."""
    try:
        row = row_of(record)
        kind = kind or kind_of(row.__contains__)
        match kind:
            case "score":
                found: list[Span | Event] = [score_of(row, trace_id)]
            case "trace":
                span = trace_of(row, source)
                found = [span, *beside(row, span)]
            case "observation":
                span = observation_of(row, source, trace_id)
                found = [span, *beside(row, span)]
            case _:
                raise UnknownRow
    except _ERRORS as error:
        yield _malformed(error, record, offset)
    else:
        yield from found
    if kind == "trace" and isinstance(record, Mapping):
        yield from _nested(record, source, offset, as_id(record.get("id")))


def _nested(
    document: Mapping[str, Any], source: Source, offset: int, trace_id: str | None
) -> _Records:
    """Observations and scores within a trace; a list of traces has only their ids there."""
    for name, kind in (("observations", "observation"), ("scores", "score")):
        rows = document.get(name)
        for row in rows if isinstance(rows, list) else ():
            if not isinstance(row, str):
                yield from _row(row, source, offset, trace_id, kind)


def _malformed(error: Exception, record: Any, offset: int) -> Malformed:
    bad = unreadable(error, record, offset)
    if isinstance(error, UnknownRow):
        detail = "neither a trace, an observation nor a score of Langfuse"
        return replace(bad, reason="unknown_row", detail=detail)
    if isinstance(error, NoTarget):
        detail = "a score that names nothing it is on; ask the API with fields=subject"
        return replace(bad, reason="no_target", detail=detail)
    return bad
