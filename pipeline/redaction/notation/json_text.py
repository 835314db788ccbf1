"""Open strings that hold JSON or other notations, list every leaf, and close them again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from pipeline.redaction.notation.encodings import Encoded, find_encoded
from pipeline.redaction.notation.literals import Literal, parse_json, write_json

__all__ = [
    "JsonText",
    "JsonValue",
    "Leaf",
    "Node",
    "Part",
    "Passage",
    "close_json",
    "leaves",
    "open_json",
]

JsonValue: TypeAlias = Literal
KeyPath: TypeAlias = tuple[str, ...]

_MAX_DEPTH: Final = 4  # JSON in JSON in JSON ...; deeper text is redacted as prose


@dataclass(frozen=True)
class JsonText:
    """A string that is JSON text as a whole: its value, and the text as it was written."""

    value: Node
    text: str
    changed: bool = False


@dataclass(frozen=True, eq=False)
class Part:
    """Characters `start` to `end` of a passage in another notation, opened; see `Encoded`."""

    start: int
    end: int
    value: Node
    write: Callable[[Literal], str]
    key: str | None


@dataclass(frozen=True, eq=False)
class Passage:
    """A string in which other notations stand.

    Attributes:
        text: the string.
        prose: as long as `text`, with line breaks where a literal stands, which is read by
            its leaves instead.
        words: the same, with line breaks where base64 or hexadecimal stands, too.
        parts: what stands in it, in order and apart.
    """

    text: str
    prose: str = field(repr=False)
    words: str = field(repr=False)
    parts: tuple[Part, ...]


Node: TypeAlias = (
    "bool | int | float | str | JsonText | Passage | list[Node] | dict[str, Node] | None"
)


@dataclass(frozen=True)
class Leaf:
    """A string, number or key of a record and the path to it (`*` for a list index)."""

    path: KeyPath
    value: str | int | float
    is_key: bool = False


def open_json(value: JsonValue, depth: int = 0) -> Node:
    """Copy `value`, every string opened: JSON to a `JsonText`, mixed text to a `Passage`."""
    if isinstance(value, str):
        return _open_text(value, depth)
    if isinstance(value, Mapping):
        return {str(key): open_json(item, depth) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [open_json(item, depth) for item in value]
    return value


def _open_text(text: str, depth: int) -> str | JsonText | Passage:
    if depth >= _MAX_DEPTH:
        return text
    if text.lstrip()[:1] in ("{", "["):
        try:
            parsed = parse_json(text.strip())
        except (ValueError, RecursionError):
            pass
        else:
            return JsonText(open_json(parsed, depth + 1), text)
    found = find_encoded(text)
    if not found:
        return text
    parts = tuple(
        Part(one.start, one.end, open_json(one.value, depth + 1), one.write, one.key)
        for one in found
    )
    prose = _blank(text, (one for one in found if one.literal))
    words = _blank(text, (one for one in found if one.literal or one.opaque))
    return Passage(text, prose, words, parts)


def _blank(text: str, found: Iterable[Encoded]) -> str:
    """Put line breaks in the place of what was found: nothing is joined across it."""
    kept, position = [], 0
    for one in found:
        kept += [text[position : one.start], "\n" * (one.end - one.start)]
        position = one.end
    return "".join([*kept, text[position:]])


def leaves(node: Node, path: KeyPath = ()) -> Iterator[Leaf]:
    """Yield every string, number and dictionary key below `node`, in order."""
    if isinstance(node, JsonText):
        yield from leaves(node.value, path)
    elif isinstance(node, Passage):
        yield Leaf(path, node.prose)
        if node.words != node.prose:
            yield Leaf(path, node.words)
        for part in node.parts:
            yield from leaves(part.value, (*path, part.key) if part.key else path)
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
    """Turn every `JsonText` and `Passage` back into a string, written as it was."""
    if isinstance(node, JsonText):
        return write_json(close_json(node.value), node.text) if node.changed else node.text
    if isinstance(node, Passage):
        return node.text
    if isinstance(node, dict):
        return {key: close_json(item) for key, item in node.items()}
    if isinstance(node, list):
        return [close_json(item) for item in node]
    return node
