"""Observations and traces of Langfuse as spans, under Langfuse's own OpenTelemetry names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pipeline.ingest.content import as_id
from pipeline.ingest.readers.cells import interval, number
from pipeline.ingest.readers.langfuse.amounts import costs_of, usage_of
from pipeline.ingest.readers.langfuse.columns import Row, is_known, mapping, said
from pipeline.ingest.readers.langfuse.metadata import metadata_of
from pipeline.ingest.records import Span
from pipeline.ingest.source import Source

__all__ = ["observation_of", "trace_of"]

_OBSERVATION, _TRACE = "langfuse.observation.", "langfuse.trace."
_LONGEST = 100 * 24 * 3600.0  # seconds; a longer trace is a wrong number
# Stands in place of an input or output that was too large for a row of Langfuse's.
_ELSEWHERE = ("@@@langfuseMedia:", "source=field_size_limit")


def observation_of(row: Row, source: Source, trace_id: str | None = None) -> Span:
    """One observation.

    Args:
        row: under the names of `columns`.
        source: for the day, where the row has no time.
        trace_id: of the document that the row stands in.

    Raises:
        KeyError, TypeError, ValueError, OverflowError, RecursionError: it is not as one should be.
    """
    span_id = _required(row, "id")
    start, end, flags = interval(said(row.get("start_time")), said(row.get("end_time")), source)
    kind = (_text(row, "type") or "").lower()
    if kind == "event":  # a point in time has no end
        flags -= {"unfinished_span"}
    metadata = metadata_of(row.get("metadata"))
    asked, missing_input = _content(row.get("input"))
    answer, missing_output = _content(row.get("output"))
    calls = _tool_calls(row)
    if answer is None and calls:  # an export without inputs and outputs still shows the calls
        answer = {"role": "assistant", "tool_calls": calls}
    level = (_text(row, "level") or "").upper()
    told = {
        "type": kind,
        "input": asked,
        "output": answer,
        "model.name": _text(row, "model") or _text(row, "provided_model_name"),
        "model.parameters": mapping(row.get("model_parameters")),
        "usage_details": usage_of(row),
        "cost_details": costs_of(row),
        "level": level,
        "status_message": _text(row, "status_message"),
        "completion_start_time": _text(row, "completion_start_time"),
        "prompt.name": _text(row, "prompt_name"),
        "prompt.version": said(row.get("prompt_version")),
        "metadata": metadata.own,
        "tool_calls": calls,
        "tool_definitions": mapping(row.get("tool_definitions")),
    }
    root = said(row.get("is_root_observation"))
    whole = {
        f"{_TRACE}name": _text(row, "trace_name"),
        f"{_TRACE}tags": said(row.get("tags")),
        "langfuse.internal.is_app_root": root in (True, "true", 1, "1") or None,
    }
    attributes = {f"{_OBSERVATION}{name}": value for name, value in told.items()}
    attributes |= _unknown(row, _OBSERVATION)
    return Span(
        trace_id=_text(row, "trace_id") or trace_id or span_id,
        span_id=span_id,
        parent_id=_text(row, "parent_observation_id"),
        name=_text(row, "name") or "",
        start=start,
        end=end,
        failed=level == "ERROR",
        attributes={**metadata.attributes, **_filled(attributes | whole | _labels(row))},
        resource=metadata.resource,
        flags=flags | ({"content_elsewhere"} if missing_input or missing_output else set()),
    )


def trace_of(row: Row, source: Source) -> Span:
    """The row about a trace as a whole; its usage and costs, where it has any, are sums.

    Args:
        row: under the names of `columns`.
        source: for the day, where the row has no time.

    Raises:
        KeyError, TypeError, ValueError, OverflowError, RecursionError: it is not as one should be.
    """
    trace_id = _required(row, "id")
    start, _, flags = interval(said(row.get("timestamp")), None, source)
    seconds = number(row.get("latency"))
    lasts = seconds if seconds is not None and 0 <= seconds < _LONGEST else 0.0
    metadata = metadata_of(row.get("metadata"))
    asked, missing_input = _content(row.get("input"))
    answer, missing_output = _content(row.get("output"))
    told = {
        f"{_TRACE}name": _text(row, "name"),
        f"{_TRACE}input": asked,
        f"{_TRACE}output": answer,
        f"{_TRACE}tags": said(row.get("tags")),
        f"{_TRACE}metadata": metadata.own,
        f"{_TRACE}level": _text(row, "level"),
        f"{_OBSERVATION}usage_details": usage_of(row),
        f"{_OBSERVATION}cost_details": costs_of(row),
        **_unknown(row, _TRACE),
    }
    return Span(
        trace_id=trace_id,
        span_id=trace_id,
        parent_id=None,
        name=_text(row, "name") or "",
        start=start,
        end=start + timedelta(seconds=lasts),
        failed=False,
        attributes={**metadata.attributes, **_filled(told | _labels(row))},
        resource=metadata.resource,
        flags=flags - {"unfinished_span"}
        | ({"content_elsewhere"} if missing_input or missing_output else set()),
        envelope=True,
    )


def _required(row: Row, name: str) -> str:
    value = as_id(said(row.get(name)))
    if value is None:
        raise KeyError(name)
    return value


def _text(row: Row, name: str) -> str | None:
    return as_id(said(row.get(name)))


def _labels(row: Row) -> dict[str, Any]:
    return {
        "session.id": _text(row, "session_id"),
        "user.id": _text(row, "user_id"),
        "langfuse.environment": _text(row, "environment"),
        "langfuse.release": _text(row, "release"),
        "langfuse.version": _text(row, "version"),
    }


def _unknown(row: Row, prefix: str) -> dict[str, Any]:
    """Columns that Langfuse did not have yet; a list may be the scores of one name."""
    unknown = {prefix + n: said(v) for n, v in row.items() if not is_known(n)}
    return {name: value for name, value in unknown.items() if not isinstance(value, list)}


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {n: v for n, v in values.items() if v is not None and v != {} and v != [] and v != ""}


def _content(cell: Any) -> tuple[Any, bool]:
    """An input or output, and whether Langfuse keeps it in another place than the row."""
    value = said(cell)
    if isinstance(value, str) and value.startswith(_ELSEWHERE[0]) and _ELSEWHERE[1] in value[:500]:
        return None, True
    return value, False


def _tool_calls(row: Row) -> list[dict[str, Any]]:
    """The columns `tool_calls` (without names) and `tool_call_names`, put together as OpenAI's."""
    calls, names = said(row.get("tool_calls")), said(row.get("tool_call_names"))
    if not isinstance(calls, list):
        return []
    named = names if isinstance(names, list) and len(names) == len(calls) else [None] * len(calls)
    found = []
    for cell, name in zip(calls, named, strict=True):
        call = mapping(cell)
        name = as_id(name) or as_id(call.get("name"))
        if name is not None:
            function = {"name": name, "arguments": call.get("arguments", "")}
            found.append({"id": as_id(call.get("id")), "type": "function", "function": function})
    return found
