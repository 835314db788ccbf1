"""Columns of `raw_traces` that hold lists of structs, built leaf by leaf."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import polars as pl
import pyarrow as pa

from pipeline.ingest.records import Trace
from pipeline.ingest.traces.labelling import Labels
from pipeline.tables import RAW_TRACES

__all__ = [
    "OPEN",
    "calls_column",
    "feedback_column",
    "messages_column",
    "retrievals_column",
]

OPEN = RAW_TRACES.empty().to_arrow(compat_level=pl.CompatLevel.oldest()).schema
"""The schema of `raw_traces` for Arrow."""
_HANDOVER = re.compile(r"transfer_to_human|escalat|hand_?(over|off)|human_agent", re.IGNORECASE)
_ROLES = {"system", "user", "assistant", "tool"}


def calls_column(traces: Sequence[Trace], label: Labels) -> pa.Array:
    """The tool calls of every trace."""
    calls = [call for trace in traces for call in trace.calls]
    return _list_of(
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
    )


def messages_column(traces: Sequence[Trace], label: Labels) -> pa.Array:
    """The messages of every trace, as lists of structs."""
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


def retrievals_column(traces: Sequence[Trace], label: Labels) -> pa.Array:
    """What every trace retrieved."""
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


def feedback_column(traces: Sequence[Trace], label: Labels) -> pa.Array:
    """The verdicts on every trace, whether it was handed over, and the first correction."""
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
    handovers = {
        name for name in {c.name for t in traces for c in t.calls} if _HANDOVER.search(name)
    }
    escalated = [not handovers.isdisjoint([c.name for c in t.calls]) for t in traces]
    corrections = [next((s.correction for s in t.scores if s.correction), None) for t in traces]
    leaves = [given, pa.array(escalated, pa.bool_()), pa.array(corrections, pa.large_string())]
    return pa.StructArray.from_arrays(leaves, fields=list(types))


def _types(column: str) -> pa.StructType:
    """The struct that a column holds, or holds a list of."""
    kind = OPEN.field(column).type
    return kind.value_type if pa.types.is_large_list(kind) else kind


def _list_of(lengths: Sequence[int], leaves: Mapping[str, Any], types: pa.StructType) -> pa.Array:
    """Lists of structs, out of one flat sequence for each of their fields."""
    arrays = [
        made if isinstance(made := leaves[field.name], pa.Array) else pa.array(made, field.type)
        for field in types
    ]
    structs = pa.StructArray.from_arrays(arrays, fields=list(types))
    return pa.LargeListArray.from_arrays([0, *accumulate(lengths)], structs)
