"""What all kinds of rules share: strict parameters, and patterns that cannot run away."""

from __future__ import annotations

from typing import Annotated

import re2
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

__all__ = ["Parameters", "Pattern"]

_QUIET = re2.Options()
_QUIET.log_errors = False  # the refusal says it, with file, line and field


def _compiles(pattern: str) -> str:
    try:
        re2.compile(pattern, _QUIET)
    except re2.error as error:
        reason = error.args[0]
        text = reason.decode() if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"not an RE2 pattern: {text}") from error
    return pattern


Pattern = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_compiles)]
"""An RE2 pattern: linear in the text it reads, whatever the text."""


class Parameters(BaseModel):
    """The parameters of one kind of rule."""

    model_config = ConfigDict(extra="forbid", frozen=True)
