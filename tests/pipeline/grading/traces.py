"""Small conversations by hand, as rows of `redacted_traces`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import polars as pl

from pipeline.grading import Conversation, read_conversation
from pipeline.tables import REDACTED_TRACES, STRATIFIED_SAMPLES

START = datetime(2026, 11, 10, 9, tzinfo=UTC)


def system(text: str) -> dict[str, Any]:
    return {"role": "system", "content": text}


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def agent(text: str, finish: str = "stop") -> dict[str, Any]:
    return {"role": "assistant", "content": text, "finish_reason": finish}


def call(
    name: str, arguments: dict[str, Any], result: Any = None, status: str = "ok"
) -> dict[str, Any]:
    """A tool call with its result; a string is taken as it is, anything else as JSON."""
    return {"call": name, "arguments": arguments, "result": result, "status": status}


def search(query: str, *documents: tuple[str, str, float]) -> dict[str, Any]:
    """A retrieval: documents are (id, content, score)."""
    return {"search": query, "documents": documents}


def row(*steps: dict[str, Any], trace_id: str = "t1", **columns: Any) -> dict[str, Any]:
    """The row of a conversation made of `steps`."""
    messages: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []
    retrievals: list[dict[str, Any]] = []
    for number, step in enumerate(steps):
        if "role" in step:
            messages.append(_message(**step))
            continue
        name, call_id = step.get("call", "search_help"), f"c{number}"
        arguments = json.dumps(step.get("arguments", {"query": step.get("search")}))
        asked = {"id": call_id, "name": name, "arguments": arguments}
        result = step.get("result")
        text = result if isinstance(result, str) or result is None else json.dumps(result)
        if "search" in step:
            text = "\n".join(content for _, content, _ in step["documents"])
            retrievals.append(
                {
                    "span_id": f"s{number}",
                    "query": step["search"],
                    "documents": [
                        {"id": i, "content": c, "score": s} for i, c, s in step["documents"]
                    ],
                }
            )
        else:
            calls.append(
                {
                    "span_id": f"s{number}",
                    "call_id": call_id,
                    "name": name,
                    "arguments": arguments,
                    "result": text,
                    "status": step["status"],
                    "error": None,
                    "started_at": START,
                    "duration_ms": 5.0,
                }
            )
        messages.append(_message("assistant", None, tool_calls=[asked]))
        messages.append(_message("tool", text, tool_call_id=call_id))
    empty = dict.fromkeys(REDACTED_TRACES.columns)
    return (
        empty
        | {
            "trace_id": trace_id,
            "messages": messages,
            "tool_calls": calls,
            "retrievals": retrievals,
            "started_at": START,
            "content_digest": f"digest-{trace_id}",
        }
        | columns
    )


def _message(
    role: str,
    content: str | None,
    tool_calls: list[dict[str, Any]] | None = None,
    tool_call_id: str | None = None,
    finish_reason: str | None = None,
) -> dict[str, Any]:
    return {
        "role": role,
        "content": content,
        "tool_calls": tool_calls or [],
        "tool_call_id": tool_call_id,
        "name": None,
        "finish_reason": finish_reason,
    }


def conversation(*steps: dict[str, Any]) -> Conversation:
    """The view that graders have of a conversation made of `steps`."""
    return read_conversation(row(*steps))


def redacted(*rows: dict[str, Any]) -> pl.DataFrame:
    return REDACTED_TRACES.conform(pl.DataFrame(list(rows), schema=REDACTED_TRACES.schema))


def samples(*rows: dict[str, Any], intent: str = "unknown", stakes: str = "low") -> pl.DataFrame:
    """One sampled row a trace, drawn with certainty."""
    empty = dict.fromkeys(STRATIFIED_SAMPLES.columns)
    known = {
        "intent": intent,
        "intent_score": 0.9,
        "stakes": stakes,
        "release": "1.0",
        "weight": 1.0,
    }
    return STRATIFIED_SAMPLES.conform(
        pl.DataFrame(
            [empty | known | {"trace_id": r["trace_id"]} for r in rows],
            schema=STRATIFIED_SAMPLES.schema,
        )
    )
