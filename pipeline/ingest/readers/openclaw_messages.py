"""The messages of an OpenClaw transcript."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from pipeline.ingest.content import as_id, as_json_text
from pipeline.ingest.readers.transcript import (
    Usage,
    as_count,
    as_dollars,
    as_list,
    as_mapping,
    as_time,
    prose,
)
from pipeline.ingest.records import Call, Message

__all__ = ["Said", "usage_of", "written"]

_ROLES = {"user": "user", "assistant": "assistant", "toolResult": "tool", "system": "system"}


class Said(msgspec.Struct, frozen=True):
    """One message, when, and what the transcript says of it; `failed` of a tool's answer."""

    message: Message
    time: datetime | None
    model: str | None = None
    usage: Mapping[str, Any] | None = None
    failed: bool | None = None
    pending: Any = None
    """The prompt it is, where only the run's announcement says so."""

    @property
    def turn(self) -> tuple[object, ...]:
        """What makes two messages the same turn, told twice."""
        m = self.message
        return m.role, m.content, tuple((c.id, c.name) for c in m.tool_calls), m.tool_call_id


def written(raw: Mapping[str, Any]) -> list[Said]:
    """One message of a transcript; notes of the gateway's own count as the system's.

    Raises:
        KeyError, TypeError, AttributeError: it is none.
    """
    content = raw.get("content")
    calls = tuple(
        Call(as_id(block.get("id")), str(block["name"]), as_json_text(block.get("arguments")))
        for block in map(as_mapping, as_list(content))
        if block.get("type") == "toolCall"
    )
    message = Message(
        _ROLES.get(raw["role"], "system"),
        prose(content),
        calls,
        as_id(raw.get("toolCallId")),
        as_id(raw.get("toolName")),
        as_id(raw.get("stopReason")),
    )
    # What another session of the gateway announced is no turn of the user's, and says so.
    if message.role == "user" and "isUser=false" in (message.content or "")[:400]:
        message = msgspec.structs.replace(message, role="system")
    error = raw.get("isError")
    return [
        Said(
            message,
            as_time(raw.get("timestamp")),
            as_id(raw.get("responseModel")) or as_id(raw.get("model")),
            as_mapping(raw.get("usage")),
            error if isinstance(error, bool) else None,
        )
    ]


def usage_of(said: Said) -> Usage:
    """Tokens and dollars of one reply; cached tokens are not in `input`."""
    used = as_mapping(said.usage)
    return Usage(
        as_count(*(used.get(name) for name in ("input", "cacheRead", "cacheWrite"))),
        as_count(used.get("output")),
        as_dollars(as_mapping(used.get("cost")).get("total")),
    )
