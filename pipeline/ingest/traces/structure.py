"""The tree that spans make, whatever is wrong with it: roots, oddities, and who works for whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from pipeline.ingest.records import Content, Span

__all__ = ["index_of", "is_app_root", "nearest_above", "outer_calls", "structure_of"]


def index_of(spans: Iterable[Span]) -> dict[str, Span]:
    """Spans by their id."""
    return {span.span_id: span for span in spans}


def is_app_root(span: Span) -> bool:
    """Whether Langfuse's SDK says that what lies above the span was never meant for this trace."""
    return span.attributes.get("langfuse.internal.is_app_root") in (True, "true")


def structure_of(spans: Sequence[Span]) -> tuple[list[Span], set[str]]:
    """The root spans, and flags: orphan_spans, two_roots, span_cycle, clock_skew."""
    by_id = index_of(spans)
    roots, flags = [], set()
    for span in spans:
        if span.parent_id is None:
            roots.append(span)
        elif span.parent_id in by_id:
            if span.start < by_id[span.parent_id].start:
                flags.add("clock_skew")
        elif is_app_root(span):
            roots.append(span)
        else:
            flags.add("orphan_spans")
    if len(roots) > 1:
        flags.add("two_roots")
    if _has_cycle(spans, by_id):
        flags.add("span_cycle")
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


def nearest_above(
    spans: Iterable[str],
    by_id: Mapping[str, Span],
    wanted: Callable[[str], bool],
    border: Callable[[str], bool] = lambda span_id: False,
) -> dict[str, str | None]:
    """Of every span the nearest wanted one above it, itself apart; None where there is none.

    Each span is walked over once, however many there are below one another. Spans that were
    passed on the way are in the answer too.

    Args:
        spans: ids of the spans asked about.
        by_id: the tree.
        wanted: whether a span is what is looked for.
        border: whether to look no further above a span that is not wanted.
    """
    found: dict[str, str | None] = {}
    for span_id in spans:
        walked: dict[str, str | None] = {}
        at: str | None = span_id
        while at is not None and at not in found:
            parent = by_id[at].parent_id
            # A cycle ends where it would come back.
            known = parent is not None and parent in by_id and parent not in walked
            walked[at] = above = parent if known and parent != at else None
            at = above
        for below, above in reversed(walked.items()):
            if above is None or (border(above) and not wanted(above)):
                found[below] = None
            else:
                found[below] = above if wanted(above) else found[above]
    return found


def outer_calls(
    spans: Sequence[str], by_id: Mapping[str, Span], contents: Mapping[str, Content]
) -> dict[str, str]:
    """Of these model calls those that a span above records once more: its id by theirs.

    Two instrumentations of one call nest: the framework's around the SDK's. A tool, a retrieval
    or an agent in between makes it another call.
    """
    if len(spans) < 2:
        return {}
    chosen = frozenset(spans)
    found = nearest_above(
        spans,
        by_id,
        chosen.__contains__,
        lambda span_id: contents[span_id].kind in ("agent", "tool", "retrieval"),
    )
    return {span_id: outer for span_id in spans if (outer := found[span_id]) is not None}
