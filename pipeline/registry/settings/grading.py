"""Settings of judges, and of when they are trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator

from pipeline.registry.settings.section import Section, Server

__all__ = ["Calibration", "Judge", "Juror"]

_Usd = Annotated[float, Field(ge=0)]


class Juror(Section):
    """One judge of a jury; what it does not name is as the section `judge` says."""

    engine: Literal["embedded", "litellm"]
    model: str | None = None
    api_base: Server | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    max_tokens: int | None = Field(None, ge=64)
    input_usd_per_million: _Usd | None = None
    output_usd_per_million: _Usd | None = None


class Judge(Section):
    """Which judge grades what survives the rules."""

    engine: Literal["embedded", "litellm"] = "embedded"
    jury: tuple[Juror, ...] = Field((), description="several judges, the majority decides")
    rates: Mapping[str, Mapping[Literal["low", "medium"], Annotated[float, Field(gt=0, le=1)]]] = (
        Field(
            default_factory=dict,
            description="by axis and stakes: the share of traces judged; high stakes are all",
        )
    )
    datamarking: bool = Field(True, description="mark every space of the trace as data")
    model: str | None = Field(None, description="litellm only: a pinned model snapshot")
    api_base: Server | None = Field(None, description="litellm only: an OpenAI-compatible server")
    temperature: float = Field(0.0, ge=0, le=2)
    max_tokens: int = Field(800, ge=64)
    timeout_seconds: float = Field(60, gt=0)
    concurrency: int = Field(8, ge=1)
    calls_per_second: float | None = Field(None, gt=0, description="of one process, at most")
    attempts: int = Field(3, ge=1, description="tries of one call before it is left pending")
    backoff_seconds: float = Field(1.0, ge=0, description="doubles with every try, jittered")
    budget_usd_per_run: float = Field(5.0, ge=0)
    budget_usd_per_day: float = Field(
        20.0, ge=0, description="of all runs on one UTC day of the clock"
    )
    input_usd_per_million: _Usd | None = Field(None, description="price, where litellm has none")
    output_usd_per_million: _Usd | None = None

    @field_validator("jury")
    @classmethod
    def _has_votes(cls, jury: tuple[Juror, ...]) -> tuple[Juror, ...]:
        if len(jury) == 1:
            raise ValueError("a jury has two members or more; for one judge leave it out")
        return jury


class Calibration(Section):
    """When a judge is trusted."""

    agreement: float = Field(0.85, ge=0, le=1, description="with people, to be trusted")
    labels: int = Field(30, ge=1, description="labelled traces an axis needs")
    blind_only: bool = Field(True, description="labels made with the judge's verdict in view: out")
