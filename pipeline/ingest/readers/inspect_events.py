"""What the events of an Inspect sample tell: the agent's calls, tokens and times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from pipeline.ingest.content import as_id, as_json_text, as_text
from pipeline.ingest.readers.transcript import (
    Usage,
    as_count,
    as_dollars,
    as_list,
    as_mapping,
    as_time,
    calls_with,
    prose,
)
from pipeline.ingest.records import Call, Message

__all__ = ["all_events", "event_calls", "event_usage", "own_events"]


def all_events(sample: Mapping[str, Any]) -> list[Any]:
    """A sample's events, wherever its version keeps them."""
    return as_list(sample.get("events")) or as_list(
        as_mapping(sample.get("transcript")).get("events")
    )


def own_events(events: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """The agent's events in order, nested ones too, without those of scorers and graders."""
    grading: set[Any] = set()
    steps = 0
    for event in events:
        kind = event.get("event")
        begins = event.get("type") in {"scorer", "scorers"} or event.get("parent_id") in grading
        if kind == "span_begin" and begins:
            grading.add(event.get("id"))
        elif kind == "step" and event.get("type") == "scorer":
            steps += 1 if event.get("action") == "begin" else -1
        if steps > 0 or event.get("span_id") in grading or event.get("id") in grading:
            continue
        if kind != "score" and event.get("role") != "grader":
            yield event
            yield from own_events(as_list(event.get("events")))


def event_calls(
    messages: Sequence[Message],
    listed: Iterable[Mapping[str, Any]],
    events: Iterable[Mapping[str, Any]],
) -> tuple[Call, ...]:
    """Tool calls with the errors of their answers and the times of their events.

    After those that messages show come those of which only an event tells (of an agent called by
    this one) or only the answer (its request was cut from the messages).
    """
    known = {str(call.id): call for event in events for call in _event_call(event)}
    for raw in listed:
        call_id = as_id(raw.get("tool_call_id"))
        if raw.get("role") == "tool" and call_id:
            name, content = as_id(raw.get("function")), prose(raw.get("content"))
            before = known.get(call_id) or Call(call_id, name or "unknown", "{}", result=content)
            status, error = _failure(raw.get("error"))
            known[call_id] = replace(before, status=status, error=error) if error else before
    shown = calls_with(messages, known)
    names = {call.id for call in shown}
    return (*shown, *(call for name, call in known.items() if name not in names))


def _event_call(event: Mapping[str, Any]) -> Iterator[Call]:
    call_id = as_id(event.get("id"))
    if event.get("event") == "tool" and call_id:
        start, end = as_time(event.get("timestamp")), as_time(event.get("completed"))
        status, error = _failure(event.get("error"))
        yield Call(
            call_id,
            str(event.get("function")),
            as_json_text(event.get("arguments")),
            span_id=as_id(event.get("uuid")),
            result=as_text(event.get("result") or as_mapping(event.get("error")).get("message")),
            status=status,
            error=error,
            started_at=start,
            duration_ms=round((end - start).total_seconds() * 1000, 3) if start and end else None,
        )


def _failure(error: Any) -> tuple[str, str | None]:
    """Status and code of a tool's error, whose type is one word of a closed list."""
    if not error:
        return "ok", None
    kind = as_id(as_mapping(error).get("type")) or "tool_error"
    return ("timeout", "timeout") if kind == "timeout" else ("error", kind)


def event_usage(
    sample: Mapping[str, Any], events: list[dict[str, Any]]
) -> tuple[Usage, frozenset[str]]:
    """The agent's tokens and models: of its model calls, else what the sample sums up."""
    total, models = Usage(), set()
    for event in events:
        if event.get("event") == "model":
            models.add(as_id(event.get("model")))
            if event.get("cache") != "read":
                total += _one(as_mapping(event.get("output")).get("usage"))
    if total == Usage():
        summed = as_mapping(sample.get("model_usage"))
        for usage in summed.values() or [as_mapping(sample.get("output")).get("usage")]:
            total += _one(usage)
        models |= {as_id(name) for name in summed}
    return total, frozenset(name for name in models if name)


def _one(usage: Any) -> Usage:
    """One call's usage; the input count leaves cached tokens out."""
    used = as_mapping(usage)
    cached = ("input_tokens_cache_read", "input_tokens_cache_write")
    return Usage(
        as_count(used.get("input_tokens"), *(used.get(name) for name in cached)),
        as_count(used.get("output_tokens")),
        as_dollars(used.get("total_cost")),
    )
