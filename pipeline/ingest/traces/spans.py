"""One trace out of its spans and events: messages, tools, documents, tokens, verdicts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import asdict, replace

from pipeline.ingest.dialects import (
    labels_of,
    read_span,
    score_of,
    trace_scores,
)
from pipeline.ingest.records import Content, Event, Score, Span, Trace
from pipeline.ingest.traces.calls import calls_of
from pipeline.ingest.traces.pricing import price
from pipeline.ingest.traces.structure import index_of, outer_calls, structure_of
from pipeline.ingest.traces.telling import conversation_of, is_content

__all__ = ["trace_of_spans", "with_scores"]

_SCORE = "gen_ai.evaluation.result"


def trace_of_spans(
    spans: Sequence[Span], events: Iterable[Event] = (), *, source: str, conflicting: bool = False
) -> Trace:
    """Assemble the spans of one trace id, each once; the order they come in does not matter.

    Args:
        spans: of one trace, envelopes among them.
        events: what was said of the trace or its spans elsewhere, each once.
        source: the format they were read from.
        conflicting: whether copies of a span differed.
    """
    events = sorted(events, key=lambda event: (str(event.time), str(event.span_id), event.name))
    count = len(spans)
    spans = _with_events(sorted(spans, key=lambda span: (span.start, span.span_id)), events)
    envelopes = [span for span in spans if span.envelope]
    tree = [span for span in spans if not span.envelope]
    roots, flags = structure_of(tree)
    outer = envelopes + (roots or tree[:1])
    flags |= {flag for span in spans for flag in span.flags}
    flags |= {"conflicting_duplicate"} if conflicting else set()
    contents = {span.span_id: read_span(span) for span in tree}
    wrapped = [(span, read_span(span)) for span in envelopes]
    messages = conversation_of(tree, contents, wrapped)
    llm = [contents[span.span_id] for span in tree if contents[span.span_id].kind == "llm"]
    counted = _counted(tree, contents) or [contents[r.span_id] for r in roots]
    counted = counted if any(map(_counts, counted)) else [content for _, content in wrapped]
    everything: dict[str, Any] = {}
    # Outermost last: where several spans carry an attribute, that one says it for the trace.
    for span in [*reversed(tree), *reversed(outer)]:
        everything |= span.resource
        everything |= span.attributes
    failed = [span for span in outer if span.failed]
    errors = [str(s.attributes["error.type"]) for s in spans if "error.type" in s.attributes]
    return Trace(
        trace_id=spans[0].trace_id,
        source=source,
        started_at=spans[0].start,
        ended_at=max(span.end for span in spans),
        timed=True,
        messages=tuple(messages),
        calls=calls_of(messages, tree, contents),
        retrievals=tuple(r for span in tree if (r := contents[span.span_id].retrieval)),
        **asdict(labels_of(everything)),
        models=frozenset(c.model for c in llm or counted if c.model is not None),
        input_tokens=_sum(c.input_tokens for c in counted),
        output_tokens=_sum(c.output_tokens for c in counted),
        cost_usd=_cost(counted, wrapped, flags),
        status="error" if failed else "ok",
        error=errors[0] if errors and failed else None,
        scores=_scores(contents.values(), wrapped, everything, events),
        complete=_is_whole(roots, envelopes, tree, flags),
        flags=frozenset(flags),
        attributes=_kept_attributes(outer),
        records=count,
        members=(spans[0].trace_id,),
    )


def with_scores(trace: Trace, events: Iterable[Event]) -> Trace:
    """A whole conversation with the verdicts that were given on it elsewhere."""
    told = [score_of(event.attributes) for event in events if event.name == _SCORE]
    return replace(trace, scores=tuple(dict.fromkeys([*trace.scores, *told])))


def _with_events(spans: list[Span], events: Sequence[Event]) -> list[Span]:
    """Give every span what log records say of it; spans that only these speak of are made."""
    told: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.name != _SCORE and is_content(event.name):
            told[event.span_id or ""].append(event)
    if not told:
        return spans
    by_id = {span.span_id: span for span in spans if not span.envelope}
    first = next(iter(by_id.values()), None)
    for span_id, own in told.items():
        span = by_id.get(span_id) or (first if not span_id else None)
        said = tuple((event.name, event.attributes) for event in own)
        if span is not None:
            by_id[span.span_id] = replace(span, events=span.events + said)
            continue
        at = next((event.time for event in own if event.time is not None), None)
        at = at or (first.start if first else None)
        if at is not None:
            by_id[span_id] = Span(
                str(own[0].trace_id), span_id, None, "", at, at, False, {}, {}, said,
                frozenset({"span_missing"}),
            )  # fmt: skip
    envelopes = [span for span in spans if span.envelope]
    return sorted([*envelopes, *by_id.values()], key=lambda span: (span.start, span.span_id))


def _is_whole(
    roots: Sequence[Span], envelopes: Sequence[Span], tree: Sequence[Span], flags: set[str]
) -> bool:
    """Whether nothing of the trace is known to be missing."""
    told = bool(roots) or (bool(envelopes) and not tree)
    return told and not flags & {"orphan_spans", "span_cycle", "span_missing"}


def _counted(tree: Sequence[Span], contents: Mapping[str, Content]) -> list[Content]:
    """Model calls that state tokens, each once: the innermost of spans that record the same."""
    stating = [
        span.span_id
        for span in tree
        if contents[span.span_id].kind == "llm" and _counts(contents[span.span_id])
    ]
    repeated = set(outer_calls(stating, index_of(tree), contents).values())
    return [contents[span_id] for span_id in stating if span_id not in repeated]


def _counts(content: Content) -> bool:
    return content.input_tokens is not None or content.output_tokens is not None


def _cost(
    counted: Sequence[Content], wrapped: Sequence[tuple[Span, Content]], flags: set[str]
) -> float | None:
    """What the trace states, else what litellm's price table says; the latter is flagged."""
    stated = [c.cost_usd for c in counted] + [None]
    if not any(cost is not None for cost in stated):
        stated = [content.cost_usd for _, content in wrapped]
    if not any(cost is not None for cost in stated):
        stated = [price(content) for content in counted]
        if any(cost is not None for cost in stated):
            flags.add("cost_priced")
    total: float | None = _sum(stated)
    return total


def _sum(values: Iterable[Any]) -> Any:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _scores(
    contents: Iterable[Content],
    wrapped: Sequence[tuple[Span, Content]],
    everything: Mapping[str, Any],
    events: Iterable[Event],
) -> tuple[Score, ...]:
    found = [score for content in contents for score in content.scores]
    found += [score for _, content in wrapped for score in content.scores]
    found += trace_scores(everything)
    found += [score_of(event.attributes) for event in events if event.name == _SCORE]
    return tuple(dict.fromkeys(found))


def _kept_attributes(outer: Sequence[Span]) -> dict[str, Any]:
    """The outermost spans' attributes but for the content, which stands in `messages`."""
    kept: dict[str, Any] = {}
    for span in reversed(outer):
        kept |= {k: v for k, v in span.attributes.items() if not is_content(k)}
        channel = span.resource.get("app.channel")
        kept |= {"app.channel": channel} if channel is not None else {}
    return kept
