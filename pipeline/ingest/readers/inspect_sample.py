"""One sample of an Inspect log as a trace: what the agent did, without what graded it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipeline.ids import digest
from pipeline.ingest.content import as_id, as_json_text, as_text
from pipeline.ingest.readers.inspect_scores import sample_scores
from pipeline.ingest.readers.transcript import (
    Usage,
    as_amount,
    as_count,
    as_list,
    as_mapping,
    as_time,
    calls_with,
    prose,
    time_span,
)
from pipeline.ingest.records import Call, Message, Trace
from pipeline.ingest.source import Source

__all__ = ["sample_trace"]

_REFERENCE = re.compile(r"(?:attachment|tc)://(.+)")
_EXCEPTION = re.compile(r"([A-Za-z_]\w{2,60})\(")
_TASK = ("task", "task_id", "run_id", "eval_id", "eval_set_id", "created")
_SAMPLE = ("id", "epoch", "total_time", "working_time", "invalidation")


def sample_trace(
    sample: Mapping[str, Any], header: Mapping[str, Any], source: Source, repaired: bool = False
) -> Trace:
    """The trace of one sample and epoch.

    The target, the sample's metadata and the scorers' explanations are the benchmark's answer
    key: they do not reach the trace, nor do the grader's tokens; the scores do.

    Args:
        sample: as the log holds it, of any version.
        header: the log's other fields.
        source: for the day of a log without times.
        repaired: whether undecodable bytes were replaced.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is no sample. NoTime.
    """
    task = as_mapping(header.get("eval"))
    events = list(_own_events(_events(sample)))
    listed = _resolved(_messages(sample, events), _attachments(sample))
    messages = tuple(message for raw in listed for message in _message(raw))
    messages = _finished(messages, sample)
    usage, models = _usage(sample, events)
    error, limit = as_mapping(sample.get("error")), as_mapping(sample.get("limit")).get("type")
    times = [sample.get("started_at"), *(e.get(n) for e in events for n in ("timestamp", "completed"))]
    if not any(times):
        stats = as_mapping(header.get("stats"))
        times = [task.get("created"), stats.get("started_at")]
    span = time_span(times, source)
    identity = [task.get("run_id"), task.get("task_id"), sample["id"], sample.get("epoch", 1)]
    flags = {name for name, on in (("limit_reached", limit), ("invalid_utf8", repaired)) if on}
    return Trace(
        trace_id=as_id(sample.get("uuid")) or digest("inspect_log", *identity),
        source="inspect_log",
        started_at=span.start,
        ended_at=span.end,
        timed=span.timed,
        messages=messages,
        calls=_calls(messages, listed, events),
        service=as_id(task.get("task")),
        agent_name=as_id(task.get("solver")),
        release=as_id(as_mapping(task.get("revision")).get("commit")),
        models=models or frozenset(m for m in [as_id(task.get("model"))] if m),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost_usd=usage.cost_usd,
        status="error" if error else "ok",
        error=_exception(error) if error else None,
        scores=tuple(sample_scores(sample, _events(sample))),
        complete=not error and not limit and any(m.role == "assistant" for m in messages),
        flags=frozenset(flags),
        attributes={name: task[name] for name in _TASK if task.get(name)}
        | {f"sample_{name}": sample[name] for name in _SAMPLE if sample.get(name) is not None}
        | ({"limit": limit} if limit else {}),
    )


def _exception(error: Mapping[str, Any]) -> str:
    """The class of the exception, never its message, which may repeat what users said."""
    named = _EXCEPTION.match(str(error.get("message", "")))
    return named[1] if named else "sample_error"


def _events(sample: Mapping[str, Any]) -> list[Any]:
    return as_list(sample.get("events")) or as_list(as_mapping(sample.get("transcript")).get("events"))


def _attachments(sample: Mapping[str, Any]) -> Mapping[str, Any]:
    """Long texts and images by their reference; the first logs called them content."""
    return as_mapping(sample.get("attachments")) or as_mapping(
        as_mapping(sample.get("transcript")).get("content")
    )


def _own_events(events: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
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
            yield from _own_events(as_list(event.get("events")))


def _messages(sample: Mapping[str, Any], events: list[Mapping[str, Any]]) -> list[Any]:
    """The conversation; of a sample that failed before it was kept, its last model call's."""
    if listed := as_list(sample.get("messages")):
        return listed
    calls = [event for event in events if event.get("event") == "model"]
    if calls:
        last = calls[-1]
        pooled = as_mapping(sample.get("events_data")).get("messages")
        pool = as_list(pooled) or as_list(sample.get("message_pool"))
        refs = as_list(last.get("input_refs"))
        heard = as_list(last.get("input")) or [m for first, end in refs for m in pool[first:end]]
        choices = as_list(as_mapping(last.get("output")).get("choices"))
        return heard + [choice["message"] for choice in choices[:1]]
    asked = sample["input"]
    return asked if isinstance(asked, list) else [{"role": "user", "content": asked}]


