"""The tool call that a span is: name, arguments, result, and how it went."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.ingest.content import as_id, as_json_text, loads
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
from pipeline.ingest.history import outcome
from pipeline.ingest.records import Call, Span

__all__ = ["call_of", "plain_call"]

_PREFIXES = ("execute_tool ", "running tool: ", "tool: ", "tool.", "ai.toolCall ", "claude_code.")
_TIMEOUT = re.compile(r"time(d)?[ _-]?out|deadline", re.IGNORECASE)
# The class of an error, as the head of an error's text: all that is kept of it.
_CLASS = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,80}(?:Error|Exception|Timeout|Interrupt)\b")
_LONGEST_REPR = 1_000_000


def plain_call(span: Span) -> Call:
    """The call of a span in the current GenAI conventions."""
    values = span.attributes
    raw = values.get("gen_ai.tool.call.result")
    result = None if raw is None else as_json_text(raw)
    return _call(
        span,
        as_id(values.get("gen_ai.tool.call.id")),
        values.get("gen_ai.tool.name"),
        values.get("gen_ai.tool.call.arguments"),
        result,
        None,
    )


def call_of(span: Span) -> Call:
    """The call of a tool span, in any convention."""
    values = span.attributes
    id_ = next((i for n in TOOL_ID if (i := as_id(loads_id(values.get(n)))) is not None), None)
    name = first_text(values, TOOL_NAME)
    arguments = first(values, TOOL_ARGUMENTS[:PLAIN_ARGUMENTS])
    if arguments is None:
        arguments = _arguments(first(values, TOOL_ARGUMENTS[PLAIN_ARGUMENTS:]))
    # An empty result is one too where the convention itself names it.
    raw = values.get(TOOL_RESULT[0]) or first(values, TOOL_RESULT[:PLAIN_RESULTS])
    plain = raw is not None
    raw = raw if plain else first(values, TOOL_RESULT[PLAIN_RESULTS:])
    if raw is None or (arguments is None and _has_event(span.events)):
        told = _from_events(span.events)
        arguments = arguments if arguments is not None else told.get("arguments")
        raw = raw if raw is not None else told.get("result")
        id_ = id_ or as_id(told.get("id"))
    raw, answered, failed = (raw, None, None) if plain else _result(raw)
    raw = raw if plain else _text_of_blocks(raw)
    result = None if raw is None else as_json_text(raw)
    return _call(span, id_ or answered, name, arguments, result, _succeeded(values, failed))


def loads_id(value: Any) -> Any:
    """An id that is a list's JSON text (Microsoft's agent framework: run and call) is its last."""
    if isinstance(value, str) and value.startswith("["):
        listed = loads(value)
        return listed[-1] if isinstance(listed, list) and listed else value
    return value


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
    kind = as_id(values.get("error.type")) or _exception(span.events)
    if kind is None and succeeded is not True:
        kind = _class(first(values, ERROR_TEXT))
    if span.failed or kind or succeeded is False:
        error = kind or error or "tool_error"
        status = "timeout" if _TIMEOUT.search(error) else "error"
    return Call(
        id=id_,
        name=str(name) if isinstance(name, str) and name else _named(span.name),
        arguments=as_json_text(arguments),
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
    return name.removesuffix(".tool")


def _exception(events: Iterable[tuple[str, Mapping[str, Any]]]) -> str | None:
    """The type of an exception the span recorded; never its message, which may repeat the trace."""
    for name, values in events:
        if name == "exception":
            return as_id(values.get("exception.type")) or "tool_error"
    return None


def _class(text: Any) -> str | None:
    if not text:
        return None
    match = _CLASS.match(text) if isinstance(text, str) else None
    return match.group() if match else "tool_error"


def _succeeded(values: Mapping[str, Any], failed: bool | None) -> bool | None:
    for name, meanings in TOOL_STATUS.items():
        value = values.get(name)
        if isinstance(value, str):
            value = value.lower()
        if isinstance(value, str | bool | int) and (told := meanings.get(value)) is not None:
            return told
    return None if failed is None else not failed


def _arguments(value: Any) -> Any:
    """Arguments out of what frameworks wrap around them.

    LangChain gives a tool its arguments as text that is a Python repr (`{"input": "{'q': 1}"}`),
    decorators record `args` and `kwargs`, OpenLLMetry adds tags and metadata. What is none of
    these stays byte for byte.
    """
    told = _structure(value)
    if not isinstance(told, Mapping):
        return value
    if isinstance(told.get("inputs"), Mapping) and "input_str" in told:
        return told["inputs"]
    if set(told) == {"args", "kwargs"} and isinstance(told["kwargs"], Mapping):
        return told["kwargs"] if not told["args"] else told
    if set(told) <= {"input", "input_str"} and len(told) == 1:
        inner = _structure(next(iter(told.values())))
        return inner if isinstance(inner, Mapping) else told
    return value if isinstance(value, str) and isinstance(loads(value), Mapping) else told


def _result(value: Any) -> tuple[Any, str | None, bool | None]:
    """A result out of what frameworks wrap around it: the result, the call's id, whether it failed.

    LangChain hands back a tool message, alone or under `output`, as a structure or serialised
    with its class; OpenInference over Google ADK a function response.
    """
    told = loads(value)
    if isinstance(told, Mapping) and set(told) <= {"output", "kwargs"} and "output" in told:
        told = loads(told["output"])
        value = told
    if not isinstance(told, Mapping):
        return value, None, None
    inner = told.get("kwargs") if told.get("type") == "constructor" else told
    if (
        isinstance(inner, Mapping)
        and "content" in inner
        and (inner.get("type") == "tool" or "tool_call_id" in inner)
    ):
        failed = inner.get("status") == "error" if "status" in inner else None
        return inner["content"], as_id(inner.get("tool_call_id")), failed
    if set(told) == {"id", "name", "response"}:
        return told["response"], as_id(told["id"]), None
    return value, None, None


def _text_of_blocks(value: Any) -> Any:
    """The text of a result written as content blocks (Bedrock's, MCP's), else the value."""
    told = loads(value)
    texts = (
        [part.get("text") for part in told if isinstance(part, Mapping)] if _blocks(told) else []
    )
    return "\n".join(text for text in texts if isinstance(text, str)) if texts else value


def _blocks(told: Any) -> bool:
    return (
        isinstance(told, list)
        and bool(told)
        and all(isinstance(p, Mapping) and isinstance(p.get("text"), str) for p in told)
        and all(set(p) <= {"type", "text", "annotations", "meta"} for p in told)
    )


def _structure(value: Any) -> Any:
    """JSON text or the repr of a dict as the dict; anything else as it is."""
    told = loads(value)
    if isinstance(told, str) and told[:1] == "{" and len(told) <= _LONGEST_REPR:
        try:
            return ast.literal_eval(told)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return told
    return told


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
