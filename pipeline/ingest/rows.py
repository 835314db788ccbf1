"""What could not be read, as rows of `quarantined_records`."""

from __future__ import annotations

from typing import Any

from pipeline.ids import digest
from pipeline.ingest.index.landed import LandedFile
from pipeline.ingest.records import Malformed
from pipeline.ingest.safety import safe_id
from pipeline.ingest.traces.deduplication import Broken

__all__ = ["broken_row", "quarantine_row"]


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
