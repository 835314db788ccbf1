"""Kinds of rules about what a call may do to a record, and where its arguments come from."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.registry.rules.base import Parameters, Pattern

__all__ = ["Condition", "Eligibility", "KeptFields", "KnownArguments", "StatedArguments"]


class Condition(Parameters):
    """Something that holds of a record or was said by the user; all that is given must hold."""

    field: str | None = Field(None, description="key in the record; dots lead inside")
    one_of: tuple[str | int | float, ...] = Field((), description="compared without case")
    within_days: int | None = Field(None, ge=0, description="of the day of the conversation")
    said: tuple[Pattern, ...] = Field((), description="the user said one of these before")

    @model_validator(mode="after")
    def _tells(self) -> Self:
        tests = bool(self.one_of) or self.within_days is not None
        if tests != (self.field is not None) or not (tests or self.said):
            raise ValueError("give field with one_of or within_days, said, or both")
        return self


class Eligibility(Parameters):
    """A tool is called only for a record that meets one of the conditions."""

    kind: Literal["eligibility"] = "eligibility"
    tools: tuple[str, ...] = Field(min_length=1)
    any_of: tuple[Condition, ...] = Field(min_length=1)
    same: str | None = Field(None, description="argument that names the record; none: any record")


class KeptFields(Parameters):
    """A call leaves what it may not change as it stands in the record."""

    kind: Literal["kept_fields"] = "kept_fields"
    tools: tuple[str, ...] = Field(min_length=1)
    same: str = Field(description="argument that names the record, e.g. order_id")
    keep: tuple[str, ...] = Field((), description="values that stay; dots lead inside")
    keep_length: tuple[str, ...] = Field((), description="lists that stay as long as they are")
    not_less: tuple[str, ...] = Field((), description="numbers that may only grow")
    when: tuple[Condition, ...] = Field((), description="only records that meet one of these")

    @model_validator(mode="after")
    def _one_at_least(self) -> Self:
        if not (self.keep or self.keep_length or self.not_less):
            raise ValueError("give keep, keep_length or not_less")
        return self


class KnownArguments(Parameters):
    """What a call names had been looked up before, or the user had given it."""

    kind: Literal["known_arguments"] = "known_arguments"
    tools: tuple[str, ...] = Field(min_length=1)
    arguments: tuple[str, ...] = Field(min_length=1, description="dots lead inside")
    sources: tuple[str, ...] = Field((), description="only results of these tools count")


class StatedArguments(Parameters):
    """What a call does had been said in the conversation before."""

    kind: Literal["stated_arguments"] = "stated_arguments"
    tools: tuple[str, ...] = Field(min_length=1)
    arguments: tuple[str, ...] = Field(min_length=1, description="dots lead inside")
    described_by: tuple[str, ...] = Field(
        (), description="keys of a looked-up object with that id whose values name it as well"
    )
    or_said: tuple[Pattern, ...] = Field((), description="words that stand for it, by either side")
