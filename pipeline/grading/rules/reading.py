"""Reading what calls carry: an argument by name, values under a key of a result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.grading.conversation import Call

__all__ = ["argument", "values_under"]


def argument(call: Call, name: str) -> Any:
    """The value of an argument; None where the call has none of that name."""
    return call.arguments.get(name) if isinstance(call.arguments, Mapping) else None


def values_under(value: Any, key: str) -> Iterator[Any]:
    """Every value under `key` in a parsed result, at any depth, in order."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name == key:
                yield item
            yield from values_under(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from values_under(item, key)
