"""The kind of rule for what no other kind can say: a function of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from pipeline.registry.rules.base import Parameters

__all__ = ["PythonFunction"]


class PythonFunction(Parameters):
    """A function `(Conversation, options, Scope) -> Finding` that can be imported decides."""

    kind: Literal["python"] = "python"
    function: str = Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$", description="module:name")
    options: Mapping[str, Any] = Field(default_factory=dict)
