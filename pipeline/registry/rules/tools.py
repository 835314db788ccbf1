"""Kinds of rules about calls: which tools, in which order, with what, how often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.registry.rules.base import JsonSchema, Parameters, Pattern

__all__ = [
    "AmountLimit",
    "Confirmation",
    "DateLimit",
    "DueCall",
    "EmptyResult",
    "ExpectedTool",
    "RepeatedCall",
    "ToolArguments",
    "ToolFailure",
    "ToolOrder",
    "ToolUse",
    "Trajectory",
    "UnansweredCall",
]


class ExpectedTool(Parameters):
    """A right run calls one of the intent's `expected_tools`."""

    kind: Literal["expected_tool"] = "expected_tool"
    neutral: tuple[str, ...] = Field((), description="tools that are never the wrong one")
    writing: tuple[str, ...] = Field(
        (), description="tools that change something: another intent's is wrong without one's own"
    )


class AmountLimit(Parameters):
    """The numbers a tool is called with stay at or under a limit."""

    kind: Literal["amount_limit"] = "amount_limit"
    tool: str
    argument: str
    most: float
    per: str | None = Field(None, description="argument whose calls are added up, e.g. order_id")


class Confirmation(Parameters):
    """The user agreed before a tool that writes was called."""

    kind: Literal["confirmation"] = "confirmation"
    tools: tuple[str, ...] = Field(min_length=1)
    explicit: bool = Field(False, description="a yes to a proposal, since the last change")


class ToolFailure(Parameters):
    """A failed call is admitted (`ignored`), not replaced by an answer from memory (`invented`)."""

    kind: Literal["tool_failure"] = "tool_failure"
    shape: Literal["ignored", "invented"]


class EmptyResult(Parameters):
    """An empty look-up is not stated as a fact about the world."""

    kind: Literal["empty_result"] = "empty_result"


class RepeatedCall(Parameters):
    """No tool is called with the same arguments and the same outcome again and again."""

    kind: Literal["repeated_call"] = "repeated_call"
    times: int = Field(3, ge=2)


class ToolUse(Parameters):
    """A run calls every required tool and none that is forbidden."""

    kind: Literal["tool_use"] = "tool_use"
    required: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_at_least(self) -> Self:
        if not (self.required or self.forbidden):
            raise ValueError("give required, forbidden or both")
        return self


class ToolOrder(Parameters):
    """One of `first` has succeeded before any of `then` is called."""

    kind: Literal["tool_order"] = "tool_order"
    first: tuple[str, ...] = Field(min_length=1)
    then: tuple[str, ...] = Field(min_length=1)
    same: str | None = Field(None, description="argument that both calls share, e.g. order_id")


class ToolArguments(Parameters):
    """Calls carry arguments that the tool's own JSON schema allows."""

    kind: Literal["tool_arguments"] = "tool_arguments"
    schemas: Mapping[str, JsonSchema] = Field(min_length=1, description="by tool")


class DateLimit(Parameters):
    """A tool is not called later than so many days after a date that a look-up gave."""

    kind: Literal["date_limit"] = "date_limit"
    tools: tuple[str, ...] = Field(min_length=1)
    since: str = Field(description="key of the date in an earlier result, e.g. delivered_on")
    days: int = Field(ge=0)
    same: str | None = Field(None, description="argument that both calls share, e.g. order_id")


class DueCall(Parameters):
    """Where the user says something, a tool that it calls for runs."""

    kind: Literal["due_call"] = "due_call"
    when: tuple[Pattern, ...] = Field(min_length=1, description="in the user's words")
    tools: tuple[str, ...] = Field(min_length=1, description="one of them is called, any time")


class UnansweredCall(Parameters):
    """The conversation does not end with a call of which the user hears nothing."""

    kind: Literal["unanswered_call"] = "unanswered_call"
    closing: tuple[str, ...] = Field((), description="tools that may end it: they hand over")


class Trajectory(Parameters):
    """The way to the answer was neither a detour nor far beyond what its intent costs."""

    kind: Literal["trajectory"] = "trajectory"
    retries: int = Field(3, ge=1, description="failed calls with the same arguments: as many fail")
    redundant: int = Field(3, ge=2, description="times the same is looked up in a conversation")
    circle: int = Field(2, ge=2, description="times a round of two or more calls is gone through")
    norm_factor: float = Field(4.0, gt=1, description="turns or tokens over the intent's median")
    norm_traces: int = Field(10, ge=2, description="sampled traces of the intent for a median")
