"""What readers yield: spans, events, whole conversations, and records they could not read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

__all__ = [
    "Call",
    "Content",
    "Document",
    "Event",
    "Line",
    "Malformed",
    "Message",
    "Record",
    "Retrieval",
    "Score",
    "Span",
    "Trace",
]


class Call(msgspec.Struct, frozen=True, array_like=True):
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


class Message(msgspec.Struct, frozen=True, array_like=True):
    """One message, of a user, the assistant, a tool, or the system."""

    role: str
    content: str | None = None
    tool_calls: tuple[Call, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None
    finish_reason: str | None = None


class Document(msgspec.Struct, frozen=True, array_like=True):
    """One retrieved document."""

    id: str
    content: str | None
    score: float | None


class Retrieval(msgspec.Struct, frozen=True, array_like=True):
    """One retrieval and what it returned, best first."""

    span_id: str | None
    query: str | None
    documents: tuple[Document, ...]


class Score(msgspec.Struct, frozen=True, array_like=True):
    """One verdict on the trace; `source` is user, human (a reviewer), model or code."""

    name: str
    value: float | None
    label: str | None
    source: str = "user"
    comment: str | None = None
    correction: str | None = None


class Span(msgspec.Struct, frozen=True, array_like=True):
    """One span as it came, whatever the transport; `attributes` are plain Python values.

    A reader of another format names attributes as that platform's own OpenTelemetry export does,
    so that one table of aliases (`pipeline.ingest.dialects`) serves both.
    """

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    start: datetime
    end: datetime
    failed: bool
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any] = msgspec.field(default_factory=dict)
    events: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    flags: frozenset[str] = frozenset()
    envelope: bool = False
    """A row about the trace as a whole (name, session, input, output), no span of its tree."""


class Event(msgspec.Struct, frozen=True, array_like=True):
    """Something said of a span or trace that lies elsewhere: a log record, a score, a label.

    `trace_id` may be missing where `span_id` is known, and both where attributes hold a session.
    A score is an event `gen_ai.evaluation.result` with the attributes `gen_ai.evaluation.name`,
    `.score.value`, `.score.label`, `.explanation`, and `caselaw.score.source` and `.correction`.
    """

    trace_id: str | None
    span_id: str | None
    name: str
    time: datetime | None
    attributes: Mapping[str, Any]


class Content(msgspec.Struct, frozen=True, array_like=True):
    """What one span says, whatever its dialect; messages are left as they were written.

    `system`, `heard` and `said` are for `read_messages`; `kind` is llm, tool, retrieval, agent or
    other. `input_tokens` include cached ones.
    """

    kind: str
    system: Any = None
    heard: Any = None
    said: Any = None
    call: Call | None = None
    retrieval: Retrieval | None = None
    model: str | None = None
    provider: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cost_usd: float | None = None
    scores: tuple[Score, ...] = ()


class Trace(msgspec.Struct, frozen=True, array_like=True):
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
    attributes: Mapping[str, Any] = msgspec.field(default_factory=dict)
    files: frozenset[str] = frozenset()
    records: int = 1
    members: tuple[str, ...] = ()


class Malformed(msgspec.Struct, frozen=True, array_like=True):
    """A record that no reader could take; `detail` never repeats its text."""

    reason: str
    detail: str
    offset: int
    length: int
    payload: bytes
    attempts: int = 1


Record = Span | Event | Trace | Malformed


class Line(NamedTuple):
    """The records of one line of a file, and the byte that it starts at."""

    offset: int
    records: Sequence[Record]
