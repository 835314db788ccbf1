"""A landing file of OTLP JSON lines as large as one likes: the Collector's shape, one agent."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

__all__ = ["DAY", "write_spans"]

DAY = "2026-11-02"
_MIDNIGHT = 1_793_577_600 * 10**9  # 2026-11-02T00:00:00Z in ns
_WORDS = [
    "order",
    "parcel",
    "refund",
    "invoice",
    "account",
    "billing",
    "address",
    "delivery",
    "status",
    "shipped",
    "delayed",
    "return",
    "label",
    "window",
    "warehouse",
    "carrier",
    "payment",
    "method",
    "card",
    "voucher",
    "balance",
    "confirm",
    "cancel",
    "update",
    "please",
    "thanks",
    "today",
    "tomorrow",
    "morning",
    "customer",
    "number",
    "reference",
    "item",
    "size",
    "colour",
    "exchange",
]
_TOOLS = ("find_order", "list_payments", "issue_refund", "search_help")
_SPANS_PER_TRACE = 10


def write_spans(path: Path, spans: int, seed: int = 1) -> int:
    """Write about `spans` spans, twenty traces a line; returns the bytes written.

    A trace is one agent span, four model calls that repeat the history, four tool calls and a
    retrieval; a span takes 1.8 KB on average.
    """
    draw = random.Random(seed)
    traces = spans // _SPANS_PER_TRACE
    with path.open("wb") as handle:
        for first in range(0, traces, 2):
            batch = [s for n in range(first, min(first + 2, traces)) for s in _trace(n, draw)]
            handle.write(orjson.dumps(_request(batch)) + b"\n")
    return path.stat().st_size


def _trace(number: int, draw: random.Random) -> Iterator[dict[str, Any]]:
    trace_id = f"{draw.getrandbits(128):032x}"
    at = _MIDNIGHT + int(draw.random() * 80_000 * 1e9)
    ids = [f"{draw.getrandbits(64):016x}" for _ in range(_SPANS_PER_TRACE)]
    common = {"gen_ai.conversation.id": f"c-{number}", "gen_ai.agent.name": "desk"}
    root = {"gen_ai.operation.name": "invoke_agent", "user.id": f"u-{number % 5000}", **common}
    yield _span(trace_id, ids[0], None, "invoke_agent desk", at, 30.0, root)
    system = orjson.dumps([{"type": "text", "content": _text(draw, 60)}]).decode()
    history: list[dict[str, Any]] = [_said("user", _text(draw, 20))]
    for turn in range(4):
        call = {"type": "tool_call", "id": f"call-{number}-{turn}", "name": _TOOLS[turn],
                "arguments": {"reference": f"R{number}", "reason": _text(draw, 6)}}  # fmt: skip
        last = turn == 3
        answer: dict[str, Any] = {"role": "assistant", "parts": [call]}
        answer["finish_reason"] = "tool_call"
        if last:
            answer = _said("assistant", _text(draw, 50)) | {"finish_reason": "stop"}
        values = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.system_instructions": system,
            "gen_ai.input.messages": orjson.dumps(history).decode(),
            "gen_ai.output.messages": orjson.dumps([answer]).decode(),
            "gen_ai.usage.input_tokens": 300 + 200 * turn,
            "gen_ai.usage.output_tokens": 40,
            **common,
        }
        begin = at + int((1 + 6 * turn) * 1e9)
        yield _span(trace_id, ids[1 + turn], ids[0], "chat gpt-4o", begin, 2.0, values)
        result = {"reference": f"R{number}", "note": _text(draw, 30), "total": draw.random()}
        if not last:
            history.append({k: v for k, v in answer.items() if k != "finish_reason"})
            part = {"type": "tool_call_response", "id": call["id"], "response": result}
            history.append({"role": "tool", "parts": [part]})
        run = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": _TOOLS[turn],
            "gen_ai.tool.call.id": call["id"],
            "gen_ai.tool.call.arguments": orjson.dumps(call["arguments"]).decode(),
            "gen_ai.tool.call.result": orjson.dumps(result).decode(),
            **common,
        }
        yield _span(trace_id, ids[5 + turn], ids[0], f"execute_tool {_TOOLS[turn]}",
                    begin + 2 * 10**9, 0.4, run)  # fmt: skip
    documents = [{"id": f"D{n}", "score": 0.5, "content": _text(draw, 60)} for n in range(3)]
    found = {"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.query.text": _text(draw, 5),
             "gen_ai.retrieval.documents": orjson.dumps(documents).decode(), **common}  # fmt: skip
    yield _span(trace_id, ids[9], ids[0], "retrieval", at + 10**8, 0.2, found)


def _text(draw: random.Random, words: int) -> str:
    return " ".join(draw.choices(_WORDS, k=words))


def _said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _span(
    trace_id: str, span_id: str, parent: str | None, name: str, at: int, seconds: float,
    values: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    attributes = [
        {"key": k, "value": {"intValue": str(v)} if isinstance(v, int) else {"stringValue": v}}
        for k, v in values.items()
    ]
    parented = {"parentSpanId": parent} if parent else {}
    return {
        "traceId": trace_id, "spanId": span_id, **parented, "name": name, "kind": 3,
        "startTimeUnixNano": str(at), "endTimeUnixNano": str(at + int(seconds * 1e9)),
        "attributes": attributes, "status": {},
    }  # fmt: skip


def _request(spans: list[dict[str, Any]]) -> dict[str, Any]:
    resource = {"service.name": "shop", "service.version": "1.4.2",
                "deployment.environment.name": "production"}  # fmt: skip
    attributes = [{"key": k, "value": {"stringValue": v}} for k, v in resource.items()]
    scopes = [{"scope": {"name": "desk"}, "spans": spans}]
    return {"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": scopes}]}
