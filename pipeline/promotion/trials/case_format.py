"""The case as it is read back: what a replay needs of it, checked field by field.

`docs/cases.md` describes the format. People edit cases, so nothing is taken for granted; fields
that are not named here belong to the suite or to whoever added them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.promotion.check_kinds import Check

__all__ = ["Case", "CaseError", "Fixture", "SearchFixture", "read_case"]


class CaseError(ValueError):
    """A case cannot be read: the message names the case and the field, never its text."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class AskedCall(_Part):
    """A call as an assistant's message asks for it."""

    id: str | None = None
    name: str
    arguments: str | None = None


class CaseMessage(_Part):
    """One message before the turn under test."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str | None = None
    tool_calls: tuple[AskedCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None


class Fixture(_Part):
    """What a tool answered when it was called with these arguments (JSON texts)."""

    name: str
    arguments: str | None = None
    result: str | None = None
    status: Literal["ok", "error", "timeout"] = "ok"


class FixtureDocument(_Part):
    """A document that a search found."""

    id: str | None = None
    content: str | None = None
    score: float | None = None


class SearchFixture(_Part):
    """What a search found."""

    query: str | None = None
    documents: tuple[FixtureDocument, ...] = ()


class _Tools(_Part):
    fixtures: tuple[Fixture, ...] = ()
    documents: tuple[SearchFixture, ...] = ()


class _Recorded(_Part):
    answer: str = ""
    said_before: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    calls_after_answer: int = Field(0, ge=0)
    last_turn: bool = True
    finish_reason: str | None = None
    turns: int | None = None
    tokens: int | None = None


class _Input(_Part):
    messages: tuple[CaseMessage, ...] = ()


class _Provenance(_Part):
    day: date | None = None


class Case(_Part):
    """A case, as far as running it needs."""

    id: str = Field(min_length=1)
    input: _Input = _Input()
    tools: _Tools = _Tools()
    recorded: _Recorded = _Recorded()
    checks: tuple[Check, ...] = ()
    provenance: _Provenance = _Provenance()

    @property
    def calls_before(self) -> tuple[Fixture, ...]:
        """The calls of the turns before the one under test."""
        fixtures = self.tools.fixtures
        return fixtures[: max(len(fixtures) - len(self.recorded.calls), 0)]

    @property
    def calls_recorded(self) -> tuple[Fixture, ...]:
        """The calls that the recorded turn made; they come last among the fixtures."""
        return self.tools.fixtures[len(self.calls_before) :]


def read_case(raw: Mapping[str, Any]) -> Case:
    """Read a case of the suite, or the `case` of `promoted_cases` once parsed.

    Raises:
        CaseError: naming the case and the field that is wrong.
    """
    try:
        return Case.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        name = raw.get("id") if isinstance(raw.get("id"), str) else "a case without an id"
        raise CaseError(f"{name}: {where}: {first['msg']}") from None
