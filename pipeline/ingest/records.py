"""What readers hand to assembly: spans, whole conversations, and records they could not read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

__all__ = ["Call", "Document", "Malformed", "Message", "Retrieval", "Score", "Span", "Trace"]


@dataclass(frozen=True)
class Call:
    """One tool call; in a message only id, name and arguments are set."""

    id: str | None
    name: str
    arguments: str
    span_id: str | None = None
    result: str | None = None
    status: str = "ok"
    error: str | None = None
    started_at: datetime | None = None
    duration_ms: float | None = None


@dataclass(frozen=True)
class Message:
    """One message; equal messages are the same turn repeated in a later span's history."""

    role: str
    content: str | None = None
    tool_calls: tuple[Call, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None
    finish_reason: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Document:
    """One retrieved document."""

    id: str
    content: str | None
    score: float | None


@dataclass(frozen=True)
class Retrieval:
    """One retrieval and what it returned, best first."""

    span_id: str | None
    query: str | None
    documents: tuple[Document, ...]


@dataclass(frozen=True)
class Score:
    """One verdict of the user."""

    name: str
    value: float | None
    label: str | None


@dataclass(frozen=True)
class Span:
    """One span as it came, whatever the transport; `attributes` are plain Python values."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    start: datetime
    end: datetime
    failed: bool
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]
    events: tuple[tuple[str, Mapping[str, Any]], ...]
    file: str
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Trace:
    """One trace in the canonical shape of `raw_traces`, before conversations are joined."""

    trace_id: str
    source: str
    started_at: datetime
    ended_at: datetime
    timed: bool
    """Whether the times are the source's own; a day given by hand orders nothing."""
    messages: tuple[Message, ...]
    calls: tuple[Call, ...] = ()
    retrievals: tuple[Retrieval, ...] = ()
    session_id: str | None = None
    user_id: str | None = None
    service: str | None = None
    agent_name: str | None = None
    agent_version: str | None = None
    release: str | None = None
    prompt_version: str | None = None
    policy_version: str | None = None
    environment: str | None = None
    models: frozenset[str] = frozenset()
    opted_out: bool = False
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    status: str = "ok"
    error: str | None = None
    scores: tuple[Score, ...] = ()
    complete: bool = True
    flags: frozenset[str] = frozenset()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    files: frozenset[str] = frozenset()
    records: int = 1
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class Malformed:
    """A record that no reader could take; `detail` never repeats its text."""

    reason: str
    detail: str
    offset: int
    length: int
    payload: bytes
    attempts: int = 1
