"""Values inside messages as text, JSON text and ids; whatever they are, none of this raises."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.ids import canonical_json
from pipeline.ingest.content import loads

__all__ = ["call_id", "first", "joined", "json_text", "label"]

_DEEPEST = 100  # orjson writes at most 254 levels; no message has a hundred
_BIGGEST = 2**63
_CLOSING = tuple(".,;:!?)]}")


def first(raw: Mapping[str, Any], names: Iterable[str]) -> Any:
    """The first of `names` that says anything."""
    for name in names:
        value = raw.get(name)
        if value is not None and value != "":
            return value
    return None


def label(value: Any) -> str | None:
    """A name as text; None where it is empty or a structure."""
    return value if isinstance(value, str) and value else None


def call_id(value: Any) -> str | None:
    """The id of a tool call; of a list (run, call), which Microsoft's SDK writes, the last."""
    if isinstance(value, str) and value.startswith('["'):
        value = loads(value)
    if isinstance(value, list) and value:
        value = value[-1]
    if isinstance(value, str):
        return value or None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _BIGGEST:
        return str(value)
    return None


def json_text(value: Any) -> str:
    """A value as canonical JSON text; a string is taken to be JSON or prose already."""
    if isinstance(value, str):
        return value
    try:
        return canonical_json(value).decode()
    except (TypeError, ValueError, RecursionError):
        return canonical_json(_plain(value, 0)).decode()


def joined(texts: Iterable[str]) -> str:
    """Parts of one text: a line break where two meet without any space or punctuation.

    Vendors cut a text where a citation begins, in the middle of a sentence, keeping its spaces.
    """
    said = ""
    for text in texts:
        if (
            said
            and text
            and not (said[-1].isspace() or text[0].isspace() or text.startswith(_CLOSING))
        ):
            said += "\n"
        said += text
    return said


def _plain(value: Any, depth: int) -> Any:
    """What JSON can hold of a value: too deep, too big or unknown things by a placeholder."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < _BIGGEST else _digits(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth > _DEEPEST and isinstance(value, Mapping | list | tuple):
        return "[too deep]"
    if isinstance(value, Mapping):
        return {str(_plain(k, depth)): _plain(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in value]
    return f"[{type(value).__name__}]"


def _digits(value: int) -> str:
    return str(value) if value.bit_length() < 4096 else "[number]"
