"""One span with the attributes a test names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.ingest.dialects import read_span
from pipeline.ingest.messages import read_messages
from pipeline.ingest.records import Content, Message, Span

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def span(
    values: Mapping[str, Any],
    name: str = "span",
    *events: tuple[str, Mapping[str, Any]],
    failed: bool = False,
) -> Span:
    """A span of 1.5 seconds."""
    end = NOON + timedelta(seconds=1.5)
    return Span("t1", "s1", None, name, NOON, end, failed, dict(values), events=events)


def read(
    values: Mapping[str, Any],
    name: str = "span",
    *events: tuple[str, Mapping[str, Any]],
    failed: bool = False,
) -> Content:
    """What such a span says."""
    return read_span(span(values, name, *events, failed=failed))


def heard(content: Content) -> list[Message]:
    """The messages a span heard."""
    return read_messages(content.heard)


def said(content: Content) -> list[Message]:
    """The messages a span said."""
    return read_messages(content.said, "assistant")
