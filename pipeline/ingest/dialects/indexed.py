"""Lists that were spread over attributes: `llm.input_messages.0.message.role` and the like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.ingest.content import loads

__all__ = ["gather", "starts_whole", "to_messages"]

_DEEPEST = 12
_LONGEST_INDEX = 6
# OpenInference wraps every item in a name of its own; the wrapper says nothing.
_WRAPPERS = ("message", "message_content", "tool_call", "document", "prompt", "completion")
# Some streaming instrumentations write every chunk as an output message of its own.
_CHUNKS = 8


def gather(values: Mapping[str, Any], prefixes: Sequence[str]) -> dict[str, dict[int, Any]]:
    """The lists under each of `prefixes`, as index to item, in one pass over the attributes."""
    roots = tuple(prefix + "." for prefix in prefixes)
    found: dict[str, dict[int, Any]] = {}
    for key in values:
        if not key.startswith(roots):
            continue
        prefix = next(p for p, root in zip(prefixes, roots, strict=True) if key.startswith(root))
        index, _, path = key[len(prefix) + 1 :].partition(".")
        number = _index(index)
        if number is None:
            continue
        items = found.setdefault(prefix, {})
        if not path:
            items.setdefault(number, values[key])
        elif path.count(".") < _DEEPEST:
            node = items.get(number)
            if not isinstance(node, dict):
                node = items[number] = {}
            _put(node, path.split("."), values[key])
    return {
        prefix: {number: _plain(items[number]) for number in sorted(items)}
        for prefix, items in found.items()
    }


def starts_whole(items: Mapping[int, Any]) -> bool:
    """Whether the list has its beginning: SDKs with an attribute limit drop the oldest ones."""
    return 0 in items


def to_messages(items: Mapping[int, Any], role: str) -> list[Any]:
    """Unflattened items as chat messages; `role` is whose a bare text or role-less item is."""
    messages = [_message(item, role) for item in items.values()]
    if len(messages) > _CHUNKS and role == "assistant" and all(map(_chunk, messages)):
        text = "".join(message["content"] for message in messages)
        return [{"role": "assistant", "content": text}]
    return messages


def _chunk(message: Any) -> bool:
    return (
        set(message) <= {"role", "content"}
        and message.get("role") == "assistant"
        and isinstance(message.get("content"), str)
    )


def _message(item: Any, role: str) -> dict[str, Any]:
    if not isinstance(item, Mapping):
        return {"role": role, "content": item}
    message = dict(item)
    if "content" not in message and isinstance(message.get("text"), str):
        message["content"] = message.pop("text")
    message.setdefault("role", role)
    calls = _listed(message.get("tool_calls"))
    contents = message.pop("contents", None)
    if isinstance(contents, list):
        # Anthropic's calls stand among the contents and, again, among the calls.
        known = [call.get("id") for call in calls if isinstance(call, Mapping)]
        calls += [part for part in contents if _is_call(part) and part.get("id") not in known]
        prose = [p for p in contents if not _is_call(p) and not _is_reasoning(p)]
        if prose or not message.get("content"):
            message["content"] = prose
    name = message.pop("function_call_name", None)
    arguments = message.pop("function_call_arguments_json", None)
    if name:
        message["function_call"] = {"name": name, "arguments": arguments}
    written = loads(message.get("content")) if _is_list_text(message.get("content")) else None
    if isinstance(written, list) and written and all(map(_is_call, written)):
        # Koog writes the calls as the content, under whichever role.
        calls, message["role"], message["content"] = [*calls, *written], "assistant", None
    elif isinstance(written, list) and written and all(map(_is_part, written)):
        message["content"] = written
    if calls:
        message["tool_calls"] = calls
    return message


def _listed(value: Any) -> list[Any]:
    value = loads(value)
    return list(value) if isinstance(value, list) else []


def _is_list_text(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("[{")


def _is_part(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("type"), str)


def _is_call(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("function"), Mapping)


def _is_reasoning(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("type") in ("reasoning", "thinking")


def _index(text: str) -> int | None:
    short = 0 < len(text) <= _LONGEST_INDEX
    return int(text) if short and text.isascii() and text.isdigit() else None


def _put(node: dict[str, Any], path: list[str], value: Any) -> None:
    """Set `value` at `path`; where a name is both a value and a branch, the branch stays."""
    *branches, leaf = path
    for name in branches:
        below = node.get(name)
        if not isinstance(below, dict):
            below = node[name] = {}
        node = below
    if not isinstance(node.get(leaf), dict):
        node[leaf] = value


def _plain(node: Any) -> Any:
    """Branches named by numbers as lists, wrappers taken off."""
    if not isinstance(node, dict):
        return node
    if len(node) == 1 and (name := next(iter(node))) in _WRAPPERS and isinstance(node[name], dict):
        return _plain(node[name])
    numbered = {index: node[name] for name in node if (index := _index(name)) is not None}
    if numbered and len(numbered) == len(node):
        return [_plain(numbered[index]) for index in sorted(numbered)]
    # A content part of OpenInference may hold a call beside the part's own fields.
    merged: dict[str, Any] = {}
    for name, value in node.items():
        plain = _plain(value)
        if name in _WRAPPERS and isinstance(plain, dict):
            merged = {**plain, **merged}
        else:
            merged[name] = plain
    return merged
