"""Settings of failure modes and their life."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from pipeline.registry.settings.section import Section, Server

__all__ = ["Failures", "Lifecycle"]


class Failures(Section):
    """How failures become modes."""

    match_similarity: float = Field(0.72, ge=0, le=1, description="cosine to a mode's centroid")
    cluster_similarity: float = Field(
        0.70, ge=0, le=1, description="mean cosine in a new mode, where too few show a stable one"
    )
    split_similarity: float = Field(
        0.60, ge=0, le=1, description="mean cosine below which a mode's parts go their own ways"
    )
    merge_similarity: float = Field(
        0.80,
        ge=0,
        le=1,
        description="cosine of two modes' centroids, two weeks running, that makes them one",
    )
    centroid_decay: float = Field(0.7, ge=0, lt=1, description="weight of a mode's past, a week")
    embedding_model: str | None = Field(
        None, description="litellm: a pinned model for vectors of failures; None: offline"
    )
    embedding_api_base: Server | None = Field(
        None, description="an OpenAI-compatible server for it"
    )
    naming_model: str | None = Field(
        None, description="litellm: a pinned model that names new modes; None: their terms do"
    )
    naming_api_base: Server | None = Field(None, description="an OpenAI-compatible server for it")
    archive_after_weeks: int = Field(13, ge=1, description="weeks without a failure")

    @model_validator(mode="after")
    def _merge_what_is_more_alike_than_a_match(self) -> Self:
        """Merging on less than matching would join modes that matching keeps apart."""
        if self.merge_similarity < max(self.match_similarity, self.split_similarity):
            raise ValueError(
                "merge_similarity must reach match_similarity and split_similarity "
                f"({max(self.match_similarity, self.split_similarity)}): raise it as well"
            )
        return self


class Lifecycle(Section):
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
