"""One rule: a kind of check, its parameters, where it counts, and examples of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from pipeline.registry.loading import DatedEntry
from pipeline.registry.rules.answers import (
    Citation,
    JsonContract,
    Language,
    LeakedPrompt,
    LeakedSecret,
    Phrases,
    Register,
    RetrievalMiss,
    Truncated,
)
from pipeline.registry.rules.custom import PythonFunction
from pipeline.registry.rules.dialogue import (
    AskedAgain,
    Complaint,
    Escalation,
    ForgottenConstraint,
    Injection,
    TurnLimit,
)
from pipeline.registry.rules.examples import Example
from pipeline.registry.rules.records import (
    Eligibility,
    KeptFields,
    KnownArguments,
    StatedArguments,
)
from pipeline.registry.rules.tools import (
    AmountLimit,
    Confirmation,
    DateLimit,
    DueCall,
    EmptyResult,
    ExpectedTool,
    RepeatedCall,
    ToolArguments,
    ToolFailure,
    ToolOrder,
    ToolUse,
    Trajectory,
    UnansweredCall,
)

__all__ = ["GradeAxis", "Params", "Rule"]

GradeAxis = Literal["helpfulness", "faithfulness", "completeness", "tone", "contract", "safety"]

Params = Annotated[
    AmountLimit
    | AskedAgain
    | Citation
    | Complaint
    | Confirmation
    | DateLimit
    | DueCall
    | Eligibility
    | EmptyResult
    | Escalation
    | ExpectedTool
    | ForgottenConstraint
    | Injection
    | JsonContract
    | KeptFields
    | KnownArguments
    | Language
    | LeakedPrompt
    | LeakedSecret
    | Phrases
    | PythonFunction
    | Register
    | RepeatedCall
    | RetrievalMiss
    | StatedArguments
    | ToolArguments
    | ToolFailure
    | ToolOrder
    | ToolUse
    | Trajectory
    | Truncated
    | TurnLimit
    | UnansweredCall,
    Field(discriminator="kind"),
]


class Rule(DatedEntry):
    """One rule: what kind of check, with which parameters, on which intents.

    `examples` are run by `caselaw rules test`; no verdict depends on them, so they are no part of
    the rule's digest.
    """

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
    examples: tuple[Example, ...] = Field((), exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _name_the_kind(cls, raw: Any) -> Any:
        """Let the rule's `kind` choose the model of its `params`."""
        if isinstance(raw, dict) and isinstance(raw.get("params", {}), dict) and "kind" in raw:
            return raw | {"params": raw.get("params", {}) | {"kind": raw["kind"]}}
        return raw
