"""Conversations as rows of `raw_traces`, built column by column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl
import pyarrow as pa

from pipeline.ids import canonical_json, keyed_digest
from pipeline.ingest.records import Trace
from pipeline.ingest.safety import is_safe_id, safe_id
from pipeline.ingest.traces.columns import (
    OPEN,
    calls_column,
    feedback_column,
    messages_column,
    retrievals_column,
)
from pipeline.ingest.traces.deduplication import UNUSABLE
from pipeline.ingest.traces.labelling import LABELS, Labels
from pipeline.tables import RAW_TRACES

__all__ = ["OpenRows", "keyed", "open_rows", "trace_frame"]

_UNFIT = (*UNUSABLE, pa.ArrowException)


class _NeedsKey(Exception):
    """The id of a trace cannot stand as it is."""


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


@dataclass(frozen=True)
class OpenRows:
    """Rows that no key was needed for, and the traces that they are of.

    Session and user stand there as they came; so do labels, where `waiting` says that one of them
    needs the key.
    """

    table: pa.Table
    traces: Sequence[Trace]
    waiting: bool = False


def open_rows(traces: Sequence[Trace]) -> OpenRows:
    """Rows to be finished by `keyed`; left out are traces that make none without the key."""
    label = Labels(None)
    try:
        table = _table(traces, label, _plain_id)
        return OpenRows(table, traces, label.waiting)
    except (*_UNFIT, _NeedsKey):
        if len(traces) <= 1:
            return OpenRows(OPEN.empty_table(), [])
    half = len(traces) // 2
    one, other = open_rows(traces[:half]), open_rows(traces[half:])
    both = pa.concat_tables([one.table, other.table])
    return OpenRows(both, [*one.traces, *other.traces], one.waiting or other.waiting)


def keyed(rows: pl.DataFrame, content_key: bytes) -> pl.DataFrame:
    """Rows of `open_rows`, their labels safe (see `relabelled`), as `trace_frame` makes them."""
    sessions = [safe_id(session, content_key) for session in rows["session_id"].to_list()]
    users = [_user_key(user, content_key) for user in rows["user_key"].to_list()]
    return rows.with_columns(
        pl.Series("session_id", sessions, pl.String), pl.Series("user_key", users, pl.String)
    )


def _frame(traces: Sequence[Trace], content_key: bytes) -> pl.DataFrame:
    table = _table(traces, Labels(content_key), partial(_keyed_id, content_key=content_key))
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return keyed(frame, content_key)


def _table(traces: Sequence[Trace], label: Labels, safe: Callable[[str], str]) -> pa.Table:
    columns: dict[str, Any] = {
        "trace_id": [safe(t.trace_id) for t in traces],
        "member_trace_ids": [[safe(m) for m in t.members] for t in traces],
        "session_id": [t.session_id for t in traces],
        "user_key": [t.user_id for t in traces],
        "started_at": [t.started_at for t in traces],
        "ended_at": [t.ended_at for t in traces],
        **{
            name: [label[getattr(t, name)] for t in traces]
            for name in LABELS
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
    arrays = [
        made if isinstance(made := columns[field.name], pa.Array) else pa.array(made, field.type)
        for field in OPEN
    ]
    return pa.Table.from_arrays(arrays, schema=OPEN)


def _plain_id(value: str) -> str:
    if not is_safe_id(value):
        raise _NeedsKey
    return value


def _keyed_id(value: str, content_key: bytes) -> str:
    return str(safe_id(value, content_key))


def _user_key(user: str | None, content_key: bytes) -> str | None:
    return user and keyed_digest(content_key, "user", user)


def _latency(trace: Trace) -> float | None:
    if not trace.timed or trace.ended_at == trace.started_at:
        return None
    return (trace.ended_at - trace.started_at).total_seconds() * 1000
