"""Redact the traces of a day: table in, two tables out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import polars as pl

from pipeline.ids import canonical_json, digest
from pipeline.redaction.notation.json_text import JsonValue
from pipeline.redaction.redactor import Redaction, Redactor
from pipeline.redaction.replacement.keys import SurrogateKey
from pipeline.tables import QUARANTINED_RECORDS, RAW_TRACES, REDACTED_TRACES

__all__ = ["redact_traces"]

_TEXT = (
    "error",
    *(
        name
        for name, column in RAW_TRACES.columns.items()
        if column.privacy == "raw" and name in REDACTED_TRACES.columns
    ),
)
# what was said and done; not when, and not what people said of it later: a case's id hangs on it
_CONTENT = ("trace_id", "messages", "tool_calls", "retrievals")
_TIMES = frozenset({"started_at", "duration_ms", "span_id"})


def redact_traces(
    raw: pl.DataFrame, redactor: Redactor, content_key: SurrogateKey
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Redact every trace of `raw`; what cannot be redacted for certain is quarantined.

    Args:
        raw: rows of `raw_traces` (those that were sampled).
        redactor: policy, surrogate key and detectors.
        content_key: the key of `content_digest`, never rotated.

    Returns:
        Rows of `redacted_traces` and of `quarantined_records`; together as many as `raw`.
    """
    rows = RAW_TRACES.conform(raw).to_dicts()
    redactions = redactor.redact_many(
        [_record(row, redactor) for row in rows], [row["trace_id"] for row in rows]
    )
    redacted, quarantined = [], []
    for row, redaction in zip(rows, redactions, strict=True):
        if redaction.failure is None:
            redacted.append(_redacted(row, redaction, redactor, content_key))
        else:
            quarantined.append(_quarantined(row, redaction))
    return (
        REDACTED_TRACES.conform(pl.DataFrame(redacted, schema=REDACTED_TRACES.schema)),
        QUARANTINED_RECORDS.conform(pl.DataFrame(quarantined, schema=QUARANTINED_RECORDS.schema)),
    )


def _record(row: Mapping[str, Any], redactor: Redactor) -> JsonValue:
    """The part of a row that holds text; attributes pass by the policy's list of keys."""
    record = {name: _plain(row[name]) for name in _TEXT}
    if row["attributes"]:
        record["attributes"] = _listed(row["attributes"], redactor.policy.attribute_keys)
    return record


def _listed(attributes: str, allowed: Sequence[str]) -> str:
    """Keep the attributes that are on the list; of what is no JSON object nothing is."""
    try:
        given = orjson.loads(attributes)
    except orjson.JSONDecodeError:
        given = {}
    kept = {key: given[key] for key in given if key in allowed} if isinstance(given, dict) else {}
    return orjson.dumps(kept).decode()


def _plain(value: Any) -> Any:
    """Take times out of a value for JSON; they are put back from the row."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if key != "started_at"}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _redacted(
    row: Mapping[str, Any], redaction: Redaction, redactor: Redactor, content_key: SurrogateKey
) -> dict[str, Any]:
    value: Any = redaction.value
    calls = value["tool_calls"]
    if calls is not None:
        value = value | {
            "tool_calls": [
                call | {"started_at": before["started_at"]}
                for call, before in zip(calls, row["tool_calls"], strict=True)
            ]
        }
    kept: dict[str, Any] = {name: row[name] for name in REDACTED_TRACES.columns if name in row}
    merged: dict[str, Any] = (
        kept
        | value
        | {
            "content_digest": content_key.content_digest(_content(row)),
            "entity_counts": [
                {"entity": entity, "count": count}
                for entity, count in redaction.entity_counts.items()
            ],
            "surrogate_key_id": redactor.key_id,
            "detector_versions": list(redactor.detector_versions),
        }
    )
    return merged


def _content(row: Mapping[str, Any]) -> Any:
    return orjson.loads(canonical_json({name: _timeless(row[name]) for name in _CONTENT}))


def _timeless(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _timeless(item) for key, item in value.items() if key not in _TIMES}
    if isinstance(value, list):
        return [_timeless(item) for item in value]
    return value


def _quarantined(row: Mapping[str, Any], redaction: Redaction) -> dict[str, Any]:
    """A row of the dead letter: ids and our own words; the text stays in `raw_traces`."""
    empty: dict[str, Any] = dict.fromkeys(QUARANTINED_RECORDS.columns)
    return empty | {
        "record_id": digest("redaction", row["trace_id"]),
        "stage": "redaction",
        "reason": f"redaction_{redaction.failure}",
        "detail": redaction.detail,
        "trace_id": row["trace_id"],
        "attempts": 1,
    }
