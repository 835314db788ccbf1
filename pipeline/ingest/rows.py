"""Traces and malformed records as rows of `raw_traces` and `quarantined_records`."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

from pipeline.ids import canonical_json, digest, keyed_digest
from pipeline.ingest.landing import LandedFile
from pipeline.ingest.records import Malformed, Trace

__all__ = ["quarantine_row", "trace_row"]

_HANDOVER = re.compile(r"transfer_to_human|escalat|hand_?(over|off)|human_agent", re.IGNORECASE)


def trace_row(trace: Trace, content_key: bytes) -> dict[str, Any]:
    """One row of `raw_traces`."""
    user = keyed_digest(content_key, "user", trace.user_id) if trace.user_id else None
    return {
        "trace_id": trace.trace_id,
        "member_trace_ids": list(trace.members),
        "session_id": trace.session_id,
        "user_key": user,
        "started_at": trace.started_at,
        "ended_at": trace.ended_at,
        "service": trace.service,
        "agent_name": trace.agent_name,
        "agent_version": trace.agent_version,
        "release": trace.release,
        "prompt_version": trace.prompt_version,
        "policy_version": trace.policy_version,
        "environment": trace.environment,
        "models": sorted(trace.models),
        "opted_out": trace.opted_out,
        "messages": [asdict(message) for message in trace.messages],
        "tool_calls": [_call_row(asdict(call)) for call in trace.calls],
        "retrievals": [asdict(retrieval) for retrieval in trace.retrievals],
        "input_tokens": trace.input_tokens,
        "output_tokens": trace.output_tokens,
        "cost_usd": None if trace.cost_usd is None else round(trace.cost_usd, 9),
        "latency_ms": _latency(trace),
        "status": trace.status,
        "error": trace.error,
        "feedback": {
            "scores": [asdict(score) for score in trace.scores],
            "escalated": any(_HANDOVER.search(call.name) for call in trace.calls),
            "correction": None,
        },
        "completeness": "complete" if trace.complete else "partial",
        "flags": sorted(trace.flags),
        "attributes": canonical_json(dict(trace.attributes)).decode(),
        "source": trace.source,
        "span_count": trace.records,
        "source_files": sorted(trace.files),
    }


def quarantine_row(file: LandedFile, record: Malformed) -> dict[str, Any]:
    """One row of `quarantined_records`."""
    return {
        "record_id": digest("ingest", file.path, file.sha256, record.offset, record.reason,
                            digest(record.payload.hex())),
        "stage": "ingest",
        "reason": record.reason,
        "detail": record.detail,
        "trace_id": None,
        "file": file.path,
        "file_sha256": file.sha256,
        "byte_offset": record.offset,
        "length": record.length,
        "attempts": record.attempts,
        "payload": record.payload,
    }  # fmt: skip


def _call_row(call: dict[str, Any]) -> dict[str, Any]:
    call["call_id"] = call.pop("id")
    return call


def _latency(trace: Trace) -> float | None:
    if not trace.timed or trace.ended_at == trace.started_at:
        return None
    return (trace.ended_at - trace.started_at).total_seconds() * 1000
