"""The deterministic rules: registry/rules.yaml, in a small typed vocabulary of kinds.

A rule names a kind and its parameters; each kind's parameters are a model below, so a wrong or
misspelt parameter is refused with file, line and field. The checks themselves live in
`pipeline.grading.rules`, one function a kind.
"""

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
from pipeline.registry.rules.base import Parameters, Pattern
from pipeline.registry.rules.custom import PythonFunction
from pipeline.registry.rules.dialogue import (
    AskedAgain,
    AskedItem,
    Complaint,
    Escalation,
    ForgottenConstraint,
    Injection,
    TurnLimit,
)
from pipeline.registry.rules.examples import Example, ExampleDocument, ExampleStep
from pipeline.registry.rules.records import (
    Condition,
    Eligibility,
    KeptFields,
    KnownArguments,
    StatedArguments,
)
from pipeline.registry.rules.rule import KINDS, GradeAxis, Params, Rule
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

__all__ = [
    "KINDS",
    "AmountLimit",
    "AskedAgain",
    "AskedItem",
    "Citation",
    "Complaint",
    "Condition",
    "Confirmation",
    "DateLimit",
    "DueCall",
    "Eligibility",
    "EmptyResult",
    "Escalation",
    "Example",
    "ExampleDocument",
    "ExampleStep",
    "ExpectedTool",
    "ForgottenConstraint",
    "GradeAxis",
    "Injection",
    "JsonContract",
    "KeptFields",
    "KnownArguments",
    "Language",
    "LeakedPrompt",
    "LeakedSecret",
    "Parameters",
    "Params",
    "Pattern",
    "Phrases",
    "PythonFunction",
    "Register",
    "RepeatedCall",
    "RetrievalMiss",
    "Rule",
    "StatedArguments",
    "ToolArguments",
    "ToolFailure",
    "ToolOrder",
    "ToolUse",
    "Trajectory",
    "Truncated",
    "TurnLimit",
    "UnansweredCall",
]
