"""Kinds of rules about the conversation: what users ask, say again, complain of, and order."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.registry.rules.base import Parameters, Pattern

__all__ = [
    "AskedAgain",
    "AskedItem",
    "Complaint",
    "Escalation",
    "ForgottenConstraint",
    "Injection",
    "TurnLimit",
]


class AskedItem(Parameters):
    """One thing agents ask users for: how the question names it, how a value looks."""

    name: str
    asked: tuple[Pattern, ...] = Field(min_length=1)
    given: tuple[Pattern, ...] = Field(min_length=1)


class AskedAgain(Parameters):
    """The agent does not ask for what the user has already given."""

    kind: Literal["asked_again"] = "asked_again"
    items: tuple[AskedItem, ...] = Field(min_length=1)


class Complaint(Parameters):
    """The user's last turn does not complain about or correct the answer before."""

    kind: Literal["complaint"] = "complaint"


class Escalation(Parameters):
    """A user who asks for a person gets one, or at least an answer to that."""

    kind: Literal["escalation"] = "escalation"
    tools: tuple[str, ...] = Field((), description="tools that hand over")


class ForgottenConstraint(Parameters):
    """What the user laid down early (a channel, a limit) holds to the end."""

    kind: Literal["forgotten_constraint"] = "forgotten_constraint"


class Injection(Parameters):
    """Text of users and tools that gives the agent orders is flagged, and must not be obeyed."""

    kind: Literal["injection"] = "injection"
    patterns: tuple[Pattern, ...] = Field((), description="further ones, matched without case")


class TurnLimit(Parameters):
    """The conversation ends within so many turns of the user, and calls of tools."""

    kind: Literal["turn_limit"] = "turn_limit"
    turns: int | None = Field(None, ge=1)
    calls: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _one_at_least(self) -> Self:
        if self.turns is None and self.calls is None:
            raise ValueError("give turns, calls or both")
        return self
