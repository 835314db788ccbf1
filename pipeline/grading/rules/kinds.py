"""What a rule's check gets and gives, and the registry of checks by kind of parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, TypeVar

import re2

from pipeline.grading.conversation import Conversation
from pipeline.registry import UNKNOWN, Intent
from pipeline.sampling import UsualEffort

__all__ = [
    "PASS",
    "SKIPPED",
    "Finding",
    "Scope",
    "Verdict",
    "check_of",
    "checks",
    "compiled",
    "failed",
    "search",
]

Verdict = Literal["pass", "fail", "unknown", "error", "skipped"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict with its grounds; `reason` is our own sentence and holds no text of the trace."""

    verdict: Verdict
    reason: str
    evidence: tuple[str, ...] = ()
    subject: str | None = None
    error_class: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """What is known of a trace besides its text: its intent, all intents, and its effort.

    Attributes:
        norm: what the intent's traces of the same day took; None where the intent is unknown.
        tokens: tokens that the trace took, input and output.
    """

    intent: Intent | None
    intent_score: float | None
    intents: tuple[Intent, ...]
    norm: UsualEffort | None = None
    tokens: int | None = None

    @property
    def intent_id(self) -> str:
        """The intent's id, or `unknown`."""
        return self.intent.id if self.intent else UNKNOWN


PASS = Finding("pass", "Nothing was found against it.")
SKIPPED = Finding("skipped", "The trace holds nothing this rule is about.")

_MOST: Final = 100  # pieces of evidence

Check = Callable[[Conversation, Any, Scope], Finding]
P = TypeVar("P")
_CHECKS: dict[type, Check] = {}


def checks(
    params: type[P],
) -> Callable[
    [Callable[[Conversation, P, Scope], Finding]], Callable[[Conversation, P, Scope], Finding]
]:
    """Register the decorated function as the check of rules with `params`."""

    def register(
        check: Callable[[Conversation, P, Scope], Finding],
    ) -> Callable[[Conversation, P, Scope], Finding]:
        _CHECKS[params] = check
        return check

    return register


def check_of(params: object) -> Check:
    """The check that belongs to a rule's parameters.

    Raises:
        LookupError: a kind was declared in the registry's vocabulary and never implemented.
    """
    try:
        return _CHECKS[type(params)]
    except KeyError:
        raise LookupError(f"no check for rules of kind {type(params).__name__!r}") from None


def failed(reason: str, *evidence: str, subject: str | None = None, error_class: str) -> Finding:
    """A fail with its grounds; of very many the first are enough."""
    return Finding("fail", reason, tuple(dict.fromkeys(evidence))[:_MOST], subject, error_class)


def search(pattern: str, text: str, *, ignore_case: bool = True) -> bool:
    """Whether an RE2 `pattern` of the registry occurs in `text`."""
    return compiled(f"(?i){pattern}" if ignore_case else pattern).search(text) is not None


@lru_cache(maxsize=2_048)
def compiled(pattern: str) -> Any:
    """An RE2 pattern, compiled once; re2's own cache is asked with three arguments a match."""
    return re2.compile(pattern)
