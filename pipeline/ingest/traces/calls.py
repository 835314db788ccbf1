"""The tool calls of a trace: of tool spans, and those that only messages or reports show."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from pipeline.ingest.dialects.tools import call_of
from pipeline.ingest.records import Call, Content, Message, Span
from pipeline.ingest.traces.outcomes import calls_from_messages
from pipeline.ingest.traces.structure import nearest_above

__all__ = ["calls_of"]

_REPORT = ("tool.name", "tool.parameters", "output.value")


def calls_of(
    messages: Sequence[Message], tree: Sequence[Span], contents: Mapping[str, Content]
) -> tuple[Call, ...]:
    """Every call once: in the messages' order where they show it, else in the spans'.

    Args:
        messages: the conversation.
        tree: spans by start.
        contents: what each says, by span id.
    """
    run = _once([call for span in tree if (call := contents[span.span_id].call)], tree, contents)
    by_id: dict[str, deque[Call]] = defaultdict(deque)
    for call in run:
        if call.id is not None:
            by_id[call.id].append(call)
    merged = []
    for shown in calls_from_messages(messages):
        own = by_id.get(shown.id) if shown.id is not None else None
        merged.append(_filled(own.popleft(), shown) if own else shown)
    left = {call.span_id for calls in by_id.values() for call in calls}
    alone = [call for call in run if call.id is None or call.span_id in left]
    paired = _paired(merged, alone)
    return (*paired, *_reported(paired, tree, contents))


def _once(run: list[Call], tree: Sequence[Span], contents: Mapping[str, Content]) -> list[Call]:
    """Without those that a tool span around them records too, and copies of one id."""
    if len(run) < 2:
        return run
    by_id = {span.span_id: span for span in tree}
    own = {call.span_id: call for call in run if call.span_id is not None}
    outer = nearest_above(
        own,
        by_id,
        own.__contains__,
        lambda span_id: contents[span_id].kind in ("agent", "llm"),
    )
    last = {_key(call): call for call in run if call.id is not None}
    kept = []
    for call in run:
        above = outer[call.span_id] if call.span_id is not None else None
        if above is not None and _same(own[above], call):
            continue
        if call.id is None or last[_key(call)] is call:
            kept.append(call)
    return kept


def _key(call: Call) -> tuple[str | None, str, str]:
    return call.id, call.name, call.arguments


def _same(one: Call, other: Call) -> bool:
    ids = one.id is None or other.id is None or one.id == other.id
    return ids and (one.name, one.arguments) == (other.name, other.arguments)


def _filled(span: Call, shown: Call) -> Call:
    """A tool span with what only the messages told of the call."""
    if span.result is None and shown.result is not None:
        span = replace(span, result=shown.result)
    if span.arguments in ("", "{}") and shown.arguments:
        span = replace(span, arguments=shown.arguments)
    return span


def _paired(shown: list[Call], alone: Iterable[Call]) -> list[Call]:
    """Match tool spans without an id to shown calls of the same tool, in order; the rest follow.

    A span with an id of its own is matched to a shown call only where that has none.
    """
    result = list(shown)
    waiting: dict[tuple[str, bool], deque[int]] = defaultdict(deque)
    for number, call in enumerate(result):
        if call.span_id is None:
            waiting[call.name, call.id is None].append(number)
    for call in alone:
        places = [waiting[call.name, True]]
        if call.id is None:
            places.append(waiting[call.name, False])
        places = [place for place in places if place]
        if not places:
            result.append(call)
            continue
        at = min(places, key=lambda place: place[0]).popleft()
        found = result[at].id or call.id
        result[at] = replace(_filled(call, result[at]), id=found)
    return result


def _reported(
    known: Sequence[Call], tree: Sequence[Span], contents: Mapping[str, Content]
) -> Iterable[Call]:
    """Calls that no tool span records but an agent's own span tells in full, each once.

    BeeAI's agents say after each step which tool was called with what, and what it returned.
    """
    results = {call.result for call in known}
    for span in tree:
        if contents[span.span_id].kind in ("agent", "other") and all(
            span.attributes.get(name) is not None for name in _REPORT
        ):
            call = call_of(span)
            if call.result not in results:
                results.add(call.result)
                yield call
