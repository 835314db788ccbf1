"""Verdicts on spans that had ended: OpenInference carrier spans become events on their target.

OpenInference, spec/annotations.md: a carrier has exactly one link to its target; the verdict is on
the linked span, on the linked span's trace (`trace.`), or on the session named (`session.`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from pipeline.ingest.readers.otlp_values import BadSpan, either, hex_id
from pipeline.ingest.readers.verdicts import verdict
from pipeline.ingest.records import Event, Span

__all__ = ["FORMS", "carried", "link_target"]

FORMS = ("annotations.", "evaluations.", "trace.", "session.")
_FIELD = re.compile(
    r"(trace\.|session\.)?(annotations\.(\d+)\.annotation|evaluations\.(\d+)\.evaluation)"
    r"\.(name|score|label|explanation|annotator_kind|identifier|metadata)"
)
_SOURCES = {"HUMAN": "human", "LLM": "model", "CODE": "code"}
_RESULT = "gen_ai.evaluation.result"

Target = tuple[str, str]


def link_target(link: Any) -> Target | None:
    """The trace and span that a link leads to, in OTLP's shape or an SDK's; None for no link."""
    if not isinstance(link, Mapping):
        return None
    context = either(link, "context", "spanContext")
    context = context if isinstance(context, Mapping) else link
    ids = (either(context, "traceId", "trace_id"), either(context, "spanId", "span_id"))
    try:
        trace, span = (
            hex_id(str(i or "").removeprefix("0x"), n) for i, n in zip(ids, (16, 8), strict=True)
        )
    except BadSpan:
        return None
    return (trace, span) if trace and span else None


def carried(span: Span, targets: Sequence[Target | None]) -> list[Event]:
    """The verdicts that a span carries for others; empty if it is an ordinary span.

    A span that carries some is no part of what an agent did, and lands as these events alone.

    Args:
        span: as read.
        targets: where its links lead to.
    """
    evaluator = span.attributes.get("openinference.span.kind") == "EVALUATOR"
    linked = targets[0] if len(targets) == 1 else None
    if not linked and not evaluator:
        return []
    session = span.attributes.get("session.id")
    found = []
    for scope, fields in _objects(span.attributes):
        if scope == "session.":
            # Without a link only the kind tells a carrier from a span that tells of itself.
            if session is not None and (linked or evaluator):
                found.append(_event(None, None, fields, span.end, session=str(session)))
        elif linked is not None:
            found.append(_event(linked[0], None if scope else linked[1], fields, span.end))
    if evaluator and linked is not None:
        found += [
            Event(*linked, name, span.end, values)
            for name, values in span.events
            if name == _RESULT
        ]
    # Producers may write one result in both forms.
    return [event for n, event in enumerate(found) if event not in found[:n]]


def _objects(attributes: Mapping[str, Any]) -> list[tuple[str | None, dict[str, Any]]]:
    """Scope and fields of each verdict that has a name and says something, in order of index."""
    found: dict[tuple[str, str, int], dict[str, Any]] = {}
    for key, value in attributes.items():
        if key.startswith(FORMS) and (match := _FIELD.fullmatch(key)):
            number = int(match[3] or match[4])
            found.setdefault((match[1] or "", match[2][0], number), {})[match[5]] = value
    return [
        (scope or None, fields)
        for (scope, _, _), fields in sorted(found.items(), key=lambda item: item[0])
        if fields.get("name") and fields.keys() & {"score", "label", "explanation"}
    ]


def _event(
    trace: str | None,
    span: str | None,
    fields: Mapping[str, Any],
    time: datetime,
    session: str | None = None,
) -> Event:
    event = verdict(
        trace,
        span,
        str(fields["name"]),
        _SOURCES.get(str(fields.get("annotator_kind")), ""),
        fields.get("score"),
        label=fields.get("label"),
        explanation=fields.get("explanation"),
        session=session,
        time=time,
    )
    more = {f"caselaw.score.{n}": fields[n] for n in ("identifier", "metadata") if n in fields}
    return replace(event, attributes={**event.attributes, **more})
