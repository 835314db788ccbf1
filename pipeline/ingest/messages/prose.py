"""Content fields as prose: text, parts, media by a placeholder, data as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.ingest.content import loads
from pipeline.ingest.messages.calls import plain_result
from pipeline.ingest.messages.kinds import KIND_KEYS, SHAPES, TELLING, are_parts, kind_of, part_text
from pipeline.ingest.messages.values import first, joined, json_text, label

__all__ = ["body_text", "result_text", "shown"]

_MIME = ("mime_type", "mimeType", "media_type", "mediaType")


def body_text(value: Any) -> str | None:
    """The prose of a content field: text, parts, or JSON of data."""
    value = plain_result(value)
    if value is None or isinstance(value, str):
        return value
    if are_parts(value):
        return joined(text for part in value if (text := shown(part)))
    if isinstance(value, Mapping) and kind_of(value) in ("text", "media"):
        return shown(value)
    return json_text(value)


def result_text(value: Any) -> str | None:
    """What a tool gave back; a text that was written as JSON once more is taken out of it.

    Microsoft's SDK quotes the text of a result in one span and not in the next.
    """
    if type(value) is dict and value.keys().isdisjoint(TELLING):  # data: no envelope, no parts
        return json_text(value)
    value = plain_result(value)
    if isinstance(value, str) and value[:1] == '"' == value[-1:] and len(value) > 1:
        inner = loads(value)
        return inner if isinstance(inner, str) else value
    return body_text(value)


def shown(part: Any) -> str:
    """A part as text; media by a placeholder, since neither URLs nor bytes are kept."""
    if isinstance(part, str):
        return part
    kind = kind_of(part)
    if kind == "text":
        return json_text(part["json"]) if "json" in part else part_text(part) or ""
    if kind in ("system", "user"):
        return body_text(part.get("content")) or ""
    if kind == "media":
        return _enclosed_text(part) or f"[{_medium(part)}]"
    return ""


def _enclosed_text(part: Mapping[str, Any]) -> str | None:
    """The text of a document that is text: Cohere's, MCP's resource, Anthropic's plain source."""
    document, resource = part.get("document"), part.get("resource")
    if isinstance(document, Mapping) and "data" in document and "type" in part:
        return json_text(document["data"])
    if isinstance(resource, Mapping):
        return label(resource.get("text"))
    source = part.get("source")
    if isinstance(source, Mapping) and source.get("type") == "text":
        return label(source.get("data"))
    return None


def _medium(part: Mapping[str, Any]) -> str:
    told = label(part.get("modality"))
    inner = first(part, ("inline_data", "inlineData", "file_data", "fileData", "source"))
    mime = first(part, _MIME) or (first(inner, _MIME) if isinstance(inner, Mapping) else None)
    if told is None and isinstance(mime, str) and "/" in mime:
        told = mime.partition("/")[0]
        told = told if told in ("image", "audio", "video") else "file"
    if told is None:
        told = label(first(part, KIND_KEYS)) or next((k for k in SHAPES if k in part), "file")
    for medium in ("image", "audio", "video", "document"):
        if medium in told.lower():
            return medium
    return "file"
