"""Exports of LangSmith: runs and feedback, from its API, its bulk export or its SDK.

Names checked at the source: langsmith 0.14 (`schemas.Run`, `schemas.Feedback`, its OpenTelemetry
exporter), the pages "Run data format", "Feedback data format" and "Bulk export", and the API's
second version (upper-case run types, `parent_run_ids`, `metadata`, details under `raw`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.ingest.content import as_id
from pipeline.ingest.readers.cells import interval, number, opened, unreadable
from pipeline.ingest.readers.head import Head
from pipeline.ingest.readers.langsmith_feedback import feedback_of
from pipeline.ingest.readers.rows import read_rows
from pipeline.ingest.readers.tables import rows_in
from pipeline.ingest.records import Event, Malformed, Span
from pipeline.ingest.source import Source

__all__ = ["LangSmithReader"]

_PAGES = ("runs", "items", "feedback")
_FEEDBACK = ("feedback_source", "feedback_source_type", "feedback_source.type")
_RUN_TOO = ("trace_id", "dotted_order", "parent_run_id", "parent_run_ids", "start_time")
_COSTS = ("total_cost", "prompt_cost", "completion_cost")
_KEPT = ("reference_example_id", "in_dataset", "is_in_dataset", "feedback_stats", "status")
_ERRORS = (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)


class LangSmithReader:
    """Reads runs and feedback as JSON, JSON lines, API pages, CSV or Parquet."""

    name = "langsmith"

    def sniff(self, head: Head) -> bool:
        """Rows with a run's type, or with the source of feedback."""
        first = next(iter(rows_in(head.first, _PAGES)), None)
        if not isinstance(first, Mapping) or not first:
            return _is_row(head.has)
        return _is_row(lambda *names: all(name in first for name in names))

    def read(self, source: Source) -> Iterator[Span | Event | Malformed]:
        """Yield a span for every run, nested ones too, and an event for every feedback."""
        for text in read_rows(source):
            if isinstance(text, Malformed):
                yield text
                continue
            waiting = list(rows_in(text.value, _PAGES))[::-1]
            while waiting:
                row = waiting.pop()
                try:
                    if any(name in row for name in _FEEDBACK) and "run_type" not in row:
                        yield feedback_of(row)
                        continue
                    children = opened(row.get("child_runs"))
                    if isinstance(children, list):
                        waiting += children[::-1]
                    yield _run(row, source, text.repaired)
                except _ERRORS as error:
                    yield unreadable(error, row, text.offset)


def _is_row(has: Any) -> bool:
    if has("run_type"):
        return any(has(name) for name in _RUN_TOO)
    return has("key") and any(has(name) for name in _FEEDBACK)


def _run(row: Mapping[str, Any], source: Source, repaired: bool) -> Span:
    path = _path(row)
    span_id = as_id(row.get("id")) or path[-1]
    trace_id, parent_id = _place(row, path, span_id)
    start, end, flags = interval(row.get("start_time"), row.get("end_time"), source)
    error = row.get("error") or None
    attributes, elsewhere = _attributes(row)
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=parent_id,
        name=str(row.get("name") or ""),
        start=start,
        end=end,
        failed=error is not None or str(row.get("status")).lower() == "error",
        attributes=attributes,
        # What LangSmith calls a session is the project.
        resource=_named({"service.name": row.get("session_name")}),
        flags=flags
        | ({"content_elsewhere"} if elsewhere else set())
        | ({"invalid_utf8"} if repaired else set()),
    )


def _path(row: Mapping[str, Any]) -> list[str]:
    """Ids from the root to the run: `dotted_order` is `<time>Z<id>.<time>Z<id>`."""
    order = row.get("dotted_order")
    if not isinstance(order, str) or not order:
        return []
    return [part.partition("Z")[2] for part in order.split(".") if "Z" in part]


