"""What is pulled from Langfuse, whichever API it has, and what grading needs of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.connectors.landed import Row
from pipeline.connectors.paging import Field
from pipeline.connectors.report import filled

__all__ = ["CONTENT", "ROOT", "SCORE", "SIZES", "WHO", "LangfuseFilters", "iso"]

ROOT = "/api/public"
SIZES = (100, 50, 25, 5, 1)
_MODELS = ("GENERATION", "EMBEDDING")


@dataclass(frozen=True)
class LangfuseFilters:
    """What to pull; all of it must hold. `name` is the trace's."""

    environments: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    user: str | None = None
    session: str | None = None
    name: str | None = None
    metadata_keys: tuple[str, ...] = ()
    """Keys of metadata to get in full: the current API cuts other values at 200 characters."""
    api: str = "auto"
    score_days: int = 7
    """Days after the window in which scores still come."""

    @property
    def by_trace(self) -> bool:
        """Whether traces are chosen by what only they, and not their scores, can tell."""
        return bool(self.tags or self.user or self.session or self.name)


def iso(moment: datetime) -> str:
    """A time as Langfuse writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _is_model(row: Row) -> bool:
    return row.get("type") in _MODELS


_TOKENS = filled("usageDetails", "usage.input", "usage.output", "inputUsage", "outputUsage")
_COST = filled("costDetails", "totalCost", "calculatedTotalCost")
_SESSION = "turns of one conversation cannot be joined; set session_id on the traces"
CONTENT = (
    Field("input", filled("input"), _is_model, "the user's words may be missing"),
    Field("output", filled("output"), _is_model, "answers cannot be graded"),
    Field("model", filled("model", "providedModelName"), _is_model),
    Field("tokens", _TOKENS, _is_model, "tokens are unknown"),
    Field("cost", _COST, _is_model, "cost is priced from tokens where the model is known"),
)
WHO = (
    Field("session", filled("sessionId"), without=_SESSION),
    Field("user", filled("userId"), without="people cannot be told apart"),
)
SCORE = (Field("comment", filled("comment")),)