def _resolved(value: Any, attachments: Mapping[str, Any]) -> Any:
    """A value with references to attachments replaced by what they stand for."""
    if isinstance(value, str):
        reference = _REFERENCE.fullmatch(value)
        return attachments.get(reference[1], value) if reference else value
    if isinstance(value, list):
        return [_resolved(item, attachments) for item in value]
    if isinstance(value, Mapping):
        return {name: _resolved(item, attachments) for name, item in value.items()}
    return value


def _message(raw: Mapping[str, Any]) -> Iterator[Message]:
    role, content = raw["role"], raw.get("content")
    if not isinstance(role, str):
        raise TypeError("role is no text")
    used = [part for part in as_list(content) if as_mapping(part).get("type") == "tool_use"]
    calls = [
        Call(as_id(call.get("id")), str(call["function"]), as_json_text(call.get("arguments")))
        for call in as_list(raw.get("tool_calls"))
    ]
    # Tools that the model's own server ran stand in the content, each with its result.
    calls += [
        Call(as_id(part.get("id")), str(part["name"]), as_json_text(part.get("arguments")))
        for part in used
    ]
    text = prose(content)
    if role == "tool" and not text:
        text = as_text(as_mapping(raw.get("error")).get("message")) or text
    name = as_id(raw.get("function")) if role == "tool" else None
    yield Message(role, text, tuple(calls), as_id(raw.get("tool_call_id")), name)
    for part in used:
        result = as_text(part.get("error")) or as_text(part.get("result"))
        yield Message("tool", result, (), as_id(part.get("id")), str(part["name"]))


def _finished(messages: tuple[Message, ...], sample: Mapping[str, Any]) -> tuple[Message, ...]:
    """Give the last message, if the assistant's, the reason why the model stopped."""
    choices = as_list(as_mapping(sample.get("output")).get("choices"))
    if not choices or not messages or messages[-1].role != "assistant":
        return messages
    last = messages[-1]
    reason = as_id(as_mapping(choices[0]).get("stop_reason"))
    closing = Message(
        last.role, last.content, last.tool_calls, last.tool_call_id, last.name, reason
    )
    return (*messages[:-1], closing)


def _calls(
    messages: tuple[Message, ...], listed: list[Any], events: list[Mapping[str, Any]]
) -> tuple[Call, ...]:
    """Tool calls with the errors of their answers and the times of their events."""
    known: dict[str, Call] = {}
    for event in events:
        call_id = as_id(event.get("id"))
        if event.get("event") == "tool" and call_id:
            start, end = as_time(event.get("timestamp")), as_time(event.get("completed"))
            status, error = _failure(event.get("error"))
            lasted = (end - start).total_seconds() * 1000 if start and end else None
            span_id, result = as_id(event.get("uuid")), as_text(event.get("result"))
            name = str(event.get("function"))
            known[call_id] = Call(
                call_id, name, "", span_id, result, status, error, start, lasted
            )
    for raw in listed:
        call_id = as_id(raw.get("tool_call_id"))
        if raw.get("error") and call_id and known.get(call_id, _NONE).status == "ok":
            status, error = _failure(raw["error"])
            before = known.get(call_id, _NONE)
            known[call_id] = Call(
                call_id, before.name, "", before.span_id, before.result, status, error,
                before.started_at, before.duration_ms,
            )  # fmt: skip
    return calls_with(messages, known)


_NONE = Call(None, "", "")


def _failure(error: Any) -> tuple[str, str | None]:
    """Status and code of a tool's error, whose type is one word of a closed list."""
    if not error:
        return "ok", None
    kind = as_id(as_mapping(error).get("type")) or "tool_error"
    return ("timeout", "timeout") if kind == "timeout" else ("error", kind)


def _usage(
    sample: Mapping[str, Any], events: list[Mapping[str, Any]]
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
        as_amount(used.get("total_cost")),
    )
