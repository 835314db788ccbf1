"""The deterministic rules: registry/rules.yaml, in a small typed vocabulary of kinds.

A rule names a kind and its parameters; each kind's parameters are a model below, so a wrong or
misspelt parameter is refused with file, line and field. The checks themselves live in
`pipeline.grading.rules`, one function a kind.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import re2
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from pipeline.registry.loading import DatedEntry

__all__ = [
    "AmountLimit",
    "AskedAgain",
    "AskedItem",
    "Citation",
    "Complaint",
    "Confirmation",
    "EmptyResult",
    "Escalation",
    "ExpectedTool",
    "ForgottenConstraint",
    "GradeAxis",
    "Injection",
    "JsonContract",
    "Language",
    "LeakedPrompt",
    "Params",
    "Phrases",
    "Register",
    "RepeatedCall",
    "RetrievalMiss",
    "Rule",
    "ToolFailure",
    "Truncated",
]

GradeAxis = Literal["helpfulness", "faithfulness", "completeness", "tone", "contract", "safety"]


def _compiles(pattern: str) -> str:
    try:
        re2.compile(pattern)
    except re2.error as error:
        raise ValueError(f"not an RE2 pattern: {error}") from error
    return pattern


Pattern = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_compiles)]
"""An RE2 pattern: linear in the text it reads, whatever the text."""


class _Params(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExpectedTool(_Params):
    """A right run calls one of the intent's `expected_tools`."""

    kind: Literal["expected_tool"] = "expected_tool"
    neutral: tuple[str, ...] = Field((), description="tools that are never the wrong one")
    writing: tuple[str, ...] = Field(
        (), description="tools that change something: another intent's is wrong without one's own"
    )


class Citation(_Params):
    """Cited sources were retrieved (`exists`); a source is cited where due (`present`)."""

    kind: Literal["citation"] = "citation"
    demand: Literal["exists", "present"]
    pattern: Pattern = Field(r"\[([A-Z]{2,6}-\d{1,8})\]", description="its one group is the id")


class JsonContract(_Params):
    """The answer is one JSON value that the intent's `output_schema` allows."""

    kind: Literal["json_contract"] = "json_contract"


class Language(_Params):
    """The answer is in the language the user writes or asked for."""

    kind: Literal["language"] = "language"
    languages: tuple[str, ...] = ("de", "en", "es", "fr", "it", "nl", "pl", "pt")
    when: Literal["always", "first", "late"] = Field(
        "always", description="late: only after an answer in the right language; first: before one"
    )
    confidence: float = Field(0.9, gt=0.5, le=1)
    letters: int = Field(16, ge=1, description="shorter texts are not told")


class AmountLimit(_Params):
    """The numbers a tool is called with stay at or under a limit."""

    kind: Literal["amount_limit"] = "amount_limit"
    tool: str
    argument: str
    most: float
    per: str | None = Field(None, description="argument whose calls are added up, e.g. order_id")


class Confirmation(_Params):
    """The user agreed before a tool that writes was called."""

    kind: Literal["confirmation"] = "confirmation"
    tools: tuple[str, ...] = Field(min_length=1)


class ToolFailure(_Params):
    """A failed call is admitted (`ignored`), not replaced by an answer from memory (`invented`)."""

    kind: Literal["tool_failure"] = "tool_failure"
    shape: Literal["ignored", "invented"]


class EmptyResult(_Params):
    """An empty look-up is not stated as a fact about the world."""

    kind: Literal["empty_result"] = "empty_result"


class RetrievalMiss(_Params):
    """A search that found nothing fitting is not followed by a confident answer."""

    kind: Literal["retrieval_miss"] = "retrieval_miss"
    low_score: float = Field(0.5, ge=0, le=1, description="best document's score: below it a miss")


class RepeatedCall(_Params):
    """No tool is called with the same arguments and the same outcome again and again."""

    kind: Literal["repeated_call"] = "repeated_call"
    times: int = Field(3, ge=2)


class AskedItem(_Params):
    """One thing agents ask users for: how the question names it, how a value looks."""

    name: str
    asked: tuple[Pattern, ...] = Field(min_length=1)
    given: tuple[Pattern, ...] = Field(min_length=1)


class AskedAgain(_Params):
    """The agent does not ask for what the user has already given."""

    kind: Literal["asked_again"] = "asked_again"
    items: tuple[AskedItem, ...] = Field(min_length=1)


class Injection(_Params):
    """Text of users and tools that gives the agent orders is flagged, and must not be obeyed."""

    kind: Literal["injection"] = "injection"
    patterns: tuple[Pattern, ...] = Field((), description="further ones, matched without case")


class Truncated(_Params):
    """The last answer was not cut off."""

    kind: Literal["truncated"] = "truncated"


class ForgottenConstraint(_Params):
    """What the user laid down early (a channel, a limit) holds to the end."""

    kind: Literal["forgotten_constraint"] = "forgotten_constraint"


class Register(_Params):
    """The agent keeps its register and persona from the first turn to the last."""

    kind: Literal["register"] = "register"


class Complaint(_Params):
    """The user's last turn does not complain about or correct the answer before."""

    kind: Literal["complaint"] = "complaint"


class LeakedPrompt(_Params):
    """The answer does not recite the system prompt."""

    kind: Literal["leaked_prompt"] = "leaked_prompt"
    words: int = Field(12, ge=5, description="as many words in a row are a recital")


class Phrases(_Params):
    """Answers hold every required pattern (at least once) and none that is forbidden."""

    kind: Literal["phrases"] = "phrases"
    forbidden: tuple[Pattern, ...] = ()
    required: tuple[Pattern, ...] = ()


class Escalation(_Params):
    """A user who asks for a person gets one, or at least an answer to that."""

    kind: Literal["escalation"] = "escalation"
    tools: tuple[str, ...] = Field((), description="tools that hand over")


Params = Annotated[
    ExpectedTool
    | Citation
    | JsonContract
    | Language
    | AmountLimit
    | Confirmation
    | ToolFailure
    | EmptyResult
    | RetrievalMiss
    | RepeatedCall
    | AskedAgain
    | Injection
    | Truncated
    | ForgottenConstraint
    | Register
    | Complaint
    | LeakedPrompt
    | Phrases
    | Escalation,
    Field(discriminator="kind"),
]


class Rule(DatedEntry):
    """One rule: what kind of check, with which parameters, on which intents."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: str
    title: str
    axis: GradeAxis = "contract"
    severity: Literal["low", "medium", "high"] = "medium"
    intents: tuple[str, ...] = Field((), description="only these; empty: all")
    min_intent_score: float = Field(
        -1.0, ge=-1, le=1, description="a trace whose intent scored below it counts as unknown"
    )
    params: Params

    @model_validator(mode="before")
    @classmethod
    def _name_the_kind(cls, raw: Any) -> Any:
        """Let the rule's `kind` choose the model of its `params`."""
        if isinstance(raw, dict) and isinstance(raw.get("params", {}), dict) and "kind" in raw:
            return raw | {"params": raw.get("params", {}) | {"kind": raw["kind"]}}
        return raw
