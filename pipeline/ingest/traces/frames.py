"""Conversations as rows of `raw_traces`, built column by column."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import polars as pl
import pyarrow as pa

from pipeline.ids import canonical_json, keyed_digest
from pipeline.ingest.records import Trace
from pipeline.ingest.safety import is_safe_id, safe_id
from pipeline.ingest.traces.columns import (
    OPEN,
    Labels,
    NeedsKey,
    calls_column,
    feedback_column,
    messages_column,
    retrievals_column,
)
from pipeline.ingest.traces.deduplication import UNUSABLE
from pipeline.tables import RAW_TRACES

__all__ = ["keyed", "open_table", "trace_frame"]

_UNFIT = (*UNUSABLE, pa.ArrowException)


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


def open_table(traces: Sequence[Trace]) -> tuple[pa.Table, list[Trace]]:
    """Rows whose session and user stand there as they came, and the traces that they are of.

    Left out are traces that make no row, and those of which more than session and user has to be
    digested under the content key: `keyed` does that for these two alone.
    """
    try:
        return _table(traces, None), list(traces)
    except (*_UNFIT, NeedsKey):
        if len(traces) <= 1:
            return OPEN.empty_table(), []
    half = len(traces) // 2
    (one, kept), (other, more) = open_table(traces[:half]), open_table(traces[half:])
    return pa.concat_tables([one, other]), kept + more


def keyed(rows: pl.DataFrame, content_key: bytes) -> pl.DataFrame:
    """Rows of `open_table` as `trace_frame` makes them."""
    sessions = [safe_id(session, content_key) for session in rows["session_id"].to_list()]
    users = [_user_key(user, content_key) for user in rows["user_key"].to_list()]
    return rows.with_columns(
        pl.Series("session_id", sessions, pl.String), pl.Series("user_key", users, pl.String)
    )


def _frame(traces: Sequence[Trace], content_key: bytes) -> pl.DataFrame:
    frame = pl.from_arrow(_table(traces, content_key))
    assert isinstance(frame, pl.DataFrame)
    return frame


def _table(traces: Sequence[Trace], content_key: bytes | None) -> pa.Table:
    label = Labels(content_key)
    safe = _safe_id if content_key is None else partial(safe_id, content_key=content_key)
    columns: dict[str, Any] = {
        "trace_id": [safe(t.trace_id) for t in traces],
        "member_trace_ids": [[safe(m) for m in t.members] for t in traces],
        "session_id": [t.session_id for t in traces],
        "user_key": [t.user_id for t in traces],
        "started_at": [t.started_at for t in traces],
        "ended_at": [t.ended_at for t in traces],
        **{
            name: [label[getattr(t, name)] for t in traces]
            for name in ("service", "agent_name", "agent_version", "release", "prompt_version",
                         "policy_version", "environment", "error")
        },
        "models": [sorted(str(label[model]) for model in t.models) for t in traces],
        "messages": messages_column(traces, label),
        "tool_calls": calls_column(traces, label),
        "retrievals": retrievals_column(traces, label),
        "cost_usd": [None if t.cost_usd is None else round(t.cost_usd, 9) for t in traces],
        "latency_ms": [_latency(t) for t in traces],
        "feedback": feedback_column(traces, label),
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
    if content_key is not None:
        columns["session_id"] = [safe_id(value, content_key) for value in columns["session_id"]]
        columns["user_key"] = [_user_key(value, content_key) for value in columns["user_key"]]
    arrays = [
        made if isinstance(made := columns[field.name], pa.Array) else pa.array(made, field.type)
        for field in OPEN
    ]
    return pa.Table.from_arrays(arrays, schema=OPEN)


def _safe_id(value: str) -> str:
    if not is_safe_id(value):
        raise NeedsKey
    return value


def _user_key(user: str | None, content_key: bytes) -> str | None:
    return user and keyed_digest(content_key, "user", user)


def _latency(trace: Trace) -> float | None:
    if not trace.timed or trace.ended_at == trace.started_at:
        return None
    return (trace.ended_at - trace.started_at).total_seconds() * 1000
