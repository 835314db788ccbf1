"""What the sections of the settings have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Section", "Server"]

Server = Annotated[str, Field(pattern=r"^https?://[^\s/]+")]
"""The URL of a server; one without a scheme would fail in the middle of a run."""


class Section(BaseModel):
    """One section: unknown fields are refused, and so are numbers that are none."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
