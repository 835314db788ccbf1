"""Tables that hold whole conversations: raw, quarantined, redacted."""

from __future__ import annotations

import polars as pl

from pipeline.tables.schema import UTC_TIME, Column, Privacy, Table

__all__ = ["MESSAGE", "QUARANTINED_RECORDS", "RAW_TRACES", "REDACTED_TRACES", "TOOL_CALL"]

MESSAGE = pl.Struct(
    {
        "role": pl.String,  # system, user, assistant, tool
        "content": pl.String,
        "tool_calls": pl.List(
            pl.Struct({"id": pl.String, "name": pl.String, "arguments": pl.String})
        ),
        "tool_call_id": pl.String,
        "name": pl.String,
        "finish_reason": pl.String,  # assistant only: stop, length, content_filter, tool_call
    }
)
TOOL_CALL = pl.Struct(
    {
        "span_id": pl.String,
        "call_id": pl.String,  # joins a message's tool_calls.id and tool_call_id
        "name": pl.String,
        "arguments": pl.String,  # JSON text
        "result": pl.String,  # JSON text or prose
        "status": pl.String,  # ok, error, timeout
        "error": pl.String,
        "started_at": UTC_TIME,
        "duration_ms": pl.Float64,
    }
)
DOCUMENT = pl.Struct({"id": pl.String, "content": pl.String, "score": pl.Float64})
RETRIEVAL = pl.Struct({"span_id": pl.String, "query": pl.String, "documents": pl.List(DOCUMENT)})
FEEDBACK = pl.Struct(
    {
        "scores": pl.List(
            pl.Struct(
                {
                    "name": pl.String,
                    "value": pl.Float64,
                    "label": pl.String,
                    "source": pl.String,  # user, human (a reviewer), model, code
                    "comment": pl.String,
                }
            )
        ),
        "escalated": pl.Boolean,
        "correction": pl.String,
    }
)


def _conversation(text: Privacy) -> dict[str, Column]:
    """The columns that a trace has before and after redaction, text being of class `text`."""
    return {
        "trace_id": Column(pl.String, "id of the conversation: its first member's trace id"),
        "member_trace_ids": Column(pl.List(pl.String), "all trace ids joined, in order"),
        "session_id": Column(pl.String, "session or conversation id", text),
        "user_key": Column(pl.String, "keyed digest of the user id"),
        "started_at": Column(UTC_TIME, "start of the first span"),
        "ended_at": Column(UTC_TIME, "end of the last span"),
        "service": Column(pl.String, "service name"),
        "agent_name": Column(pl.String, "name of the agent"),
        "agent_version": Column(pl.String, "version of the agent"),
        "release": Column(pl.String, "release of the service"),
        "prompt_version": Column(pl.String, "version of the prompt"),
        "policy_version": Column(pl.String, "version of the policy"),
        "environment": Column(pl.String, "deployment environment"),
        "models": Column(pl.List(pl.String), "models that answered, sorted"),
        "opted_out": Column(pl.Boolean, "the user does not want to be sampled"),
        "messages": Column(pl.List(MESSAGE), "the conversation, history not repeated", text),
        "tool_calls": Column(pl.List(TOOL_CALL), "tools run, by start", text),
        "retrievals": Column(pl.List(RETRIEVAL), "documents fetched, by start", text),
        "input_tokens": Column(pl.Int64, "tokens read by models, cached ones included"),
        "output_tokens": Column(pl.Int64, "tokens written by models"),
        "cost_usd": Column(pl.Float64, "USD: as stated, else priced (flag cost_priced), or null"),
        "latency_ms": Column(pl.Float64, "last end minus first start, pauses included, ms"),
        "status": Column(pl.String, "ok or error"),
        "error": Column(pl.String, "error type of the first failing span"),
        "feedback": Column(FEEDBACK, "verdicts inside the traces, by whom", text),
        "completeness": Column(pl.String, "complete, or partial: spans are missing"),
        "flags": Column(pl.List(pl.String), "oddities kept: clock_skew, orphan_spans, ..."),
        "attributes": Column(pl.String, "other attributes, a JSON object", text),
        "source": Column(pl.String, "format it was read from"),
    }


RAW_TRACES = Table(
    "raw_traces",
    "day",
    ("trace_id",),
    _conversation("raw")
    | {
        "span_count": Column(pl.Int64, "spans or records it was assembled from"),
        "source_files": Column(pl.List(pl.String), "sha256 of the landing files, sorted"),
    },
    zone="raw",
)

REDACTED_TRACES = Table(
    "redacted_traces",
    "day",
    ("trace_id",),
    _conversation("redacted")
    | {
        "content_digest": Column(pl.String, "digest of the raw input under the content key"),
        "entity_counts": Column(
            pl.List(pl.Struct({"entity": pl.String, "count": pl.Int64})),
            "values masked, by entity, sorted",
        ),
        "surrogate_key_id": Column(pl.String, "id of the key the surrogates were made with"),
        "detector_versions": Column(pl.List(pl.String), "detectors that ran, sorted"),
    },
)

QUARANTINED_RECORDS = Table(
    "quarantined_records",
    "day",
    ("record_id",),
    {
        "record_id": Column(pl.String, "digest of stage, file, offset and content"),
        "stage": Column(pl.String, "ingest or redaction"),
        "reason": Column(pl.String, "reason code"),
        "detail": Column(pl.String, "what was wrong, without text of the record"),
        "trace_id": Column(pl.String, "where it is known"),
        "file": Column(pl.String, "name of the landing file", "raw"),
        "file_sha256": Column(pl.String, "digest of the landing file"),
        "byte_offset": Column(pl.Int64, "where the record starts"),
        "length": Column(pl.Int64, "bytes"),
        "attempts": Column(pl.Int64, "how often it was tried"),
        "payload": Column(pl.Binary, "the record's first 64 KiB", "raw"),
    },
    zone="raw",
    parts=("ingest", "redaction"),
)
