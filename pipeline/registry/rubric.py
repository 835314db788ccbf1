"""What the judge is asked: registry/rubric.yaml."""

from __future__ import annotations

from pydantic import Field, field_validator

from pipeline.registry.loading import DatedEntry

__all__ = ["Axis"]


class Axis(DatedEntry):
    """One axis of judgement: its definition, its pass line and worked examples."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    definition: str
    passes_when: str
    examples: tuple[str, ...] = ()
    codes: dict[str, str] = Field(
        default={"other": "The answer misses this axis in another way."},
        min_length=1,
        description="error class of a fail: the sentence that is stored as its reason",
    )
    apology_intents: tuple[str, ...] = Field(
        (), description="tone, embedded judge: intents whose answers owe a word of understanding"
    )
    apology_tools: tuple[str, ...] = Field(
        (), description="apology_intents: tools whose use shows that the intent was really that"
    )
    apology_proof: tuple[str, ...] = Field(
        (), description="tone, embedded judge: tools whose use owes it whatever the intent"
    )
    sure_intent_score: float = Field(
        -1.0, ge=-1, le=1, description="apology_intents: from here on the intent needs no such tool"
    )

    @field_validator("codes")
    @classmethod
    def _names_no_none(cls, codes: dict[str, str]) -> dict[str, str]:
        if "none" in codes:
            raise ValueError("none stands for no fail in a judge's answer: name it otherwise")
        return codes
