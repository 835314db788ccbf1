"""What a span says, whichever convention its attributes follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.ingest.dialects.aliases import MODEL, PROVIDER
from pipeline.ingest.dialects.costs import cost_of
from pipeline.ingest.dialects.current import read_current
from pipeline.ingest.dialects.exchange import Exchange, exchange_of
from pipeline.ingest.dialects.kinds import kind_of
from pipeline.ingest.dialects.labels import Labels, is_unnamed, labels_of, session_of, user_of
from pipeline.ingest.dialects.lookup import first_text
from pipeline.ingest.dialects.retrievals import retrieval_of
from pipeline.ingest.dialects.scores import score_of, scores_of, trace_scores
from pipeline.ingest.dialects.tools import call_of
from pipeline.ingest.dialects.usage import usage_of
from pipeline.ingest.records import Content, Span

__all__ = [
    "Labels",
    "is_unnamed",
    "labels_of",
    "read_any",
    "read_span",
    "score_of",
    "session_of",
    "trace_scores",
    "user_of",
]

_NOTHING = Exchange()


def read_span(span: Span) -> Content:
    """The span's kind, messages, tool call, documents, tokens and cost; first alias that hits.

    A call to a model is `llm` where it is the call itself; what wraps one and repeats it (the
    Vercel AI SDK's outer span, a chain, a workflow) is `agent` or `other`, and keeps what it heard
    and said. Never raises, whatever the attributes hold.
    """
    return read_current(span) or read_any(span)


def read_any(span: Span) -> Content:
    """`read_span` without its short way: every table is asked."""
    values = span.attributes
    kind = kind_of(span)
    told = _NOTHING
    if kind in ("llm", "agent", "other"):
        told = exchange_of(values, span.events)
    usage = usage_of(values)
    return Content(
        kind="other" if kind == "mute" else kind,
        system=told.system,
        heard=told.heard,
        said=told.said,
        call=call_of(span) if kind == "tool" else None,
        retrieval=retrieval_of(span) if kind == "retrieval" else None,
        model=_name(values, MODEL),
        provider=_name(values, PROVIDER),
        input_tokens=usage.input,
        output_tokens=usage.output,
        cached_tokens=usage.cached,
        cost_usd=cost_of(values),
        scores=scores_of(span),
    )


def _name(values: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    stated = first_text(values, names)
    # MLflow writes every attribute as JSON text.
    return None if stated is None else stated.strip('"') or None
