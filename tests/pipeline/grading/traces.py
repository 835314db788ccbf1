"""Small conversations by hand, as rows of `redacted_traces`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl

from pipeline.grading import Conversation, read_conversation
from pipeline.grading.examples import example_row
from pipeline.registry.rules import ExampleStep
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
    own = {"trace_id": trace_id, "started_at": START, "content_digest": f"digest-{trace_id}"}
    return (
        example_row([ExampleStep.model_validate(_step(**step)) for step in steps]) | own | columns
    )


def _step(**step: Any) -> dict[str, Any]:
    if "role" in step:
        said = {"assistant": "agent"}.get(step["role"], step["role"])
        return {said: step["content"], "finish_reason": step.get("finish_reason", "stop")}
    if "search" in step:
        documents = [{"id": i, "content": c, "score": s} for i, c, s in step["documents"]]
        return {"call": "search_help", "search": step["search"], "documents": documents}
    return step


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
