"""Settings of what is read, looked at and kept."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.registry.settings.section import Section

__all__ = ["Ingest", "Privacy", "Sampling"]

_LONGEST = 36_500  # days: a hundred years, so that the first day kept is always a date


class Ingest(Section):
    """How records become conversations."""

    conversation_gap_minutes: int = Field(30, ge=1, description="one-turn traces join below it")
    largest_record_mb: int = Field(64, ge=1, description="a larger record is quarantined")
    quarantine_ratio: float = Field(0.05, ge=0, le=1, description="above it the day fails")
    settle_minutes: int = Field(
        60, ge=0, description="a file changed within them may still be growing; late ones wait"
    )


class Sampling(Section):
    """How many traces a day are looked at, and which."""

    budget_per_day: Annotated[int, Field(ge=1)] | Literal["all"] = Field(
        200, description="traces drawn a day, or all"
    )
    floor_per_stratum: int = Field(2, ge=1, description="a stratum below it is taken whole")
    census_stakes: tuple[str, ...] = Field(("high",), description="stakes taken whole")
    anomaly_share: float = Field(0.15, ge=0, lt=1, description="of the budget, drawn by anomaly")
    unknown_below: float = Field(0.37, ge=-1, le=1, description="intent score: unknown below it")
    unknown_false_alarms: float = Field(
        0.1, gt=0, lt=1, description="of requests worded as exemplars, called far by the week"
    )
    unknown_stakes: Literal["low", "medium", "high"] = Field(
        "medium", description="stakes of an unknown intent, raised like the others"
    )
    largest_share: float = Field(
        1.0, gt=0, le=1, description="of a day's traces: never more are drawn, a census included"
    )
    seed: str = Field("caselaw", description="key of the hash that ranks traces")


class Privacy(Section):
    """How long raw data is kept, and how small a group may be that a report shows.

    Retention goes by the settings of the day on which it runs.
    """

    retention_days: int = Field(
        30,
        ge=7,
        le=_LONGEST,
        description="raw data is kept after its day; last week's days are run once more",
    )
    landing_days: int | None = Field(
        None, ge=7, le=_LONGEST, description="landing files; else retention_days"
    )
    raw_traces_days: int | None = Field(
        None, ge=7, le=_LONGEST, description="raw_traces; else retention_days"
    )
    quarantine_days: int | None = Field(
        None, ge=7, le=_LONGEST, description="quarantine; else retention_days"
    )
    judge_cache_days: int | None = Field(
        None,
        ge=7,
        le=_LONGEST,
        description="answers of a judge, since they were given; else retention_days",
    )
    smallest_group: int = Field(
        5, ge=1, description="users (else sessions) below which a group is not shown on its own"
    )
    tenant_attributes: tuple[str, ...] = Field(
        ("app.tenant", "tenant", "tenant.id", "tenant_id", "user.tenant", "account.id",
         "organization.id"),
        description="span attributes that name a tenant, for those that opted out",
    )  # fmt: skip
