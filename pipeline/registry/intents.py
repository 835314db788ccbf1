"""The intents that people planned for: registry/intents.yaml."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.registry.loading import DatedEntry
from pipeline.registry.rules import Pattern
from pipeline.registry.rules.base import JsonSchema

__all__ = ["UNKNOWN", "Intent"]

UNKNOWN = "unknown"
"""The intent of traffic that is far from every known one."""


class Intent(DatedEntry):
    """One thing that users come for, how to recognise it, and what a right answer needs."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    stakes: Literal["low", "medium", "high"] = "low"
    exemplars: tuple[str, ...] = Field(min_length=1, description="things users say, any language")
    keywords: tuple[Pattern, ...] = Field((), description="RE2 patterns, matched without case")
    tools: tuple[str, ...] = Field(
        (), description="tools that point to this intent, and lend a trace its stakes"
    )
    expected_tools: tuple[str, ...] = Field((), description="a right run calls one of these")
    amount_stakes_above: float | None = Field(None, description="an amount that raises to high")
    cites: bool = Field(False, description="the answer must cite a retrieved document")
    output_schema: JsonSchema | None = Field(None, description="JSON schema of the answer")
    merged_into: str | None = None
