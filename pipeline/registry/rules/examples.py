"""Examples of a rule: small conversations with the verdict that the rule must give."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Example", "ExampleDocument", "ExampleStep"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExampleDocument(_Strict):
    """A document that a search returned."""

    id: str
    content: str
    score: float | None = None


class ExampleStep(_Strict):
    """One step: a text of `user`, `agent` or `system`; a `call` of a tool; or a `search`."""

    user: str | None = None
    agent: str | None = None
    system: str | None = None
    call: str | None = Field(None, description="name of the tool, also of one that searches")
    arguments: dict[str, Any] = Field(default_factory=dict)
    result: Any = Field(None, description="a text as it is, anything else as JSON")
    status: Literal["ok", "error", "timeout"] = "ok"
    search: str | None = Field(None, description="what was searched for")
    documents: tuple[ExampleDocument, ...] = ()
    finish_reason: str = "stop"


class Example(_Strict):
    """A conversation, the verdict a rule owes it, and what it was sampled as."""

    verdict: Literal["pass", "fail", "unknown", "skipped"]
    error_class: str | None = Field(None, description="the code of the fail, where it matters")
    intent: str | None = Field(None, description="id of an intent; none: unknown")
    intent_score: float = 0.9
    started_on: date = Field(date(2026, 11, 10), description="UTC day of the conversation")
    output_type: str | None = Field(None, description="what gen_ai.output.type asks for")
    steps: tuple[ExampleStep, ...] = Field(min_length=1)
