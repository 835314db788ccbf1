"""Which fields of a record pass as they are, and which only exact patterns may touch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

__all__ = ["TRACE_FIELDS", "FieldPolicy"]


@dataclass(frozen=True)
class FieldPolicy:
    """Paths, dotted, with `*` for a list index: `messages.*.role`.

    Everything not named is prose: all detectors read it.

    Attributes:
        verbatim: our own or the format's labels; only known values of the trace are masked.
        exact: identifiers; known values and pattern recognizers, but no name detector.
    """

    verbatim: frozenset[str] = frozenset()
    exact: frozenset[str] = frozenset()
    _verbatim: frozenset[tuple[str, ...]] = field(init=False, repr=False, compare=False)
    _exact: frozenset[tuple[str, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Split the paths once."""
        object.__setattr__(self, "_verbatim", frozenset(tuple(p.split(".")) for p in self.verbatim))
        object.__setattr__(self, "_exact", frozenset(tuple(p.split(".")) for p in self.exact))

    def is_verbatim(self, path: tuple[str, ...]) -> bool:
        """Whether detectors leave the value at `path` alone."""
        return path in self._verbatim

    def is_exact(self, path: tuple[str, ...]) -> bool:
        """Whether the name detector leaves the value at `path` alone."""
        return path in self._exact


TRACE_FIELDS: Final = FieldPolicy(
    verbatim=frozenset(
        {
            "messages.*.role",
            "messages.*.finish_reason",
            "messages.*.tool_calls.*.name",
            "messages.*.tool_calls.*.id",
            "messages.*.tool_call_id",
            "tool_calls.*.span_id",
            "tool_calls.*.call_id",
            "tool_calls.*.name",
            "tool_calls.*.status",
            "retrievals.*.span_id",
            "feedback.scores.*.source",
        }
    ),
    exact=frozenset(
        {
            "session_id",
            "messages.*.name",
            "retrievals.*.documents.*.id",
            "feedback.scores.*.name",
            "feedback.scores.*.label",
        }
    ),
)
"""The fields of `raw_traces` that later stages join and compare by."""
