"""The conversation of a case as chat completions have it, which most tools take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from pipeline.exports.case import Case

__all__ = ["as_chat", "with_ids"]


def as_chat(case: Case) -> list[dict[str, Any]]:
    """The messages with their calls nested under `function`."""
    return [_chat_message(message) for message in with_ids(case.messages)]


def with_ids(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The messages with an id for every call, and for every answer of a tool that of its call.

    Recorders may leave them out, and models refuse a conversation without: an answer without an
    id is for the earliest call that has none yet.
    """
    made, open_calls = [], list[str]()
    for number, message in enumerate(messages):
        calls = [
            {**call, "id": str(call.get("id") or f"call_{number}_{place}")}
            for place, call in enumerate(message.get("tool_calls") or ())
        ]
        open_calls += [call["id"] for call in calls]
        body = {name: value for name, value in message.items() if name != "tool_calls"}
        if message["role"] == "tool":
            known = str(message.get("tool_call_id") or next(iter(open_calls), ""))
            body["tool_call_id"] = known
            open_calls = [one for one in open_calls if one != known]
        made.append(body | ({"tool_calls": calls} if calls else {}))
    return made


def _chat_message(message: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: message[name] for name in ("tool_call_id", "name") if message.get(name)}
    calls = [
        {
            "id": call["id"],
            "type": "function",
            "function": {"name": call["name"], "arguments": _text(call.get("arguments"))},
        }
        for call in message.get("tool_calls") or ()
    ]
    body = {"role": message["role"], "content": message.get("content"), **kept}
    return body | ({"tool_calls": calls} if calls else {})


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value if value else {}).decode()
