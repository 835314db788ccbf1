"""Tool calls and tool results, under every name vendors give their fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.ingest.content import loads
from pipeline.ingest.messages.values import call_id, first, json_text, label
from pipeline.ingest.records import Call

__all__ = ["CALL_IDS", "TOOL_NAMES", "plain_result", "read_call", "read_calls"]

# The id that calls and results share comes before the id of the item that carries it.
CALL_IDS = (
    *("call_id", "callId", "tool_call_id", "toolCallId", "tool_use_id", "toolUseId"),
    *("tool_call.id", "id", "Id"),
)
TOOL_NAMES = ("name", "tool_name", "toolName", "function_name", "functionName", "FunctionName")
_ARGUMENTS = (
    *("arguments", "args", "input", "parameters", "tool_args", "tool_kwargs", "tool_input"),
    *("rawInput", "params", "Arguments"),
)
_WRAPPERS = (
    *("tool_call", "toolCall", "function_call", "functionCall", "toolUse", "toolInvocation"),
    *("tool_use", "executable_code", "executableCode"),
)
# What a call of a tool that the vendor runs says instead of arguments; never its output, which
# may be an image.
_OWN_ARGUMENTS = ("action", "queries", "query", "code", "server_tool_call", "prompt", "url")


def read_calls(value: Any) -> list[Call]:
    """The calls of a `tool_calls` field: a list, a single call, or JSON text of either."""
    value = loads(value)
    if isinstance(value, Mapping):
        value = [value]
    found = (read_call(raw) for raw in value) if isinstance(value, list) else ()
    return [call for call in found if call is not None]


def read_call(raw: Any, kind: str | None = None) -> Call | None:
    """One call; None if it has no name. `kind` names a tool that the vendor runs itself."""
    if not isinstance(raw, Mapping):
        return None
    if first(raw, TOOL_NAMES) is None:
        raw = next((raw[name] for name in _WRAPPERS if isinstance(raw.get(name), Mapping)), raw)
    function = raw.get("function")
    fields = function if isinstance(function, Mapping) else raw
    name = label(first(fields, TOOL_NAMES)) or label(raw.get("tool_call.function.name"))
    name = name or label(function) or kind
    if name is None:
        return None
    arguments = first(fields, _ARGUMENTS)
    if arguments is None:
        arguments = raw.get("tool_call.function.arguments")
    if arguments is None:
        own = {key: raw[key] for key in _OWN_ARGUMENTS if raw.get(key) is not None}
        arguments = own.get("server_tool_call", own.get("action", own))
        if isinstance(arguments, Mapping):
            arguments = {k: v for k, v in arguments.items() if v is not None and k != "__class__"}
    return Call(call_id(first(raw, CALL_IDS)), name, json_text(arguments))


def plain_result(value: Any) -> Any:
    """What a tool gave back, out of the envelopes that Vercel and Bedrock put around it."""
    if isinstance(value, Mapping):
        if "value" in value and isinstance(value.get("type"), str) and len(value) <= 3:
            return value["value"]
        if set(value) == {"json"}:
            return value["json"]
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], Mapping):
        return plain_result(value[0]) if set(value[0]) == {"json"} else value
    return value
