"""The tool call that a span is: name, arguments, result, and how it went."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.ingest.content import as_id, loads
from pipeline.ingest.dialects.aliases import (
    ERROR_TEXT,
    PLAIN_ARGUMENTS,
    PLAIN_RESULTS,
    TOOL_ARGUMENTS,
    TOOL_ID,
    TOOL_NAME,
    TOOL_RESULT,
    TOOL_STATUS,
)
from pipeline.ingest.dialects.lookup import first, first_text
from pipeline.ingest.dialects.wrappers import (
    is_wrapped,
    text_of_blocks,
    unwrapped_arguments,
    unwrapped_result,
)
from pipeline.ingest.messages.values import call_id, json_text
from pipeline.ingest.records import Call, Span
from pipeline.ingest.traces.outcomes import outcome

__all__ = ["call_of", "plain_call"]

_PREFIXES = ("execute_tool ", "running tool: ", "tool: ", "tool.", "ai.toolCall ", "claude_code.")
_EVENT = re.compile(r"\.(success|error)-\d+$")  # BeeAI's first instrumentation
_TIMEOUT = re.compile(r"time(d)?[ _-]?out|deadline", re.IGNORECASE)
_UNNAMED = "tool_error"
_LONGEST = 200  # characters of an error's name
_CLASS = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,80}(?:Error|Exception|Timeout|Interrupt)\b")


def plain_call(span: Span) -> Call:
    """The call of a span whose attributes are all of the current GenAI conventions, and texts."""
    values = span.attributes
    id_, name = values.get("gen_ai.tool.call.id"), values.get("gen_ai.tool.name")
    arguments, raw = values.get("gen_ai.tool.call.arguments"), values.get("gen_ai.tool.call.result")
    if span.failed or span.events or not name or not arguments or "error.type" in values:
        return _call(span, id_, name, arguments, raw, None)
    status, error = outcome(raw)
    duration = (span.end - span.start).total_seconds() * 1000
    return Call(id_, name, arguments, span.span_id, raw, status, error, span.start, duration)


def call_of(span: Span) -> Call:
    """The call of a tool span, in any convention."""
    values = span.attributes
    id_ = next((i for n in TOOL_ID if (i := call_id(values.get(n))) is not None), None)
    name = first_text(values, TOOL_NAME)
    arguments = first(values, TOOL_ARGUMENTS[:PLAIN_ARGUMENTS])
    if is_wrapped(arguments):
        arguments = unwrapped_arguments(arguments)
    elif arguments is None:
        arguments = unwrapped_arguments(first(values, TOOL_ARGUMENTS[PLAIN_ARGUMENTS:]))
    # An empty result is one too where the convention itself names it.
    raw = values.get(TOOL_RESULT[0]) or first(values, TOOL_RESULT[:PLAIN_RESULTS])
    plain = raw is not None and not is_wrapped(raw)
    raw = raw if raw is not None else first(values, TOOL_RESULT[PLAIN_RESULTS:])
    if raw is None or (arguments is None and _has_event(span.events)):
        told = _from_events(span.events)
        arguments = arguments if arguments is not None else told.get("arguments")
        raw = raw if raw is not None else told.get("result")
        id_ = id_ or call_id(told.get("id"))
    raw, answered, failed = (raw, None, None) if plain else unwrapped_result(raw)
    raw = text_of_blocks(raw)
    result = None if raw is None else json_text(raw)
    return _call(span, id_ or answered, name, arguments, result, _succeeded(values, failed))


def _call(
    span: Span,
    id_: str | None,
    name: Any,
    arguments: Any,
    result: str | None,
    succeeded: bool | None,
) -> Call:
    values = span.attributes
    status, error = ("ok", None) if succeeded else outcome(result)
    kind = as_id(values.get("error.type"))
    if kind is None and succeeded is not True:
        kind = _exception(span.events)
        if kind is None and (text := first(values, ERROR_TEXT)) is not None:
            kind = _class(text) or _UNNAMED
    if span.failed or kind or succeeded is False:
        error = (kind or error or _UNNAMED)[:_LONGEST]
        status = "timeout" if _TIMEOUT.search(error) else "error"
    return Call(
        id=id_,
        name=str(name) if isinstance(name, str) and name else _named(span.name),
        arguments=json_text({} if arguments is None else arguments),
        span_id=span.span_id,
        result=result,
        status=status,
        error=error,
        started_at=span.start,
        duration_ms=(span.end - span.start).total_seconds() * 1000,
    )


def _named(name: str) -> str:
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return _EVENT.sub("", name.removesuffix(".tool"))


def _exception(events: Iterable[tuple[str, Mapping[str, Any]]]) -> str | None:
    """The type of an exception the span recorded; never its message, which may repeat the trace."""
    for name, values in events:
        if name == "exception":
            kind = as_id(values.get("exception.type"))
            # LangSmith's exporter raises every error anew as an Exception.
            if kind in (None, "Exception"):
                return _class(values.get("exception.message")) or kind or _UNNAMED
            return kind
    return None


def _class(text: Any) -> str | None:
    """The class that an error's text begins with: all that is kept of it."""
    match = _CLASS.match(text) if isinstance(text, str) else None
    return match.group() if match else None


def _succeeded(values: Mapping[str, Any], failed: bool | None) -> bool | None:
    for name, meanings in TOOL_STATUS.items():
        value = values.get(name)
        if isinstance(value, str):
            value = value.lower()
        if isinstance(value, str | bool | int) and (told := meanings.get(value)) is not None:
            return told
    return None if failed is None else not failed


def _has_event(events: Iterable[tuple[str, Mapping[str, Any]]]) -> bool:
    return any(name != "exception" for name, _ in events)


def _from_events(events: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Arguments and result out of events: Strands says both so, Claude Code its output."""
    told: dict[str, Any] = {}
    for name, values in events:
        if name == "gen_ai.tool.message":
            told.setdefault("arguments", first(values, ("content", "arguments")))
            told.setdefault("id", values.get("id"))
        elif name == "gen_ai.choice":
            told.setdefault("result", first(values, ("message", "content")))
            told.setdefault("id", values.get("id"))
        elif name == "tool.output":
            told.setdefault("result", first(values, ("output", "content", "diff")))
        elif name == "gen_ai.client.inference.operation.details":
            told |= {key: value for key, value in _from_details(values).items() if key not in told}
    return told


def _from_details(values: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments and result out of an event of details: by name, or as parts of messages."""
    told: dict[str, Any] = {}
    for name, field in (("arguments", "arguments"), ("result", "result")):
        if (value := values.get(f"gen_ai.tool.call.{field}")) is not None:
            told[name] = value
    for side in ("gen_ai.input.messages", "gen_ai.output.messages"):
        for part in _parts(loads(values.get(side))):
            if part.get("type") == "tool_call":
                told.setdefault("arguments", part.get("arguments"))
                told.setdefault("id", part.get("id"))
            elif part.get("type") == "tool_call_response":
                told.setdefault("result", part.get("response", part.get("result")))
                told.setdefault("id", part.get("id"))
    return told


def _parts(messages: Any) -> list[Mapping[str, Any]]:
    listed = messages if isinstance(messages, list) else []
    parts = [m.get("parts") for m in listed if isinstance(m, Mapping)]
    return [p for some in parts if isinstance(some, list) for p in some if isinstance(p, Mapping)]
