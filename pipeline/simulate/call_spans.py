"""The spans of single calls of a model and of tools, under OpenTelemetry's GenAI conventions."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Final

import orjson

from .draws import digest
from .otlp import Meeting, Span, attributes
from .scene import Call, Scene

__all__ = ["MS", "Recorder"]

MS: Final = 1_000_000
"""Nanoseconds of a millisecond."""
_SYSTEM: Final = (
    "You are parcelry-support, the assistant of the online shop Parcelry. Use the tools, keep to "
    "the policy, name help articles as [HC-nnn], answer in the customer's language."
)
_JSON_SYSTEM: Final = " Partner mode: reply with one JSON object and nothing else."


def _text(value: object) -> str:
    return orjson.dumps(value).decode()


class Recorder:
    """Writes the spans of one conversation; the clock runs inside it."""

    def __init__(self, scene: Scene, meeting: Meeting) -> None:
        self.scene = scene
        self.meeting = meeting
        self.rng = random.Random(int(digest(meeting.conversation_id, "spans"), 16))
        self.now = meeting.start_ns
        self.trace = meeting.trace_ids[0]
        self.history: list[dict[str, object]] = []
        self.spans: list[Span] = []

    def span_id(self) -> str:
        """A new id; the same in every run."""
        return f"{self.rng.getrandbits(64) or 1:016x}"

    def close(
        self,
        name: str,
        span_id: str,
        parent: str,
        start: int,
        values: Mapping[str, object],
        error: str = "",
        events: list[dict[str, object]] | None = None,
        kind: int = 1,
    ) -> None:
        """End a span that began at `start`, now by the clock."""
        body: dict[str, object] = {
            "traceId": self.trace,
            "spanId": span_id,
            "parentSpanId": parent,
            "name": name,
            "kind": kind,
            "startTimeUnixNano": str(start),
            "endTimeUnixNano": str(self.now),
            "attributes": attributes(values),
            "events": events or [],
            "status": {"code": 2, "message": error} if error else {},
        }
        self.spans.append(Span(self.now, self.meeting.release.version, orjson.dumps(body)))

    def chat(self, parent: str, parts: list[dict[str, object]], finish: str) -> None:
        """A call of the model: all that was said so far goes in, `parts` come out."""
        release = self.meeting.release
        start = self.now
        given = _text(self.history)
        reply = {"role": "assistant", "parts": parts, "finish_reason": finish}
        made = _text([reply])
        system = _SYSTEM + (_JSON_SYSTEM if self.meeting.channel == "api" else "")
        used = (len(given) + len(system)) // 4 + 900
        cached = (used // 128 - 1) * 128 if len(self.history) > 1 else 0
        out = max(4, len(made) // 4 - 18)
        price, cached_price, out_price = release.usd_per_million
        cost = ((used - cached) * price + cached * cached_price + out * out_price) / 1e6
        self.now += self.rng.randint(350, 900) * MS + out * 14 * MS
        self.close(
            f"chat {release.model}",
            self.span_id(),
            parent,
            start,
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": release.model,
                "gen_ai.request.temperature": 0.2,
                "gen_ai.response.id": f"resp_{self.rng.getrandbits(80):020x}",
                "gen_ai.response.model": release.answering_model,
                "gen_ai.response.finish_reasons": [finish],
                "gen_ai.output.type": "json" if self.meeting.channel == "api" else "text",
                "gen_ai.conversation.id": self.meeting.conversation_id,
                "gen_ai.usage.input_tokens": used,
                "gen_ai.usage.cache_read.input_tokens": cached,
                "gen_ai.usage.output_tokens": out,
                "gen_ai.usage.cost": round(cost, 8),
                "gen_ai.system_instructions": _text([{"type": "text", "content": system}]),
                "gen_ai.input.messages": given,
                "gen_ai.output.messages": made,
            },
            kind=3,
        )
        self.history.append({"role": "assistant", "parts": parts})

    def tool(self, parent: str, call: Call) -> None:
        """A call of a tool: the model asks for it, it runs, its result joins the history."""
        number = f"call_{self.rng.getrandbits(64):016x}"
        part: dict[str, object] = {
            "type": "tool_call",
            "id": number,
            "name": call.tool,
            "arguments": call.arguments,
        }
        self.chat(parent, [part], "tool_call")
        start = self.now
        self.now += call.ms * MS
        common = {
            "gen_ai.conversation.id": self.meeting.conversation_id,
            "gen_ai.tool.name": call.tool,
            "gen_ai.tool.call.id": number,
            "error.type": call.error or None,
        }
        if call.tool == "search_help":
            self.close(
                "retrieval help-centre",
                self.span_id(),
                parent,
                start,
                {
                    "gen_ai.operation.name": "retrieval",
                    "gen_ai.data_source.id": "help-centre",
                    "gen_ai.retrieval.query.text": call.arguments["query"],
                    "gen_ai.retrieval.documents": None if call.error else _text(call.result),
                    **common,
                },
                call.error,
                kind=3,
            )
        else:
            self.close(
                f"execute_tool {call.tool}",
                self.span_id(),
                parent,
                start,
                {
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.type": "function",
                    "gen_ai.tool.call.arguments": _text(call.arguments),
                    "gen_ai.tool.call.result": None if call.error else _text(call.result),
                    **common,
                },
                call.error,
            )
        response = {"error": call.error} if call.error else call.result
        answer = {"type": "tool_call_response", "id": number, "response": response}
        self.history.append({"role": "tool", "parts": [answer]})
