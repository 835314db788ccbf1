"""Conversations as rows of `raw_traces`, built column by column."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import polars as pl
import pyarrow as pa

from pipeline.ids import canonical_json, keyed_digest
from pipeline.ingest.deduplication import UNUSABLE
from pipeline.ingest.records import Trace
from pipeline.ingest.safety import safe_id, safe_label
from pipeline.tables import RAW_TRACES

__all__ = ["trace_frame"]

_HANDOVER = re.compile(r"transfer_to_human|escalat|hand_?(over|off)|human_agent", re.IGNORECASE)
_ARROW = RAW_TRACES.empty().to_arrow(compat_level=pl.CompatLevel.oldest()).schema
_UNFIT = (*UNUSABLE, pa.ArrowException)
_ROLES = {"system", "user", "assistant", "tool"}


def trace_frame(
    traces: Sequence[Trace], content_key: bytes
) -> tuple[pl.DataFrame, list[tuple[Trace, str]]]:
    """Rows of `raw_traces`, and the traces that make none, each with the type of its error.

    Columns are built leaf by leaf: rows of nested dicts took six times as long.
    """
    try:
        return _frame(traces, content_key), []
    except _UNFIT as error:
        if len(traces) == 1:
            return RAW_TRACES.empty(), [(traces[0], type(error).__name__)]
    # One of them holds a value of an unforeseen kind: halve until it stands alone.
    half = len(traces) // 2
    one, broken = trace_frame(traces[:half], content_key)
    other, more = trace_frame(traces[half:], content_key)
    return pl.concat([one, other]), broken + more


def _frame(traces: Sequence[Trace], content_key: bytes) -> pl.DataFrame:
    label = _Labels(content_key)
    calls = [call for trace in traces for call in trace.calls]
    columns: dict[str, Any] = {
        "trace_id": [safe_id(t.trace_id, content_key) for t in traces],
        "member_trace_ids": [[safe_id(m, content_key) for m in t.members] for t in traces],
        "session_id": [safe_id(t.session_id, content_key) for t in traces],
        "user_key": [t.user_id and keyed_digest(content_key, "user", t.user_id) for t in traces],
        "started_at": [t.started_at for t in traces],
        "ended_at": [t.ended_at for t in traces],
        **{
            name: [label[getattr(t, name)] for t in traces]
            for name in ("service", "agent_name", "agent_version", "release", "prompt_version",
                         "policy_version", "environment", "error")
        },
        "models": [sorted(str(label[model]) for model in t.models) for t in traces],
        "messages": _messages(traces, label),
        "tool_calls": _list_of(
            [len(t.calls) for t in traces],
            {
                "span_id": [c.span_id for c in calls],
                "call_id": [label[c.id] for c in calls],
                "name": [label[c.name] for c in calls],
                "arguments": [c.arguments for c in calls],
                "result": [c.result for c in calls],
                "status": [c.status for c in calls],
                "error": [label[c.error] for c in calls],
                "started_at": [c.started_at for c in calls],
                "duration_ms": [c.duration_ms for c in calls],
            },
            _types("tool_calls"),
        ),
        "retrievals": _retrievals(traces, label),
        "cost_usd": [None if t.cost_usd is None else round(t.cost_usd, 9) for t in traces],
        "latency_ms": [_latency(t) for t in traces],
        "feedback": _feedback(traces, label),
        "completeness": ["complete" if t.complete else "partial" for t in traces],
        "flags": [sorted(t.flags) for t in traces],
        "attributes": [canonical_json(dict(t.attributes)).decode() for t in traces],
        "span_count": [t.records for t in traces],
        "source_files": [sorted(t.files) for t in traces],
        **{
            name: [getattr(t, name) for t in traces]
            for name in ("opted_out", "input_tokens", "output_tokens", "status", "source")
        },
    }  # fmt: skip
    arrays = [
        made if isinstance(made := columns[field.name], pa.Array) else pa.array(made, field.type)
        for field in _ARROW
    ]
    frame = pl.from_arrow(pa.Table.from_arrays(arrays, schema=_ARROW))
    assert isinstance(frame, pl.DataFrame)
    return frame


class _Labels(dict[str | None, str | None]):
    """Names made safe, each once."""

    def __init__(self, content_key: bytes) -> None:
        self._key = content_key

    def __missing__(self, value: str | None) -> str | None:
        self[value] = made = safe_label(value, self._key)
        return made


def _messages(traces: Sequence[Trace], label: _Labels) -> pa.Array:
    messages = [message for trace in traces for message in trace.messages]
    calls = [call for message in messages for call in message.tool_calls]
    types = _types("messages")
    asked = _list_of(
        [len(m.tool_calls) for m in messages],
        {
            "id": [label[c.id] for c in calls],
            "name": [label[c.name] for c in calls],
            "arguments": [c.arguments for c in calls],
        },
        types.field("tool_calls").type.value_type,
    )
    return _list_of(
        [len(t.messages) for t in traces],
        {
            "role": [m.role if m.role in _ROLES else "other" for m in messages],
            "content": [m.content for m in messages],
            "tool_calls": asked,
            "tool_call_id": [label[m.tool_call_id] for m in messages],
            "name": [label[m.name] for m in messages],
            "finish_reason": [label[m.finish_reason] for m in messages],
        },
        types,
    )


def _retrievals(traces: Sequence[Trace], label: _Labels) -> pa.Array:
    retrievals = [retrieval for trace in traces for retrieval in trace.retrievals]
    documents = [document for retrieval in retrievals for document in retrieval.documents]
    types = _types("retrievals")
    fetched = _list_of(
        [len(r.documents) for r in retrievals],
        {
            "id": [label[d.id] for d in documents],
            "content": [d.content for d in documents],
            "score": [d.score for d in documents],
        },
        types.field("documents").type.value_type,
    )
    return _list_of(
        [len(t.retrievals) for t in traces],
        {
            "span_id": [r.span_id for r in retrievals],
            "query": [r.query for r in retrievals],
            "documents": fetched,
        },
        types,
    )


def _feedback(traces: Sequence[Trace], label: _Labels) -> pa.Array:
    scores = [score for trace in traces for score in trace.scores]
    types = _types("feedback")
    given = _list_of(
        [len(t.scores) for t in traces],
        {
            "name": [label[s.name] for s in scores],
            "value": [s.value for s in scores],
            "label": [label[s.label] for s in scores],
            "source": [s.source for s in scores],
            "comment": [s.comment for s in scores],
        },
        types.field("scores").type.value_type,
    )
    escalated = [any(_HANDOVER.search(c.name) for c in t.calls) for t in traces]
    corrections = [next((s.correction for s in t.scores if s.correction), None) for t in traces]
    leaves = [given, pa.array(escalated, pa.bool_()), pa.array(corrections, pa.large_string())]
    return pa.StructArray.from_arrays(leaves, fields=list(types))


def _types(column: str) -> pa.StructType:
    """The struct that a column holds, or holds a list of."""
    kind = _ARROW.field(column).type
    return kind.value_type if pa.types.is_large_list(kind) else kind


def _list_of(lengths: Sequence[int], leaves: Mapping[str, Any], types: pa.StructType) -> pa.Array:
    """Lists of structs, out of one flat sequence for each of their fields."""
    arrays = [
        made if isinstance(made := leaves[field.name], pa.Array) else pa.array(made, field.type)
        for field in types
    ]
    structs = pa.StructArray.from_arrays(arrays, fields=list(types))
    return pa.LargeListArray.from_arrays([0, *accumulate(lengths)], structs)


def _latency(trace: Trace) -> float | None:
    if not trace.timed or trace.ended_at == trace.started_at:
        return None
    return (trace.ended_at - trace.started_at).total_seconds() * 1000
