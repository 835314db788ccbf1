"""What an agent did when it was given a case, as any tool can tell it: a text, or much more.

What an answer does not tell is undecided: an answer that is a text alone says nothing of tools,
so that no check of tools passes or fails on it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from pipeline.ids import canonical_json

__all__ = ["Answer", "AnswerRefused", "GivenCall", "GivenDocument", "GivenMessage"]


class AnswerRefused(ValueError):
    """What was given is no answer; the message quotes nothing of it."""


class _Given(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class GivenCall(_Given):
    """A call of a tool; `arguments` and `result` are texts or JSON."""

    name: str
    arguments: JsonValue = None
    result: JsonValue = None
    status: Literal["ok", "error", "timeout"] = "ok"


class GivenFunction(_Given):
    """Name and arguments as chat completions nest them."""

    name: str
    arguments: JsonValue = None


class AskedCall(_Given):
    """A call in a message: flat as suites write it, or with a `function` as chat completions do."""

    id: str | None = None
    name: str | None = None
    arguments: JsonValue = None
    function: GivenFunction | None = None


class GivenMessage(_Given):
    """A message of the agent's turn."""

    role: Literal["system", "assistant", "tool"]
    content: str | None = None
    tool_calls: tuple[AskedCall, ...] | None = None
    tool_call_id: str | None = None
    name: str | None = None


class GivenDocument(_Given):
    """A document that the agent found."""

    id: str
    content: str = ""
    score: float | None = None


class Answer(BaseModel):
    """An agent's turn: a text, or what it said and called; all but the answer may be left out.

    `texts` are all that it said, the answer last; `messages` the turn as chat messages, from
    which texts and calls are read. `turns` (of the user) and `tokens` are of the whole
    conversation. `documents` replace those of the case, `system` is the agent's prompt.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    answer: str | None = None
    texts: tuple[str, ...] = ()
    messages: tuple[GivenMessage, ...] | None = None
    calls: tuple[GivenCall, ...] | None = None
    documents: tuple[GivenDocument, ...] | None = None
    system: str | None = None
    finish_reason: str | None = None
    turns: int | None = None
    tokens: int | None = None

    @classmethod
    def read(cls, given: object) -> Answer:
        """Read an answer: a text, or a mapping of the fields.

        Raises:
            AnswerRefused: it is neither.
        """
        try:
            canonical_json(given if isinstance(given, str | dict) else None)
        except TypeError:
            raise AnswerRefused(
                "an answer holds what JSON cannot: half a character, or a number of over 64 bits"
            ) from None
        try:
            return cls(answer=given) if isinstance(given, str) else cls.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_input=False, include_context=False, include_url=False)[0]
            field = first["loc"][0] if first["loc"] and first["loc"][0] in cls.model_fields else ""
            raise AnswerRefused(
                f"an answer is a text or a mapping of {', '.join(cls.model_fields)}"
                + (f"; {field!r} is not as it should be" if field else "")
            ) from None

    @property
    def tells_calls(self) -> bool:
        """Whether it says which tools were called, none being a way to say so."""
        return self.calls is not None or self.messages is not None
