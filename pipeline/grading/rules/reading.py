"""Reading what calls carry: arguments, values under a key, and the record that a call is about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.grading.conversation import Call, Conversation, Turn

__all__ = [
    "argument",
    "before",
    "calls_of",
    "mentions",
    "objects",
    "plain",
    "record_before",
    "said_before",
    "values_at",
    "values_under",
]


def argument(call: Call, name: str) -> Any:
    """The value of an argument; None where the call has none of that name."""
    return call.arguments.get(name) if isinstance(call.arguments, Mapping) else None


def values_under(value: Any, key: str) -> Iterator[Any]:
    """Every value under `key` in a parsed result, at any depth, in order."""
    for found in objects(value):
        if key in found:
            yield found[key]


def objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every object in a parsed value, at any depth, the outer before the inner."""
    if isinstance(value, Mapping):
        yield value
        for item in value.values():
            yield from objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from objects(item)


def values_at(value: Any, path: str) -> list[Any]:
    """The values at a dotted path, through lists: `flights.date` is the date of each flight."""
    left = [value]
    for key in path.split("."):
        found = [item[key] for item in left if isinstance(item, Mapping) and key in item]
        left = [each for item in found for each in (item if isinstance(item, list) else [item])]
    return left


def record_before(
    conversation: Conversation, call: Call, same: str, writes: tuple[str, ...]
) -> dict[str, Any] | None:
    """The record that `call` names by its argument `same`, as it stood before; None: not known.

    It is what earlier calls told of it that succeeded, the later over the sooner: results of
    calls with that argument, objects of results that hold it; and what earlier calls of `writes`
    set, since a tool may answer with the record as it was.
    """
    name = argument(call, same)
    record: dict[str, Any] = {}
    for earlier in before(conversation, call) if name is not None else ():
        if earlier.failed:
            continue
        if argument(earlier, same) == name and isinstance(earlier.result, Mapping):
            record |= earlier.result
        else:
            about = (found for found in objects(earlier.result) if found.get(same) == name)
            record |= next(about, {})
        if earlier.name in writes and argument(earlier, same) == name:
            record |= earlier.arguments
    return record or None


def calls_of(conversation: Conversation, tools: tuple[str, ...]) -> Iterator[tuple[Turn, Call]]:
    """The calls of `tools` in order, each with its turn."""
    for turn in conversation.turns:
        yield from ((turn, call) for call in turn.calls if call.name in tools)


def before(conversation: Conversation, call: Call) -> Iterator[Call]:
    """The calls before `call`."""
    for earlier in conversation.calls:
        if earlier is call:
            return
        yield earlier


def said_before(conversation: Conversation, turn: Turn) -> Iterator[tuple[str, bool]]:
    """What was said up to the calls of `turn`, and whether by the user."""
    for earlier in conversation.turns[: turn.number + 1]:
        if earlier.user:
            yield earlier.user.text, True
        if earlier is not turn:
            yield from ((message.text, False) for message in earlier.texts)


def plain(value: Any) -> str:
    """A value as text in which `basic_economy`, "Basic Economy" and "basic-economy" are one."""
    return str(value).casefold().replace("_", " ").replace("-", " ")


def mentions(text: str, value: Any) -> bool:
    """Whether `text` holds a value as whole words, however they are joined (see `plain`)."""
    return bool(re.search(rf"(?<!\w){re.escape(plain(value))}(?!\w)", plain(text)))
