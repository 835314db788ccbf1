"""Arguments and results of tools out of what frameworks wrap around them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.ingest.content import as_id, loads
from pipeline.ingest.messages.texts import opened

__all__ = ["is_wrapped", "text_of_blocks", "unwrapped_arguments", "unwrapped_result"]

_WRAPPED = ('{"input_str"', '{"output":')


def is_wrapped(text: Any) -> bool:
    """Whether arguments or a result are in what OpenLLMetry wraps around LangChain's."""
    return isinstance(text, str) and text.startswith(_WRAPPED)


def unwrapped_arguments(value: Any) -> Any:
    """Arguments out of what frameworks wrap around them.

    LangChain gives a tool its arguments as text that is a Python repr (`{"input": "{'q': 1}"}`),
    decorators record `args` and `kwargs`, OpenLLMetry adds tags and metadata. What is none of
    these stays byte for byte.
    """
    told = _opened(value)
    if not isinstance(told, Mapping):
        return value
    if isinstance(told.get("inputs"), Mapping) and "input_str" in told:
        return told["inputs"]
    if set(told) == {"args", "kwargs"} and isinstance(told["kwargs"], Mapping):
        return told["kwargs"] if not told["args"] else told
    if set(told) <= {"input", "input_str"} and len(told) == 1:
        inner = _opened(next(iter(told.values())))
        return inner if isinstance(inner, Mapping) else told
    return value if isinstance(value, str) and isinstance(loads(value), Mapping) else told


def unwrapped_result(value: Any) -> tuple[Any, str | None, bool | None]:
    """A result out of what frameworks wrap around it: the result, the call's id, whether it failed.

    LangChain hands back a tool message, alone or under `output`, as a structure or serialised
    with its class; OpenInference over Google ADK a function response.
    """
    told = loads(value)
    if isinstance(told, Mapping) and set(told) <= {"output", "kwargs"} and "output" in told:
        value = told["output"]
        told = loads(value)
    if isinstance(told, Mapping) and set(told) == {"type", "data"}:
        told = told["data"]
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


def text_of_blocks(value: Any) -> Any:
    """The text of a result written as content blocks (Bedrock's, MCP's), else the value."""
    told = loads(value) if not isinstance(value, str) or value.startswith("[{") else value
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


def _opened(value: Any) -> Any:
    """JSON text or the repr of a structure as the structure; anything else as it is."""
    return opened(value) if isinstance(value, str) else value
