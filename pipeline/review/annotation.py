"""What one person said of one trace at one time: the content of an annotation file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from pipeline.ids import digest

__all__ = ["Action", "Annotation", "StoredAnnotation", "Verdict"]

Verdict = Literal["good", "bad", "partial"]
Action = Literal["verdict", "skip", "undo", "unblind"]

_LATER_FIELDS: Mapping[str, object] = {"action": "verdict", "supersedes": ()}
"""Fields that came after the first files: while they say nothing, they are no part of the id."""


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("outside of the years 1 to 9999") from None


class Annotation(BaseModel):
    """One action of one person.

    Attributes:
        action: a `verdict`; a `skip`, with its reason in `note`; an `undo` of what `supersedes`
            names; or `unblind`: from here on the person has seen what judge and rules say.
        blind: that the person did not see what the judge or a rule had said.
        queue_reason: why the queue showed the trace: `random`, or the code of what it waits for.
        inclusion_probability: the chance with which the queue showed this trace, null where nobody
            knows.
        supersedes: ids of annotations of the same person that count no more.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    trace_id: str = Field(min_length=1, max_length=200)
    verdict: Verdict | None = None
    axes: Mapping[str, Literal["pass", "fail"]] = Field(default_factory=dict)
    failure_mode: str | None = None
    note: str | None = None
    corrected_output: str | None = None
    annotator_id: str = Field(min_length=1, max_length=200)
    annotated_at: Annotated[AwareDatetime, AfterValidator(_in_utc)]
    blind: bool = False
    queue_reason: str | None = None
    inclusion_probability: float | None = Field(None, gt=0, le=1)
    action: Action = "verdict"
    supersedes: tuple[str, ...] = Field((), max_length=1000)

    @model_validator(mode="after")
    def _require_verdict(self) -> Self:
        """A verdict says good, bad or partial; the other actions say none."""
        if (self.verdict is None) == (self.action == "verdict"):
            raise ValueError(
                "verdict is missing" if self.verdict is None else "only a verdict has a verdict"
            )
        return self

    @property
    def annotation_id(self) -> str:
        """The digest of everything it says: writing it twice leaves one file."""
        body = self.model_dump(mode="python")
        unsaid = {name for name, value in _LATER_FIELDS.items() if body[name] == value}
        return digest({k: v for k, v in body.items() if k not in unsaid}, size=12)


class StoredAnnotation(Annotation):
    """An annotation as a file holds it, under the id that its writer gave it, if any."""

    stored_id: str | None = Field(None, alias="annotation_id", pattern=r"^[0-9a-f]{8,64}$")

    @property
    def key(self) -> str:
        """The id given, else the digest of its content."""
        return self.stored_id or self.annotation_id
