"""Which service and session a trace is of: of several records that name one, whose word counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pipeline.ingest.dialects import is_unnamed, session_of
from pipeline.ingest.records import Span
from pipeline.ingest.traces.structure import is_app_root

__all__ = ["NOTHING", "micros", "names_of", "ranked", "value_of"]

NOTHING = "~"
"""In the place of a ranked name: it sorts after every rank."""


def ranked(rank: str, value: Any) -> str:
    """A name with the rank of the record that states it: of several the smallest text counts."""
    return NOTHING if value is None else f"{rank}\t{value}"


def value_of(named: str) -> str | None:
    """The name that was ranked."""
    return named.partition("\t")[2] or None


def micros(time: datetime) -> int:
    """Microseconds since 1970."""
    return round(time.timestamp() * 1e6)


def names_of(spans: Sequence[Span]) -> tuple[str, str]:
    """The service and the session that spans name, each with the rank of the span that does."""
    # Nearly always a root names both.
    outer = [s for s in spans if s.parent_id is None or s.envelope or is_app_root(s)]
    found = _named_by(outer)
    return found if NOTHING not in found else _named_by(spans)


def _named_by(spans: Sequence[Span]) -> tuple[str, str]:
    service = session = NOTHING
    for span in spans if len(spans) == 1 else sorted(spans, key=_rank):
        rank = None
        if service is NOTHING and (name := _service_of(span)) is not None:
            rank = _rank_text(span)
            service = ranked(rank, name)
        if session is NOTHING and (name := _session_of(span)) is not None:
            session = ranked(rank or _rank_text(span), name)
        if service is not NOTHING and session is not NOTHING:
            break
    return service, session


def _rank(span: Span) -> tuple[int, datetime, str]:
    """Whose word counts: a row about the whole trace, then roots, then the earliest span."""
    rooted = span.parent_id is None or is_app_root(span)
    return (0 if span.envelope else 1 if rooted else 2), span.start, span.span_id


def _rank_text(span: Span) -> str:
    place, start, span_id = _rank(span)
    return f"{place}{micros(start):020d}{span_id}"


def _service_of(span: Span) -> Any:
    service = span.resource.get("service.name") or span.attributes.get("service.name")
    return None if is_unnamed(service) else service


def _session_of(span: Span) -> str | None:
    return session_of(span.attributes) or session_of(span.resource)
