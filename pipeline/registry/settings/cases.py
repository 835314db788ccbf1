"""Settings of promotion, the suite and the review queue."""

from __future__ import annotations

from pydantic import Field

from pipeline.registry.settings.section import Section

__all__ = ["Promotion", "Review"]


class Promotion(Section):
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
    slow_factor: float = Field(
        1.5, ge=1, description="over what its intent took before a creep, to show it"
    )
    slow_share: float = Field(
        0.5, ge=0, le=1, description="of a creep, that traces without a failure have to show"
    )
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


class Review(Section):
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
