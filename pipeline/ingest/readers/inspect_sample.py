"""One sample of an Inspect log as a trace: what the agent did, without what graded it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.ids import digest
from pipeline.ingest.content import as_id, as_json_text, as_text
from pipeline.ingest.readers.inspect_events import all_events, event_calls, event_usage, own_events
from pipeline.ingest.readers.inspect_scores import sample_scores
from pipeline.ingest.readers.transcript import as_list, as_mapping, prose, time_span
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
    attachments = _attachments(sample)
    events = list(own_events(all_events(sample)))
    listed = _resolved(_messages(sample, events), attachments)
    messages = tuple(message for raw in listed for message in _message(raw))
    messages = _finished(messages, sample)
    usage, models = event_usage(sample, events)
    error, limit = as_mapping(sample.get("error")), as_mapping(sample.get("limit")).get("type")
    times = [
        sample.get("started_at"),
        *(e.get(n) for e in events for n in ("timestamp", "completed")),
    ]
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
        calls=event_calls(
            messages,
            listed,
            _resolved([e for e in events if e.get("event") == "tool"], attachments),
        ),
        service=as_id(task.get("task")),
        agent_name=as_id(task.get("solver")),
        release=as_id(as_mapping(task.get("revision")).get("commit")),
        models=models or frozenset(m for m in [as_id(task.get("model"))] if m),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost_usd=usage.cost_usd,
        status="error" if error else "ok",
        error=_exception(error) if error else None,
        scores=tuple(sample_scores(sample, all_events(sample))),
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


def _attachments(sample: Mapping[str, Any]) -> Mapping[str, Any]:
    """Long texts and images by their reference; the first logs called them content."""
    return as_mapping(sample.get("attachments")) or as_mapping(
        as_mapping(sample.get("transcript")).get("content")
    )


def _messages(sample: Mapping[str, Any], events: list[dict[str, Any]]) -> list[Any]:
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
