"""The same record twice counts once: which of two copies stays is a matter of their content."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.ids import digest
from pipeline.ingest.records import Span, Trace
from pipeline.ingest.spans import trace_of_spans

__all__ = ["UNUSABLE", "Broken", "traces_of"]

UNUSABLE = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
"""What a value of an unforeseen kind may raise; one odd trace never takes the day with it."""


@dataclass(frozen=True)
class Broken:
    """A trace whose spans are readable one by one but make no trace."""

    trace_id: str
    file: str
    started_at: datetime
    spans: int
    error: str


def traces_of(
    spans: Iterable[Span], traces: Iterable[Trace]
) -> tuple[list[Trace], Counter[str], list[Broken]]:
    """Assemble spans by trace id and drop repeated records.

    Returns traces, the number of repetitions by trace id, and the traces that broke.

    Of two spans with one id the one with more attributes stays, then the one that ends later,
    then the one of the larger digest; if they differed, the trace is flagged.
    """
    by_trace: dict[str, dict[str, list[Span]]] = defaultdict(lambda: defaultdict(list))
    for span in spans:
        by_trace[span.trace_id][span.span_id].append(span)
    found: list[Trace] = []
    repeated: Counter[str] = Counter()
    broken: list[Broken] = []
    for trace_id, same_trace in by_trace.items():
        kept, conflict = [], False
        for copies in same_trace.values():
            kept.append(max(copies, key=_precedence))
            repeated[trace_id] += len(copies) - 1
            conflict |= len(copies) > 1 and len({_content(copy) for copy in copies}) > 1
        try:
            found.append(trace_of_spans(kept, conflicting=conflict))
        except UNUSABLE as error:
            first = min(kept, key=lambda span: (span.start, span.span_id))
            name = type(error).__name__
            broken.append(Broken(trace_id, first.file, first.start, len(kept), name))
    whole: dict[str, list[Trace]] = defaultdict(list)
    for trace in traces:
        whole[trace.trace_id].append(trace)
    for same in whole.values():
        best = max(same, key=lambda t: (len(t.messages), t.started_at, digest(str(t.messages))))
        repeated[best.trace_id] += len(same) - 1
        if any(other.messages != best.messages for other in same):
            best = replace(best, flags=best.flags | {"conflicting_duplicate"})
        found.append(replace(best, files=frozenset().union(*(t.files for t in same))))
    return found, repeated, broken


def _precedence(span: Span) -> tuple[int, object, str]:
    return len(span.attributes), span.end, _content(span)


def _content(span: Span) -> str:
    return digest(
        span.name, span.parent_id, span.start, span.end, span.failed,
        dict(span.attributes), dict(span.resource), [[n, dict(a)] for n, a in span.events],
    )  # fmt: skip
