"""What people say of failure modes, and which release fixed one: registry/failure_modes.yaml."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from pipeline.registry.loading import DatedEntry

__all__ = ["Fix", "NamedMode"]


class NamedMode(DatedEntry):
    """A person's word on one failure mode; it outranks what the pipeline found.

    With `checks` or `error_classes` it claims failures; without, it renames, merges or closes the
    mode of its id. Where several claim one failure, the narrowest does: by error class, by
    intent, by check.
    """

    id: str = Field(
        min_length=1,
        description="failure_mode_id as printed, or a name of one's own",
    )
    name: str = Field(min_length=1)
    description: str = ""
    checks: tuple[str, ...] = Field((), description="failures of these checks belong to it")
    error_classes: tuple[str, ...] = Field((), description="only of these; empty: all")
    intents: tuple[str, ...] = Field((), description="only of these intents; empty: all")
    taxonomy: tuple[str, ...] = Field((), description="its place in published taxonomies")
    merged_into: str | None = None
    state: Literal["open", "ignored", "archived"] = "open"

    def claims(self, check: str, intent: str, error_class: str) -> bool:
        """Whether a failure of `check` belongs to this mode."""
        return (
            bool(self.checks or self.error_classes)
            and (not self.checks or check in self.checks)
            and (not self.error_classes or error_class in self.error_classes)
            and (not self.intents or intent in self.intents)
        )


class Fix(DatedEntry):
    """A person's claim that a release mends a failure mode; production shows whether it does.

    It stands under `fixes` of the same file. A later claim for the same mode takes its place.
    """

    mode: str = Field(min_length=1, description="failure_mode_id, or one merged into it")
    release: str = Field(min_length=1, description="the first release that has the fix")
    effective_from: date
    note: str = Field("", description="what was done, for people")
