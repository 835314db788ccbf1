"""Traces and malformed records as rows of `raw_traces` and `quarantined_records`."""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import asdict

from pipeline.ids import canonical_json, digest, keyed_digest
from pipeline.ingest.deduplication import Broken
from pipeline.ingest.index import LandedFile
from pipeline.ingest.records import Call, Malformed, Message, Retrieval, Trace

__all__ = ["broken_row", "quarantine_row", "safe_id", "safe_label", "trace_row"]

_HANDOVER = re.compile(r"transfer_to_human|escalat|hand_?(over|off)|human_agent", re.IGNORECASE)


_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LABEL = re.compile(r"(?!AKIA|gh[pousr]_|sk-|xox)[A-Za-z][A-Za-z0-9._:/-]{0,63}")
_VERSION = re.compile(
    r"v?\d{1,4}([._-][0-9a-z]{1,12}){0,4}|\d{4}-\d{2}(-\d{2})?|(?=.*[a-f])[0-9a-f]{7,40}"
)
_DATE = re.compile(r"20\d{2}-?\d{2}-?\d{2}")
_LONG_NUMBER = re.compile(r"\d[\d ._:/-]{6,}\d")  # a phone number, a card
_ROLES = {"system", "user", "assistant", "tool"}


def safe_id(value: str | None, content_key: bytes) -> str | None:
    """An id as it came if it is a plain hex id or UUID; else its keyed digest.

    Ids travel further than any text: into every table, the suite and the reports. One that a
    service made of an e-mail address or a phone number must not.
    """
    if value is None or _ID.fullmatch(value):
        return value
    return keyed_digest(content_key, "id", value)


def safe_label(value: str | None, content_key: bytes) -> str | None:
    """What developers name (release, tool, model), if it looks like a name; else a digest."""
    if value is None or _VERSION.fullmatch(value):
        return value
    if _LABEL.fullmatch(value) and not _LONG_NUMBER.search(_DATE.sub("", value)):
        return value
    return "label-" + keyed_digest(content_key, "label", value, size=6)


def trace_row(trace: Trace, content_key: bytes) -> dict[str, Any]:
    """One row of `raw_traces`."""
    user = keyed_digest(content_key, "user", trace.user_id) if trace.user_id else None

    def label(value: str | None) -> str | None:
        return safe_label(value, content_key)

    def call_row(call: Call) -> dict[str, Any]:
        row = asdict(call) | {"name": label(call.name), "error": label(call.error)}
        row["call_id"] = safe_label(row.pop("id"), content_key)
        return row

    def message_row(message: Message) -> dict[str, Any]:
        return {
            "role": message.role if message.role in _ROLES else "other",
            "content": message.content,
            "tool_calls": [
                {"id": label(c.id), "name": label(c.name), "arguments": c.arguments}
                for c in message.tool_calls
            ],
            "tool_call_id": label(message.tool_call_id),
            "name": label(message.name),
            "finish_reason": label(message.finish_reason),
        }

    def retrieval_row(retrieval: Retrieval) -> dict[str, Any]:
        row = asdict(retrieval)
        documents = [asdict(document) for document in retrieval.documents]
        return row | {"documents": [d | {"id": label(d["id"])} for d in documents]}

    return {
        "trace_id": safe_id(trace.trace_id, content_key),
        "member_trace_ids": [safe_id(member, content_key) for member in trace.members],
        "session_id": safe_id(trace.session_id, content_key),
        "user_key": user,
        "started_at": trace.started_at,
        "ended_at": trace.ended_at,
        "service": label(trace.service),
        "agent_name": label(trace.agent_name),
        "agent_version": label(trace.agent_version),
        "release": label(trace.release),
        "prompt_version": label(trace.prompt_version),
        "policy_version": label(trace.policy_version),
        "environment": label(trace.environment),
        "models": sorted(str(label(model)) for model in trace.models),
        "opted_out": trace.opted_out,
        "messages": [message_row(message) for message in trace.messages],
        "tool_calls": [call_row(call) for call in trace.calls],
        "retrievals": [retrieval_row(retrieval) for retrieval in trace.retrievals],
        "input_tokens": trace.input_tokens,
        "output_tokens": trace.output_tokens,
        "cost_usd": None if trace.cost_usd is None else round(trace.cost_usd, 9),
        "latency_ms": _latency(trace),
        "status": trace.status,
        "error": label(trace.error),
        "feedback": {
            "scores": [
                {
                    "name": label(s.name), "value": s.value, "label": label(s.label),
                    "source": s.source, "comment": s.comment,
                }
                for s in trace.scores
            ],
            "escalated": any(_HANDOVER.search(call.name) for call in trace.calls),
            "correction": next((s.correction for s in trace.scores if s.correction), None),
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


def broken_row(file: LandedFile, broken: Broken, content_key: bytes) -> dict[str, Any]:
    """One row of `quarantined_records` for a trace that its spans did not make."""
    spans = f"{broken.spans} records of one trace, one with a value of an unforeseen kind"
    detail = f"{spans} ({broken.error})"
    row = quarantine_row(file, Malformed("bad_trace", detail, 0, 0, b""))
    trace_id = safe_id(broken.trace_id, content_key)
    return row | {
        "record_id": digest("ingest", "bad_trace", trace_id, file.sha256),
        "trace_id": trace_id,
        "byte_offset": None,
    }


def _latency(trace: Trace) -> float | None:
    if not trace.timed or trace.ended_at == trace.started_at:
        return None
    return (trace.ended_at - trace.started_at).total_seconds() * 1000
