"""A trace as the graders see it: turns of a conversation, each with what was called and found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, TypeVar

__all__ = ["Call", "Conversation", "Document", "Message", "Turn", "is_empty"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Message:
    """One message with text; `index` is its place in the trace's list of messages."""

    index: int
    role: str
    text: str
    finish_reason: str | None = None

    @property
    def ref(self) -> str:
        """How evidence names it."""
        return f"message:{self.index}"


@dataclass(frozen=True, slots=True)
class Call:
    """One run of a tool; `arguments` and `result` are parsed where they are JSON, else None."""

    ref: str
    name: str
    arguments: Any
    arguments_text: str
    result: Any
    result_text: str
    status: str  # ok, error, timeout
    recorded: bool = True  # false where the trace kept no result at all

    @property
    def failed(self) -> bool:
        """Whether the tool gave no result."""
        return self.status != "ok"

    @property
    def empty(self) -> bool:
        """Whether the tool succeeded and found nothing."""
        if self.failed or not self.recorded:
            return False
        if self.result is None:
            return self.result_text.strip().strip('"').lower() in ("", "null", "none", "no results")
        return is_empty(self.result)


@dataclass(frozen=True, slots=True)
class Document:
    """One document that a search returned."""

    id: str
    content: str
    score: float | None
    ref: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What the user said, what the agent did, what it answered."""

    number: int
    user: Message | None
    texts: tuple[Message, ...]
    calls: tuple[Call, ...]
    documents: tuple[Document, ...]
    queries: tuple[str, ...]

    @property
    def answer(self) -> Message | None:
        """The agent's last text of the turn."""
        return self.texts[-1] if self.texts else None


@dataclass(frozen=True)
class Conversation:
    """A whole trace; `system` is the text of the system messages.

    `output_type` is what the request asked of the model by `gen_ai.output.type`, if it said so;
    `started_on` is the UTC day of the first span.
    """

    trace_id: str
    system: str
    turns: tuple[Turn, ...]
    message_count: int
    output_type: str | None = None
    started_on: date | None = None

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """All calls in order."""
        return tuple(call for turn in self.turns for call in turn.calls)

    @cached_property
    def documents(self) -> tuple[Document, ...]:
        """All documents in order."""
        return tuple(document for turn in self.turns for document in turn.documents)

    @cached_property
    def answered(self) -> tuple[tuple[Turn, Message, Message], ...]:
        """The turns in which a user spoke and was answered: (turn, user message, answer)."""
        return tuple(
            (turn, turn.user, turn.answer) for turn in self.turns if turn.user and turn.answer
        )

    @cached_property
    def refs(self) -> frozenset[str]:
        """All that evidence may name: messages, calls and documents."""
        places = {f"message:{index}" for index in range(self.message_count)}
        places.update(call.ref for call in self.calls)
        return frozenset(places.union(document.ref for document in self.documents))

    @cached_property
    def user_text(self) -> str:
        """All that the user wrote."""
        return "\n".join(turn.user.text for turn in self.turns if turn.user)

    @cached_property
    def _derived(self) -> dict[object, Any]:
        return {}

    def once(self, name: object, derive: Callable[[], T]) -> T:
        """What `derive` gives, worked out once for the conversation however many rules ask.

        Args:
            name: tells it from all else that is derived; holds whatever `derive` depends on
                besides the conversation.
            derive: works it out.
        """
        if name not in self._derived:
            self._derived[name] = derive()
        found: T = self._derived[name]
        return found

    def next_user(self, turn: Turn) -> Message | None:
        """What the user said after `turn`."""
        later = (self.turns[number].user for number in range(turn.number + 1, len(self.turns)))
        return next(filter(None, later), None)


def is_empty(value: Any) -> bool:
    """Whether a parsed result holds nothing: no value but null, false, 0, "" and empty lists.

    An object of one key that is only false (`{"sent": false}`) is an answer, not nothing.
    """
    if value is None or value == "" or value == [] or value == {}:
        return True
    if isinstance(value, Mapping):
        values = list(value.values())
        return any(v in (None, "", [], {}) for v in values) and all(
            is_empty(v) or v is False or v == 0 for v in values
        )
    return False
