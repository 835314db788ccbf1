"""The settings: budgets, thresholds and periods, in dated entries of registry/settings.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pipeline.registry.loading import DatedEntry

__all__ = ["Settings", "SettingsEntry", "settings_as_of"]


_LONGEST = 36_500  # days: a hundred years, so that the first day kept is always a date


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


_Server = Annotated[str, Field(pattern=r"^https?://[^\s/]+")]
_Usd = Annotated[float, Field(ge=0)]


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
    api_base: _Server | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    max_tokens: int | None = Field(None, ge=64)
    input_usd_per_million: _Usd | None = None
    output_usd_per_million: _Usd | None = None


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
    api_base: _Server | None = Field(None, description="litellm only: an OpenAI-compatible server")
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


class Lifecycle(_Section):
    """When a mode counts as escalating, mended or broken again, and a measure as creeping up."""

    band_weeks: int = Field(8, ge=3, le=25, description="weeks of its own that a mode is held to")
    band_least_weeks: int = Field(3, ge=2, description="fewer weeks of history never escalate")
    band_least_failures: int = Field(3, ge=1, description="failures seen in the week to escalate")
    band_false_alarm: float = Field(
        0.01, gt=0, lt=0.5, description="chance that a steady mode escalates in a week"
    )
    fix_error: float = Field(
        0.05, gt=0, lt=0.5, description="chance, a look, that a rate which did not fall passes"
    )
    fix_leaves: float = Field(
        0.25, ge=0, lt=1, description="share of the rate before that a fix may leave"
    )
    regression_false_alarm: float = Field(
        0.02, gt=0, lt=0.5, description="chance that a mended mode is reopened in a week"
    )
    regression_least_failures: int = Field(2, ge=1, description="failures seen to reopen it")
    trend_weeks: int = Field(12, ge=4, le=26, description="weeks that a trend looks back, at most")
    trend_least_weeks: int = Field(6, ge=4, description="fewer weeks show no trend")
    trend_least_traces: int = Field(10, ge=2, description="traces that make a week count")
    trend_false_discoveries: float = Field(
        0.05, gt=0, lt=0.5, description="share of false ones among what is said to creep up"
    )
    trend_still_rising: float = Field(
        0.10, gt=0, le=1, description="chance, at most, of the later half of the rise"
    )
    trend_least_rise: float = Field(
        0.10, ge=0, description="rise over the weeks, as a share, that is worth a word"
    )


class Promotion(_Section):
    """When a failure becomes a case."""

    recurrence: int = Field(3, ge=1, description="traces of a mode that make a pattern")
    lesson_recurrence: int = Field(2, ge=1, description="of them, traces of one intent")
    cases_per_lesson: int = Field(3, ge=1, description="cases of one mode and intent")
    cases_per_variant: int = Field(
        1, ge=1, description="of them, cases of one check, subject and error class"
    )
    threshold: float = Field(0.55, ge=0, le=1, description="mean P.R.O.M.O.T.E. score to promote")
    review_threshold: float = Field(0.30, ge=0, le=1, description="mean score to ask a person")
    duplicate_similarity: float = Field(0.80, ge=0, le=1, description="Jaccard of word shingles")
    duplicate_meaning: float = Field(
        0.92, gt=0, le=1, description="cosine of what is asked, turn by turn"
    )
    costly_factor: float = Field(3.0, gt=1, description="turns or tokens over the intent's median")
    costly_norm: int = Field(5, ge=2, description="traces of an intent that make a median")
    borderline_anomaly: float = Field(0.6, ge=0, le=1, description="anomaly that asks for a person")
    enduring_days: int = Field(3, ge=2, description="days with failures that make a mode endure")
    mutation_floor: float = Field(
        0.5, ge=0, le=1, description="share of the corruptions its checks are there for, caught"
    )
    example_share: float = Field(
        0.2, ge=0, le=1, description="of the duplicate groups: cases that prompts may show"
    )
    holdout_share: float = Field(
        0.2, ge=0, le=1, description="of the duplicate groups: cases that nobody tunes on"
    )
    prompt_files: tuple[str, ...] = Field(
        (), description="globs from eval_dir: texts that the holdout must stay clear of"
    )
    retire_after_days: int = Field(
        90, ge=1, description="without a failure of its mode: a case retires, and may return"
    )


class Calibration(_Section):
    """When a judge is trusted."""

    agreement: float = Field(0.85, ge=0, le=1, description="with people, to be trusted")
    labels: int = Field(30, ge=1, description="labelled traces an axis needs")
    blind_only: bool = Field(True, description="labels made with the judge's verdict in view: out")


class Review(_Section):
    """What reviewers are shown, in which order, and how much of it a day.

    The five weights are those of the expected value (`pipeline.review.queue.valuing`); only their
    proportions count.
    """

    risk_weight: float = Field(0.30, ge=0, description="of stakes and severity")
    uncertainty_weight: float = Field(0.25, ge=0, description="of doubt and disagreement")
    frequency_weight: float = Field(0.20, ge=0, description="of how much traffic the mode takes")
    scarcity_weight: float = Field(0.15, ge=0, description="of few labels of the axis or mode")
    anomaly_weight: float = Field(0.10, ge=0, description="of the anomaly score")
    random_share: float = Field(
        0.3, ge=0, le=1, description="of what a reviewer is shown, while there are drawn traces"
    )
    random_per_day: int = Field(
        10, ge=0, description="traces drawn at random of a day's redacted ones, on average"
    )
    random_days: int = Field(14, ge=1, description="days back for which drawn traces are shown")
    double_share: float = Field(0.2, ge=0, le=1, description="of traces: two people review them")
    per_reviewer_and_day: int = Field(60, ge=1, description="decisions, before `next` stops")
    per_mode_and_day: int = Field(8, ge=1, description="decisions on the cases of one mode")
    labels_per_mode: int = Field(5, ge=1, description="verdicts after which a mode is well known")
    active_days: int = Field(
        3, ge=1, description="days after a decision in which items are kept for a reviewer"
    )
    seed: str = Field("caselaw", description="key of the hashes that draw and assign traces")


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
    lifecycle: Lifecycle = Lifecycle()
    promotion: Promotion = Promotion()
    calibration: Calibration = Calibration()
    review: Review = Review()
    privacy: Privacy = Privacy()
    eval_dir: str | None = Field(None, description="where cases_from_prod.yaml goes")


class SettingsEntry(DatedEntry):
    """A change of some settings from a day on; what it does not name stays as it was."""

    ingest: dict[str, Any] = Field(default_factory=dict)
    sampling: dict[str, Any] = Field(default_factory=dict)
    judge: dict[str, Any] = Field(default_factory=dict)
    failures: dict[str, Any] = Field(default_factory=dict)
    lifecycle: dict[str, Any] = Field(default_factory=dict)
    promotion: dict[str, Any] = Field(default_factory=dict)
    calibration: dict[str, Any] = Field(default_factory=dict)
    review: dict[str, Any] = Field(default_factory=dict)
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