def _place(row: Mapping[str, Any], path: list[str], span_id: str) -> tuple[str, str | None]:
    """The run's trace and its parent."""
    above = opened(row.get("parent_run_ids"))
    above = [str(name) for name in above] if isinstance(above, list) else []
    parent = as_id(row.get("parent_run_id"))
    if parent is None and len(path) > 1:
        parent = path[-2]
    elif parent is None and above:
        parent = above[-1]
    trace = as_id(row.get("trace_id")) or next(iter([*path, *above]), None)
    if trace is None:
        if parent is not None:
            raise ValueError("a child without its trace")
        trace = span_id
    return trace, parent


def _attributes(row: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """A run under the names of LangSmith's OpenTelemetry export; whether content is elsewhere."""
    inputs, outputs = opened(row.get("inputs")), opened(row.get("outputs"))
    extra = _mapping(row.get("extra"))
    metadata = {**_mapping(extra.get("metadata")), **_mapping(row.get("metadata"))}
    usage = _usage(row, outputs, metadata.pop("usage_metadata", None))
    parameters = _mapping(extra.get("invocation_params"))
    metadata.setdefault("ls_model_name", parameters.get("model") or parameters.get("model_name"))
    for name, told in (
        ("tool_call_id", extra.get("tool_call_id")),
        ("thread_id", row.get("thread_id")),
    ):
        metadata.setdefault(name, told)
    kind = row.get("run_type")
    told = {
        "langsmith.span.kind": kind.lower() if isinstance(kind, str) else None,
        "langsmith.trace.session_name": row.get("session_name"),
        "langsmith.inputs": inputs,
        "langsmith.outputs": outputs,
        "langsmith.error": row.get("error") if isinstance(row.get("error"), str) else None,
        "langsmith.usage_metadata": usage,
        "langsmith.span.tags": opened(row.get("tags")),
        "langsmith.span.runtime": _mapping(extra.get("runtime")),
        "langsmith.invocation_params": parameters,
        **{f"langsmith.{name}": number(row.get(name)) for name in _COSTS},
        **{f"langsmith.{name}": opened(row.get(name)) for name in _KEPT},
        **{f"langsmith.metadata.{name}": value for name, value in metadata.items()},
    }
    elsewhere = any(
        not said and opened(row.get(f"{side}_s3_urls"))
        for side, said in (("inputs", inputs), ("outputs", outputs))
    )
    return _named(told), elsewhere


def _usage(row: Mapping[str, Any], outputs: Any, given: Any) -> Mapping[str, Any]:
    """LangChain's `usage_metadata`: what the run says itself before LangSmith's own columns.

    The columns of a run above others hold the sum of those below it.
    """
    model = str(row.get("run_type")).lower() == "llm"
    said = _usage_of_answer(outputs) if model and isinstance(outputs, Mapping) else None
    for usage in (said, given):
        if isinstance(usage, Mapping) and usage:
            return usage
    counts = {
        "input_tokens": number(row.get("prompt_tokens")),
        "output_tokens": number(row.get("completion_tokens")),
        "total_tokens": number(row.get("total_tokens")),
    }
    usage = {name: int(count) for name, count in counts.items() if count is not None}
    if not any(usage.values()):
        return {}
    for name, column in (
        ("input_token_details", "prompt_token_details"),
        ("output_token_details", "completion_token_details"),
    ):
        details = _mapping(row.get(column))
        if details:
            usage[name] = _mapping(details["raw"]) if "raw" in details else details
    return usage


def _usage_of_answer(outputs: Mapping[str, Any]) -> Any:
    """Usage within a model's answer: beside it, on its message, or as LangChain's `LLMResult`."""
    generation = outputs.get("generations")
    while isinstance(generation, list) and generation:
        generation = generation[0]
    messages = outputs.get("messages")
    held = [
        outputs,
        _mapping(generation).get("message"),
        messages[-1] if isinstance(messages, list) and messages else None,
        outputs.get("output"),
        outputs.get("llm_output"),
    ]
    for holder in held:
        message = _mapping(holder)
        message = _mapping(message.get("kwargs")) or message
        for name in ("usage_metadata", "token_usage"):
            if isinstance(message.get(name), dict) and message[name]:
                return message[name]
    return None


def _mapping(cell: Any) -> dict[str, Any]:
    value = opened(cell)
    return value if isinstance(value, dict) else {}


def _named(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}
