"""Try the policy out: run the tests beside its patterns, and redact one text by hand."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import regex  # type: ignore[import-untyped]

from pipeline.redaction.detection.gates import gate
from pipeline.redaction.detection.recognizers import (
    DetectorTimeout,
    build_recognizers,
    run_recognizer,
)
from pipeline.redaction.notation.literals import Literal
from pipeline.redaction.policy.model import CustomPattern, PiiPolicy
from pipeline.redaction.policy.reading import load_policies
from pipeline.redaction.redactor import Redaction, Redactor
from pipeline.redaction.replacement.keys import SurrogateKey
from pipeline.redaction.spans import Span

__all__ = ["check_policy", "redact_text"]

_PUMPED: Final = 2_000
_TOO_SLOW: Final = 1.0  # seconds, for a text of a few thousand characters


def check_policy(path: Path) -> Iterator[str]:
    """Yield what the tests beside the patterns of a policy find wrong, in every dated state.

    A pattern must match each of `matches` in a way that counts under the policy, none of
    `leaves_alone`, and must not slow down on texts made to trap it.

    Raises:
        PolicyRefused: the file is no policy.
    """
    said: set[str] = set()
    for day, policy in load_policies(path):
        since = "" if day.year == 1 else f" from {day} on"
        for pattern in policy.patterns:
            for complaint in _complaints(pattern, policy):
                if complaint not in said:
                    said.add(complaint)
                    yield f"{pattern.name}{since}: {complaint}"


def redact_text(text: str, policy: PiiPolicy, key: SurrogateKey) -> tuple[str, Redaction]:
    """Redact one text, or one JSON record; return it as text, and the redaction.

    A record is read by its keys, as in a trace; so is JSON inside of a text.
    """
    value: Literal = text.rstrip("\n")
    (redaction,) = Redactor(policy, key).redact_many([value], ["by hand"])
    shown = redaction.value
    return (shown if isinstance(shown, str) else json.dumps(shown)), redaction


def _complaints(pattern: CustomPattern, policy: PiiPolicy) -> Iterator[str]:
    alone = PiiPolicy(patterns=(pattern,), entities={"PHONE_NUMBER": _OFF})
    recognizers = build_recognizers(alone)[-(bool(pattern.regex) + bool(pattern.terms)) :]
    timeout = min(policy.regex_timeout_seconds, _TOO_SLOW)
    rule = policy.rule(pattern.entity)
    counts = rule.enabled and pattern.score >= rule.threshold
    missing = (
        f"{pattern.entity} needs one of its `context` near it ({', '.join(rule.context)}); add a "
        "word there, or give the pattern an entity of its own"
        if rule.context
        else f"alone it is not taken for {pattern.entity}; give the pattern an entity of its own"
    )
    if not counts:
        yield f"never counts: {pattern.entity} is off, or its threshold is above {pattern.score:g}"
    if not pattern.matches:
        yield "has no `matches` to prove that it works"

    def found(text: str) -> list[Span]:
        return [span for one in recognizers for span in run_recognizer(one, text, timeout)]

    try:
        for number, text in enumerate(pattern.matches, 1):
            spans = found(text)
            if not spans:
                yield f"does not match number {number} of its `matches`"
            elif counts and not gate(text, spans, policy):
                yield f"matches number {number} of its `matches` and does not count: {missing}"
        for number, text in enumerate(pattern.leaves_alone, 1):
            if found(text):
                yield f"matches number {number} of its `leaves_alone`"
        started = time.monotonic()
        for trap in _traps(pattern):
            found(trap)
        if time.monotonic() - started > _TOO_SLOW:
            raise DetectorTimeout
    except DetectorTimeout:
        yield (
            "is slow: some texts make it backtrack for over a second, and would quarantine their "
            "traces. Bound its repeats ({1,40} for +) or make alternatives exclusive"
        )


def _traps(pattern: CustomPattern) -> Iterator[str]:
    """Texts that repeat what the pattern likes, and end in what it does not."""
    for seed in ("a", "0", "a1", "_", " ", "a ", *pattern.matches):
        yield seed * (_PUMPED // len(seed)) + "\x01"
        yield regex.sub(r"\w", "a", seed) * (_PUMPED // len(seed)) + "!"


_OFF: Final = {"enabled": False}
