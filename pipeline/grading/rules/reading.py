"""Reading what calls carry: arguments, values under a key, and the record that a call is about."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

from pipeline.grading.conversation import Call, Conversation, Message
from pipeline.ids import canonical_json

__all__ = [
    "Records",
    "argument",
    "before",
    "key_of",
    "objects",
    "plain",
    "record_before",
    "steps",
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


class Records:
    """What calls have told of each thing, by the value of the argument `same` that names it.

    It is filled call by call, so that a conversation is read once however many calls it has. The
    later call stands over the sooner: results of calls with that argument, objects of results
    that hold it, and what calls of `writes` set, since a tool may answer with the record as it
    was.
    """

    def __init__(self, same: str, writes: tuple[str, ...]) -> None:
        self._same, self._writes = same, writes
        self._known: dict[Hashable, dict[str, Any]] = {}

    def of(self, call: Call) -> dict[str, Any] | None:
        """The record that `call` names, as the calls that were added tell it; None: not known."""
        name = argument(call, self._same)
        return None if name is None else self._known.get(key_of(name)) or None

    def add(self, call: Call) -> None:
        """Let a call tell what it has to tell; one that failed tells nothing."""
        if call.failed:
            return
        own = argument(call, self._same)
        mine = None if own is None else key_of(own)
        whole = mine is not None and isinstance(call.result, Mapping)
        told: dict[Hashable, Mapping[str, Any]] = {mine: call.result} if whole else {}
        for found in objects(call.result):
            if found.get(self._same) is not None:
                told.setdefault(key_of(found[self._same]), found)
        for name, found in told.items():
            self._known.setdefault(name, {}).update(found)
        if mine is not None and call.name in self._writes:
            self._known.setdefault(mine, {}).update(call.arguments)


def record_before(
    conversation: Conversation, call: Call, same: str, writes: tuple[str, ...]
) -> dict[str, Any] | None:
    """The record that `call` names by its argument `same`, as it stood before; None: not known.

    Whoever asks for every call of a conversation fills `Records` along the way instead.
    """
    known = Records(same, writes)
    for earlier in before(conversation, call):
        known.add(earlier)
    return known.of(call)


def steps(conversation: Conversation) -> Iterator[Message | Call]:
    """Everything in the order in which a call knows of it.

    A turn's user speaks before its calls; what the agent says in it is known only afterwards.
    """
    for turn in conversation.turns:
        if turn.user:
            yield turn.user
        yield from turn.calls
        yield from turn.texts


def before(conversation: Conversation, call: Call) -> Iterator[Call]:
    """The calls before `call`."""
    for earlier in conversation.calls:
        if earlier is call:
            return
        yield earlier


def key_of(value: Any) -> Hashable:
    """A parsed value as a key of a dict: equal values have equal keys."""
    return canonical_json(value) if isinstance(value, list | dict) else value


def plain(value: Any) -> str:
    """A value as text in which `basic_economy`, "Basic Economy" and "basic-economy" are one."""
    return str(value).casefold().replace("_", " ").replace("-", " ")
