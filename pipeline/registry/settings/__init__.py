"""The settings: budgets, thresholds and periods, in dated entries of registry/settings.yaml."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from pydantic import Field

from pipeline.registry.loading import DatedEntry
from pipeline.registry.settings.cases import Promotion, Review
from pipeline.registry.settings.failures import Failures, Lifecycle
from pipeline.registry.settings.grading import Calibration, Judge, Juror
from pipeline.registry.settings.section import Section
from pipeline.registry.settings.traffic import Ingest, Privacy, Sampling

__all__ = [
    "Calibration",
    "Failures",
    "Ingest",
    "Judge",
    "Juror",
    "Lifecycle",
    "Privacy",
    "Promotion",
    "Review",
    "Sampling",
    "Settings",
    "SettingsEntry",
    "settings_as_of",
]


class Settings(Section):
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
