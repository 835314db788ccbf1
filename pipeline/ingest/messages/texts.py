"""Text that holds a structure: JSON, JSON inside JSON, a Python repr, a transcript."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any

from pipeline.ingest.content import loads
from pipeline.ingest.messages.reprs import parse_repr

__all__ = ["opened", "spoken_lines"]

_SPEAKERS = "system|developer|user|human|assistant|ai|tool|function"
_TURN = re.compile(rf"^({_SPEAKERS}|{_SPEAKERS.title()}|AI): ?", re.MULTILINE)
# A label alone may open a sentence of a user; these are written by frameworks.
_MOST = 10_000  # turns
_ALONE = {"user", "human", "assistant", "Human", "AI"}


def opened(text: str) -> Any:
    """The structure a text holds, or the text where it holds none."""
    start = text[:200].lstrip()[:1]
    if start in ("[", "{", '"'):
        value = loads(text)
        if isinstance(value, str) and value is not text:  # JSON inside JSON, twice at most
            inner = loads(value) if value[:1] in ("[", "{", '"') else value
            return inner if isinstance(inner, str | list | dict) else value
        if isinstance(value, list | dict):
            return value
    value = parse_repr(text)
    if value is not None:
        return value
    turns = _transcript(text)
    return text if turns is None else turns


def spoken_lines(items: list[str]) -> list[dict[str, Any]]:
    """Texts that all begin with their speaker's label, as LlamaIndex prints its messages."""
    found = [_TURN.match(item) for item in items]
    turns = [
        {"role": match.group(1).lower(), "content": item[match.end() :]}
        for match, item in zip(found, items, strict=True)
        if match is not None and item[match.end() :] not in ("", "None")
    ]
    return turns if len(items) > 1 and all(found) else []


def _transcript(text: str) -> list[dict[str, Any]] | None:
    """Turns written as `user: ...` at the beginning of lines."""
    if _TURN.match(text) is None:
        return None
    found = list(islice(_TURN.finditer(text), _MOST + 1))
    if len(found) > _MOST:
        return None
    labels = [match.group(1) for match in found]
    if len(set(labels)) == 1 and labels[0] not in _ALONE:
        return None
    ends = [match.start() for match in found[1:]] + [len(text)]
    turns = []
    for match, label, end in zip(found, labels, ends, strict=True):
        said = text[match.end() : end].strip("\n")
        if said not in ("", "None"):
            turns.append({"role": label.lower(), "content": said})
    return turns
