"""The settings: budgets, thresholds and periods, in dated entries of registry/settings.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.registry.loading import DatedEntry

__all__ = ["Settings", "SettingsEntry", "settings_as_of"]


_LONGEST = 36_500  # days: a hundred years, so that the first day kept is always a date


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Ingest(_Section):
    """How records become conversations."""

    conversation_gap_minutes: int = Field(30, ge=1, description="one-turn traces join below it")
    largest_record_mb: int = Field(64, ge=1, description="a larger record is quarantined")
    quarantine_ratio: float = Field(0.05, ge=0, le=1, description="above it the day fails")
    settle_minutes: int = Field(
        60, ge=0, description="a file changed within them may still be growing; late ones wait"
    )


class Sampling(_Section):
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


class Juror(_Section):
    """One judge of a jury; what it does not name is as the section `judge` says."""

    engine: Literal["embedded", "litellm"]
    model: str | None = None
    api_base: str | None = None
    temperature: float | None = None
    max_tokens: int | None = Field(None, ge=64)
    input_usd_per_million: float | None = None
    output_usd_per_million: float | None = None


class Judge(_Section):
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
    api_base: str | None = Field(None, description="litellm only: an OpenAI-compatible server")
    temperature: float = 0.0
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
    input_usd_per_million: float | None = Field(None, description="price, where litellm has none")
    output_usd_per_million: float | None = None


class Failures(_Section):
    """How failures become modes."""

    match_similarity: float = Field(0.72, ge=0, le=1, description="cosine to a mode's centroid")
    cluster_similarity: float = Field(
        0.70, ge=0, le=1, description="mean cosine in a new mode, where too few show a stable one"
    )
    split_similarity: float = Field(
        0.60, ge=0, le=1, description="mean cosine below which a mode's parts go their own ways"
    )
    centroid_decay: float = Field(0.7, ge=0, lt=1, description="weight of a mode's past, a week")
    embedding_model: str | None = Field(
        None, description="litellm: a pinned model for vectors of failures; None: offline"
    )
    embedding_api_base: str | None = Field(None, description="an OpenAI-compatible server for it")
    naming_model: str | None = Field(
        None, description="litellm: a pinned model that names new modes; None: their terms do"
    )
    naming_api_base: str | None = Field(None, description="an OpenAI-compatible server for it")
    archive_after_weeks: int = Field(13, ge=1, description="weeks without a failure")


class Promotion(_Section):
    """When a failure becomes a case."""

    recurrence: int = Field(3, ge=1, description="traces of a mode that make a pattern")
    lesson_recurrence: int = Field(2, ge=1, description="of them, traces of one intent")
    cases_per_lesson: int = Field(3, ge=1, description="cases of one mode and intent")
    threshold: float = Field(0.55, ge=0, le=1, description="mean P.R.O.M.O.T.E. score to promote")
    review_threshold: float = Field(0.30, ge=0, le=1, description="mean score to ask a person")
    duplicate_similarity: float = Field(0.80, ge=0, le=1, description="Jaccard of word shingles")
    costly_factor: float = Field(3.0, gt=1, description="turns or tokens over the intent's median")
    costly_norm: int = Field(5, ge=2, description="traces of an intent that make a median")
    borderline_anomaly: float = Field(0.6, ge=0, le=1, description="anomaly that asks for a person")
    enduring_days: int = Field(3, ge=2, description="days with failures that make a mode endure")
    example_share: float = Field(0.2, ge=0, le=1)
    holdout_share: float = Field(0.2, ge=0, le=1)


class Calibration(_Section):
    """When a judge is trusted."""

    agreement: float = Field(0.85, ge=0, le=1, description="with people, to be trusted")
    labels: int = Field(30, ge=1, description="labelled traces an axis needs")
    blind_only: bool = Field(True, description="labels made with the judge's verdict in view: out")


class Privacy(_Section):
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


class Settings(_Section):
    """All settings as of one day; every value has a default, so an empty file is fine."""

    ingest: Ingest = Ingest()
    sampling: Sampling = Sampling()
    judge: Judge = Judge()
    failures: Failures = Failures()
    promotion: Promotion = Promotion()
    calibration: Calibration = Calibration()
    privacy: Privacy = Privacy()
    eval_dir: str | None = Field(None, description="where cases_from_prod.yaml goes")


class SettingsEntry(DatedEntry):
    """A change of some settings from a day on; what it does not name stays as it was."""

    ingest: dict[str, Any] = Field(default_factory=dict)
    sampling: dict[str, Any] = Field(default_factory=dict)
    judge: dict[str, Any] = Field(default_factory=dict)
    failures: dict[str, Any] = Field(default_factory=dict)
    promotion: dict[str, Any] = Field(default_factory=dict)
    calibration: dict[str, Any] = Field(default_factory=dict)
    privacy: dict[str, Any] = Field(default_factory=dict)
    eval_dir: str | None = None


def settings_as_of(entries: Iterable[SettingsEntry], instant: date) -> Settings:
    """Lay the entries in force on `instant` over the defaults, oldest first.

    Raises:
        pydantic.ValidationError: a value is unknown or out of range.
    """
    merged: dict[str, Any] = {}
    for entry in sorted((e for e in entries if e.holds(instant)), key=lambda e: e.effective_from):
        for name, value in entry.model_dump(exclude={"effective_from", "retired_on"}).items():
            if isinstance(value, dict):
                merged[name] = merged.get(name, {}) | value
            elif value is not None:
                merged[name] = value
    return Settings.model_validate(merged)
