"""The short way for a trace that is sound and whole, its spans all in the current conventions.

Most traces of a busy day are. It says what the long way (`spans`) says of them, in half the time; a
test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from pipeline.ingest.dialects import labels_of
from pipeline.ingest.dialects.current import Names, names_of, read_current
from pipeline.ingest.records import Call, Content, Message, Retrieval, Span, Trace
from pipeline.ingest.traces.chain import chain_of
from pipeline.ingest.traces.history import History
from pipeline.ingest.traces.pricing import price
from pipeline.ingest.traces.telling import is_content

__all__ = ["plain_trace"]

_NO_FLAGS: frozenset[str] = frozenset()
_PRICED = frozenset({"cost_priced"})


def plain_trace(
    spans: Sequence[Span], *, source: str, service: str | None = None, session: str | None = None
) -> Trace | None:
    """The trace of spans that are each there once; None sends them the long way.

    Plain are one root that did not fail, parents that begin before their children, no events or
    flags, model calls that are told in full, and tool calls that each have their span.

    Args:
        spans: of one trace.
        source: the format they were read from.
        service: the service, where it is known.
        session: the session, where it is known.
    """
    ordered = sorted(spans, key=_order)
    root = ordered[0]
    if root.parent_id is not None or root.failed:
        return None
    kinds: dict[str, str] = {}
    calls: list[Content] = []
    tools: dict[str, Call] = {}
    found: list[Retrieval] = []
    told: list[tuple[Span, Names]] = []
    end = root.end
    for span in ordered:
        names = names_of(tuple(span.attributes))
        above = kinds.get(span.parent_id) if span.parent_id is not None else None
        content = read_current(span, names)
        if (
            content is None
            or span.events
            or span.flags
            or span.envelope
            or (above is None and span is not root)
            or above in ("llm", "tool", "retrieval")
        ):
            return None
        kind = kinds[span.span_id] = content.kind
        if kind == "llm":
            calls.append(content)
        elif kind == "tool":
            call = content.call
            if call is None or call.id is None or call.id in tools:
                return None
            tools[call.id] = call
        elif kind == "retrieval" and content.retrieval is not None:
            found.append(content.retrieval)
        elif content.heard or content.said or (kind == "agent" and span is not root):
            return None
        told.append((span, names))
        if span.end > end:
            end = span.end
    messages = _conversation(calls)
    resources = {id(span.resource): span.resource for span in ordered}
    if messages is None or any(names_of(tuple(r)).scored for r in resources.values()):
        return None
    made = _calls(messages, tools)
    if made is None:
        return None
    labels = labels_of(_said_of_all(told))
    costs = [cost for content in calls if (cost := price(content)) is not None]
    channel = root.resource.get("app.channel")
    kept = {name: root.attributes[name] for name in _kept(tuple(root.attributes))}
    return Trace(
        trace_id=root.trace_id,
        source=source,
        started_at=root.start,
        ended_at=end,
        timed=True,
        messages=tuple(messages),
        calls=made,
        retrievals=tuple(found),
        session_id=session or labels.session_id,
        user_id=labels.user_id,
        service=service or labels.service,
        agent_name=labels.agent_name,
        agent_version=labels.agent_version,
        release=labels.release,
        prompt_version=labels.prompt_version,
        policy_version=labels.policy_version,
        environment=labels.environment,
        opted_out=labels.opted_out,
        models=frozenset(content.model for content in calls if content.model is not None),
        input_tokens=_sum([content.input_tokens for content in calls]),
        output_tokens=_sum([content.output_tokens for content in calls]),
        cost_usd=sum(costs) if costs else None,
        flags=_PRICED if costs else _NO_FLAGS,
        attributes=kept if channel is None else kept | {"app.channel": channel},
        records=len(ordered),
        members=(root.trace_id,),
    )


def _said_of_all(spans: Sequence[tuple[Span, Names]]) -> dict[str, Any]:
    """What attributes and resources say of the trace as a whole: of several the outermost span."""
    said: dict[str, Any] = {}
    resource: Mapping[str, Any] | None = None
    for span, names in spans:
        for name in names.labels:
            if name not in said:
                said[name] = span.attributes[name]
        if span.resource is not resource:  # spans of one request share it
            resource = span.resource
            said = {name: resource[name] for name in names_of(tuple(resource)).labels} | said
    return said


@lru_cache(maxsize=4096)
def _kept(names: tuple[str, ...]) -> tuple[str, ...]:
    """Of the names of attributes those that a trace keeps: they hold nothing that was said."""
    return tuple(name for name in names if not is_content(name))


def _order(span: Span) -> tuple[Any, str]:
    return span.start, span.span_id


def _conversation(calls: Sequence[Content]) -> list[Message] | None:
    """What the model calls tell, if both sides speak in it."""
    for content in calls:
        if not content.heard or not content.said or content.input_tokens is None:
            return None
    messages = chain_of(calls) if calls else None
    if messages is None:
        history = History()
        for content in calls:
            history.hear(content.system, content.heard, content.said)
        messages = history.messages
    roles = {message.role for message in messages}
    return messages if "user" in roles and "assistant" in roles else None


def _calls(messages: Sequence[Message], tools: dict[str, Call]) -> tuple[Call, ...] | None:
    """The tool spans in the order that the messages show them, if each is shown once."""
    shown = [call.id for message in messages for call in message.tool_calls]
    if len(shown) > len(tools) or None in shown:
        return None
    if any(call.result is None or call.arguments in ("", "{}") for call in tools.values()):
        return None  # the messages may tell what the span does not
    first = [tools[name] for name in shown if name in tools]
    if len(first) != len(shown) or len(set(shown)) != len(shown):
        return None
    seen = set(shown)
    return (*first, *(call for name, call in tools.items() if name not in seen))


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
