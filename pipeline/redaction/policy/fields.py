"""Which fields of a record pass as they are, which only exact patterns may touch, and which go."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["TRACE_FIELDS", "FieldPolicy", "FieldRule", "FieldRules"]

_REMEMBERED: Final = 50_000  # paths; keys of traces are without end


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


class FieldRule(BaseModel):
    """What happens to the fields of one path, whatever their keys and values look like.

    Attributes:
        path: dotted; `*` is one step (a key or a list index), `**` one or more. JSON in
            strings is part of the path: `tool_calls.*.arguments.note`.
        action: `keep` (only what the trace says elsewhere is masked in it), `exact` (patterns
            and known values, no name detector), `mask` (every value in it) or `drop` (null).
        entity: the type that `mask` gives to the values.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(pattern=r"^[^.\s]+(\.[^.\s]+)*$")
    action: Literal["keep", "exact", "mask", "drop"]
    entity: str = Field("WITHHELD", pattern=r"^[A-Z]+(_[A-Z]+)*$")

    @property
    def pattern(self) -> str:
        """The path as a regular expression over steps joined by dots."""
        steps = {"*": r"[^.]+", "**": r"[^.]+(?:\.[^.]+)*"}
        return r"\.".join(steps.get(step, re.escape(step)) for step in self.path.split("."))

    def breaks(self, paths: Iterable[str]) -> bool:
        """Whether the rule takes one of `paths` (or what it stands in) out of the record."""
        if self.action in ("keep", "exact"):
            return False
        ends = ["".join(p[: m.start()]) for p in paths for m in re.finditer(r"\.|$", p)]
        return any(re.fullmatch(self.pattern, end) for end in ends)


class FieldRules:
    """Looks up the first rule whose path a value has; each path is matched once."""

    def __init__(self, rules: Sequence[FieldRule]) -> None:
        self._rules: Mapping[re.Pattern[str], FieldRule] = {
            re.compile(rule.pattern): rule for rule in reversed(rules)
        }
        self._known: dict[tuple[str, ...], FieldRule | None] = {}

    def at(self, path: tuple[str, ...]) -> FieldRule | None:
        """The rule of the value at `path`."""
        if not self._rules:
            return None
        if path not in self._known:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            joined = ".".join(path)
            found = [rule for pattern, rule in self._rules.items() if pattern.fullmatch(joined)]
            self._known[path] = found[-1] if found else None
        return self._known[path]


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
