"""The kinds of checks that a case may carry: plain mappings of a `kind` and its parameters.

So they are written down in the suite, where people can read and edit them and other tools can
run them. `pipeline.promotion.checks.passes` runs one.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from pipeline.registry.rules import Params

__all__ = [
    "ArgumentMax",
    "CallsMadeAgain",
    "CallsRepeated",
    "Check",
    "CitesAnyOf",
    "CitesOnlyRetrieved",
    "Contains",
    "DoesNotSay",
    "Effort",
    "FactsSupported",
    "JsonSchema",
    "LanguageIs",
    "NotContains",
    "NotCutOff",
    "Rubric",
    "RuleKept",
    "Says",
    "ToolCalled",
    "ToolNotCalled",
    "read_checks",
]

CITATION = r"\[([A-Z]{2,6}-\d{1,8})\]"


class _Check(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ToolCalled(_Check):
    """The turn calls at least one of these tools."""

    kind: Literal["tool_called"] = "tool_called"
    any_of: tuple[str, ...] = Field(min_length=1)


class ToolNotCalled(_Check):
    """The turn calls none of these tools."""

    kind: Literal["tool_not_called"] = "tool_not_called"
    none_of: tuple[str, ...] = Field(min_length=1)


class ArgumentMax(_Check):
    """An argument, added up by another over the conversation where `per` is set, stays low."""

    kind: Literal["argument_max"] = "argument_max"
    tool: str
    argument: str
    most: float
    per: str | None = None


class CallsRepeated(_Check):
    """The same call or the same long answer comes at most so many times."""

    kind: Literal["calls_repeated"] = "calls_repeated"
    most: int = Field(ge=1)


class CallsMadeAgain(_Check):
    """Over the conversation, calls that were answered are made again at most so many times."""

    kind: Literal["calls_made_again"] = "calls_made_again"
    most: int = Field(ge=0)


class CitesAnyOf(_Check):
    """The answer cites a source: one of these ids, or any where none are named."""

    kind: Literal["cites_any_of"] = "cites_any_of"
    ids: tuple[str, ...] = ()
    pattern: str = CITATION


class CitesOnlyRetrieved(_Check):
    """Every source that the answer cites was retrieved."""

    kind: Literal["cites_only_retrieved"] = "cites_only_retrieved"
    pattern: str = CITATION


class JsonSchema(_Check):
    """The answer is one JSON value that the schema allows, and nothing else."""

    kind: Literal["json_schema"] = "json_schema"
    value: dict[str, Any]


class LanguageIs(_Check):
    """The answer is in this language; too short a text to tell passes."""

    kind: Literal["language_is"] = "language_is"
    language: str
    languages: tuple[str, ...] = ("de", "en", "es", "fr", "it", "nl", "pl", "pt")
    confidence: float = 0.9
    letters: int = 20


class Says(_Check):
    """The answer does one of these things, as the lexicons of pipeline.grading tell."""

    kind: Literal["says"] = "says"
    any_of: tuple[str, ...] = Field(min_length=1)


class DoesNotSay(_Check):
    """The answer does none of these things, as the lexicons of pipeline.grading tell."""

    kind: Literal["does_not_say"] = "does_not_say"
    none_of: tuple[str, ...] = Field(min_length=1)


class Contains(_Check):
    """The answer holds one of these RE2 patterns, matched without case."""

    kind: Literal["contains"] = "contains"
    any_of: tuple[str, ...] = Field(min_length=1)


class NotContains(_Check):
    """No text of the turn holds one of these RE2 patterns, matched without case."""

    kind: Literal["not_contains"] = "not_contains"
    none_of: tuple[str, ...] = Field(min_length=1)


class FactsSupported(_Check):
    """Every number, date, id and amount in the answer was said or found before."""

    kind: Literal["facts_supported"] = "facts_supported"


class NotCutOff(_Check):
    """The model was not stopped at a limit."""

    kind: Literal["not_cut_off"] = "not_cut_off"


class Effort(_Check):
    """The whole conversation takes at most so many user turns and tokens."""

    kind: Literal["effort"] = "effort"
    most_turns: int | None = None
    most_tokens: int | None = None


class RuleKept(_Check):
    """The rule that failed in production does not fail on the case's conversation.

    `params` are the rule's own, with its `kind` (docs/rules.md): the case holds what it was
    promoted for, whatever becomes of the registry. A rule that is not about what the agent now
    did is kept.
    """

    kind: Literal["rule"] = "rule"
    rule: str
    params: Params


class Rubric(_Check):
    """A judge has to say: it cannot be decided without one."""

    kind: Literal["rubric"] = "rubric"
    axis: str
    passes_when: str


Check = Annotated[
    ToolCalled
    | ToolNotCalled
    | ArgumentMax
    | CallsRepeated
    | CallsMadeAgain
    | CitesAnyOf
    | CitesOnlyRetrieved
    | JsonSchema
    | LanguageIs
    | Says
    | DoesNotSay
    | Contains
    | NotContains
    | FactsSupported
    | NotCutOff
    | Effort
    | RuleKept
    | Rubric,
    Field(discriminator="kind"),
]
_ADAPTER: TypeAdapter[tuple[Check, ...]] = TypeAdapter(tuple[Check, ...])


def read_checks(raw: object) -> tuple[Check, ...]:
    """Read the checks of a case.

    Raises:
        pydantic.ValidationError: a kind or parameter is unknown.
    """
    return _ADAPTER.validate_python(raw)
