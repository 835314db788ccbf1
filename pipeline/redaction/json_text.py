"""JSON in JSON: open strings that hold JSON text, list every leaf, and close them again."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

__all__ = ["JsonText", "JsonValue", "Leaf", "Node", "close_json", "leaves", "open_json"]

JsonValue: TypeAlias = (
    "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
)
KeyPath: TypeAlias = tuple[str, ...]

_MAX_DEPTH: Final = 4  # JSON in JSON in JSON ...; deeper text is redacted as prose
_STYLES: Final = tuple(
    (separators, ascii_only)
    for separators in ((", ", ": "), (",", ":"))
    for ascii_only in (True, False)
)


@dataclass(frozen=True)
class JsonText:
    """A string that was JSON text: its value, the text, and how it was written."""

    value: Node
    text: str
    separators: tuple[str, str]
    ascii_only: bool


Node: TypeAlias = "bool | int | float | str | JsonText | list[Node] | dict[str, Node] | None"


@dataclass(frozen=True)
class Leaf:
    """A string, number or key of a record and the path to it (`*` for a list index)."""

    path: KeyPath
    value: str | int | float
    is_key: bool = False


def open_json(value: JsonValue, depth: int = 0) -> Node:
    """Copy `value`, with every string that is a JSON object or array opened to a `JsonText`."""
    if isinstance(value, str):
        return _open_text(value, depth) if value.lstrip()[:1] in ("{", "[") else value
    if isinstance(value, Mapping):
        return {str(key): open_json(item, depth) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [open_json(item, depth) for item in value]
    return value


def _open_text(text: str, depth: int) -> str | JsonText:
    if depth >= _MAX_DEPTH:
        return text
    try:
        parsed = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite
        )
    except (ValueError, RecursionError):
        return text
    if not isinstance(parsed, (dict, list)):
        return text
    for separators, ascii_only in _STYLES:
        if json.dumps(parsed, separators=separators, ensure_ascii=ascii_only) == text:
            break
    else:
        separators, ascii_only = (", ", ": "), False
    return JsonText(open_json(parsed, depth + 1), text, separators, ascii_only)


def _unique(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    """Refuse an object that names a key twice: a copy would drop the first value."""
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def _refuse(constant: str) -> JsonValue:
    raise ValueError("not JSON: a constant of JavaScript")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number out of range")
    return number


def leaves(node: Node, path: KeyPath = ()) -> Iterator[Leaf]:
    """Yield every string, number and dictionary key below `node`, in order."""
    if isinstance(node, JsonText):
        yield from leaves(node.value, path)
    elif isinstance(node, dict):
        for key, item in node.items():
            yield Leaf((*path, key), key, is_key=True)
            yield from leaves(item, (*path, key))
    elif isinstance(node, list):
        for item in node:
            yield from leaves(item, (*path, "*"))
    elif node is not None and not isinstance(node, bool):
        yield Leaf(path, node)


def close_json(node: Node) -> JsonValue:
    """Turn every `JsonText` back into a string, written as it was."""
    if isinstance(node, JsonText):
        if node.text:
            return node.text
        return json.dumps(
            close_json(node.value), separators=node.separators, ensure_ascii=node.ascii_only
        )
    if isinstance(node, dict):
        return {key: close_json(item) for key, item in node.items()}
    if isinstance(node, list):
        return [close_json(item) for item in node]
    return node
