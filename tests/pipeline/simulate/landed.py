"""A reader of the landed files for these tests alone: it shares no code with the simulator."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Call:
    """A tool or retrieval span."""

    name: str
    arguments: Any
    result: Any
    error: str


@dataclass
class Turn:
    """One turn: what was said, looked up, answered, and its span's time in seconds."""

    trace_id: str
    user: str
    calls: list[Call]
    answer: str
    start: float
    end: float


@dataclass
class Talk:
    """One conversation as it can be read from its spans."""

    conversation_id: str
    channel: str
    release: str
    spans: list[dict[str, Any]]
    turns: list[Turn] = field(default_factory=list)

    @property
    def answers(self) -> list[str]:
        """Everything the agent said."""
        return [t.answer for t in self.turns]

    @property
    def calls(self) -> list[Call]:
        """Everything the agent called, in order."""
        return [c for t in self.turns for c in t.calls]


def _plain(value: dict[str, Any]) -> Any:
    kind, inner = next(iter(value.items()))
    if kind == "intValue":
        return int(inner)
    return [_plain(v) for v in inner["values"]] if kind == "arrayValue" else inner


def read_spans(folder: Path) -> Iterator[dict[str, Any]]:
    """Every span of every file, with `attrs` and `resource` as plain dictionaries."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            for group in json.loads(line)["resourceSpans"]:
                resource = {a["key"]: _plain(a["value"]) for a in group["resource"]["attributes"]}
                for scope in group["scopeSpans"]:
                    for span in scope["spans"]:
                        span["attrs"] = {a["key"]: _plain(a["value"]) for a in span["attributes"]}
                        span["resource"] = resource
                        yield span


def _call(span: dict[str, Any]) -> Call:
    attrs = span["attrs"]
    name = attrs["gen_ai.tool.name"]
    if attrs["gen_ai.operation.name"] == "retrieval":
        arguments: Any = {"query": attrs["gen_ai.retrieval.query.text"]}
        result = attrs.get("gen_ai.retrieval.documents")
    else:
        arguments = json.loads(attrs["gen_ai.tool.call.arguments"])
        result = attrs.get("gen_ai.tool.call.result")
    return Call(
        name, arguments, json.loads(result) if result else None, attrs.get("error.type", "")
    )


def _turns(spans: list[dict[str, Any]]) -> list[Turn]:
    found = []
    agents = [s for s in spans if s["attrs"]["gen_ai.operation.name"] == "invoke_agent"]
    for agent in sorted(agents, key=lambda s: int(s["startTimeUnixNano"])):
        inner = sorted(
            (s for s in spans if s["parentSpanId"] == agent["spanId"]),
            key=lambda s: int(s["startTimeUnixNano"]),
        )
        chats = [s for s in inner if s["attrs"]["gen_ai.operation.name"] == "chat"]
        asked = json.loads(chats[0]["attrs"]["gen_ai.input.messages"])[-1]
        said = json.loads(chats[-1]["attrs"]["gen_ai.output.messages"])[0]
        found.append(
            Turn(
                agent["traceId"],
                asked["parts"][0]["content"],
                [_call(s) for s in inner if "gen_ai.tool.name" in s["attrs"]],
                said["parts"][0]["content"],
                int(agent["startTimeUnixNano"]) / 1e9,
                int(agent["endTimeUnixNano"]) / 1e9,
            )
        )
    return found


def read_talks(folder: Path) -> dict[str, Talk]:
    """Conversations by the id of their first trace."""
    by_id: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for span in read_spans(folder):
        by_id[span["attrs"]["gen_ai.conversation.id"]].append(span)
    talks = {}
    for conversation_id, spans in by_id.items():
        root = min(spans, key=lambda s: (int(s["startTimeUnixNano"]), s["parentSpanId"] != ""))
        channel = next(s["attrs"]["app.channel"] for s in spans if "app.channel" in s["attrs"])
        version = root["resource"]["service.version"]
        talks[root["traceId"]] = Talk(conversation_id, channel, version, spans, _turns(spans))
    return talks
