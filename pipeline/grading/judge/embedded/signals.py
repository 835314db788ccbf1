"""One piece of checkable evidence for or against an answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Signal", "against", "in_favour"]


@dataclass(frozen=True, slots=True)
class Signal:
    """What was found: a code, which way it points, a sentence, and where to see it."""

    code: str
    favourable: bool
    sentence: str
    evidence: tuple[str, ...] = ()
    subject: str | None = None


def against(
    code: str, sentence: str, evidence: Iterable[str], subject: str | None = None
) -> Signal:
    """Evidence that the answer falls short."""
    return Signal(code, False, sentence, tuple(dict.fromkeys(evidence)), subject)


def in_favour(code: str, sentence: str, evidence: Iterable[str]) -> Signal:
    """Evidence that the answer does well."""
    return Signal(code, True, sentence, tuple(dict.fromkeys(evidence)))
