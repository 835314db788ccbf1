"""One rule: a kind of check, its parameters, where it counts, and examples of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union

from pydantic import Field, model_validator

from pipeline.registry.loading import DatedEntry
from pipeline.registry.rules import answers, custom, dialogue, records, tools
from pipeline.registry.rules.base import Parameters
from pipeline.registry.rules.examples import Example

__all__ = ["KINDS", "GradeAxis", "Params", "Rule"]

GradeAxis = Literal["helpfulness", "faithfulness", "completeness", "tone", "contract", "safety"]

KINDS: Final[tuple[type[Parameters], ...]] = tuple(
    sorted(
        (
            model
            for family in (answers, custom, dialogue, records, tools)
            for model in vars(family).values()
            if isinstance(model, type)
            and issubclass(model, Parameters)
            and "kind" in model.model_fields
        ),
        key=lambda model: str(model.model_fields["kind"].default),
    )
)
"""The models of all kinds: whatever a family declares with a `kind`."""

if TYPE_CHECKING:
    Params = Parameters
else:
    Params = Annotated[Union[KINDS], Field(discriminator="kind")]  # noqa: UP007


class Rule(DatedEntry):
    """One rule: what kind of check, with which parameters, on which intents.

    `examples` are run by `caselaw rules test`; no verdict depends on them, so they are no part of
    the rule's digest.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: str
    title: str = Field(min_length=1)
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
