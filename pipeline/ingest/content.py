"""Values as vendors write them, read as text, JSON text or an id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from pipeline.ids import canonical_json

__all__ = ["as_id", "as_json_text", "as_text", "loads"]


def loads(text: Any) -> Any:
    """Parse JSON text; what is no JSON text is returned as it is."""
    if isinstance(text, str):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
    return text


def as_json_text(value: Any) -> str:
    """A value as JSON text; text that already is JSON stays, byte for byte."""
    if isinstance(value, str):
        return value
    return canonical_json({} if value is None else value).decode()


def as_text(value: Any) -> str | None:
    """The prose of a content field: a string, a list of parts, or JSON of anything else."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        texts = [_part_text(part) for part in value]
        return "\n".join(text for text in texts if text)
    return canonical_json(value).decode()


def as_id(value: Any) -> str | None:
    """An id or a name as text; None where it is a structure."""
    return str(value) if isinstance(value, str | int) and value != "" else None


def _part_text(part: Any) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, Mapping):
        for name in ("text", "content"):
            if isinstance(part.get(name), str):
                return str(part[name])
        return f"[{part.get('modality') or part.get('type') or 'part'}]"
    return ""
