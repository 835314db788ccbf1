"""The tree that spans make, whatever is wrong with it: roots, oddities, and who works for whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.ingest.records import Content, Span

__all__ = ["agent_above", "is_below", "structure_of"]


def structure_of(spans: Sequence[Span]) -> tuple[list[Span], set[str]]:
    """The root spans, and flags: orphan_spans, two_roots, span_cycle, clock_skew."""
    by_id = {span.span_id: span for span in spans}
    roots = [span for span in spans if span.parent_id is None]
    flags = set()
    if any(span.parent_id is not None and span.parent_id not in by_id for span in spans):
        flags.add("orphan_spans")
    if len(roots) > 1:
        flags.add("two_roots")
    if _has_cycle(spans, by_id):
        flags.add("span_cycle")
    if any(span.start < by_id[span.parent_id].start for span in spans if span.parent_id in by_id):
        flags.add("clock_skew")
    return roots, flags


def _has_cycle(spans: Sequence[Span], by_id: Mapping[str, Span]) -> bool:
    """Whether following parents ever comes back; each span is walked once."""
    sound: set[str] = set()
    for span in spans:
        walked: dict[str, None] = {}
        at: Span | None = span
        while at is not None and at.span_id not in sound:
            if at.span_id in walked:
                return True
            walked[at.span_id] = None
            at = by_id.get(at.parent_id) if at.parent_id is not None else None
        sound.update(walked)
    return False


def agent_above(span: Span, by_id: Mapping[str, Span], kinds: Mapping[str, Content]) -> str | None:
    """The id of the nearest agent span that `span` works for, itself apart; None without one."""
    for above in _ancestors(span, by_id):
        if kinds[above.span_id].kind == "agent":
            return above.span_id
    return None


def is_below(span_id: str, ancestor: str, by_id: Mapping[str, Span]) -> bool:
    """Whether a span stands below another in the tree."""
    return any(above.span_id == ancestor for above in _ancestors(by_id[span_id], by_id))


def _ancestors(span: Span, by_id: Mapping[str, Span]) -> list[Span]:
    found: dict[str, Span] = {}
    above = by_id.get(span.parent_id) if span.parent_id is not None else None
    while above is not None and above.span_id not in found:
        found[above.span_id] = above
        above = by_id.get(above.parent_id) if above.parent_id is not None else None
    return list(found.values())
