"""Signs that a trace went out of the ordinary: one small function each, from trace review practice.

The anomaly score is 1 - product(1 - weight) over the signals that fire: 0 without any, never 1. The
weights order signals by how often reviewers find something behind them; they are no probability,
and no rate depends on them, as every draw is weighted by its known chance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.sampling.conversations import Conversation
from pipeline.sampling.norms import Norms, steps
from pipeline.sampling.wording import ASKS_FOR_PERSON, CONTRADICTS, HEDGES

__all__ = ["SIGNALS", "Signal", "anomaly_score", "fired"]

_HEDGES = 2
_SAME_WORDS = 0.6  # Jaccard of the word sets of two messages
_FEWEST_WORDS = 4
_STARS = ("star", "rating", "csat", "nps")
_BAD_LABELS = frozenset(
    {"bad", "down", "negative", "thumbs_down", "thumbs-down", "dislike", "no", "poor", "unhelpful"}
)


@dataclass(frozen=True)
class Signal:
    """One sign: its name, its weight in the anomaly score, and when it fires."""

    name: str
    weight: float
    fires: Callable[[Conversation, Norms], bool]


def long_session(trace: Conversation, norms: Norms) -> bool:
    """The user needed more turns than users do that day, and six at least."""
    return len(trace.user) > norms.turns_above


def token_outlier(trace: Conversation, norms: Norms) -> bool:
    """Tokens beyond what the day's traces of the same intent take."""
    return trace.total_tokens is not None and trace.total_tokens > norms.tokens_above(
        trace.trace_id
    )


def resubmitted_request(trace: Conversation, norms: Norms) -> bool:
    """The user says again, nearly word for word, what they said before."""
    said = [words for text in trace.user if len(words := _words(text)) >= _FEWEST_WORDS]
    return any(len(a & b) >= _SAME_WORDS * len(a | b) for i, a in enumerate(said) for b in said[:i])


def unusual_tools(trace: Conversation, norms: Norms) -> bool:
    """One ordinary tool follows another as hardly anywhere else that day."""
    return any(norms.rare(step) for step in steps(trace.tools))


def repeated_tool(trace: Conversation, norms: Norms) -> bool:
    """The same tool is called three times in a row."""
    return any(a == b == c for a, b, c in zip(*(trace.tools[i:] for i in range(3)), strict=False))


def hedging(trace: Conversation, norms: Norms) -> bool:
    """The agent is unsure of what it says, twice or more."""
    return sum(len(HEDGES.findall(text)) for text in trace.assistant) >= _HEDGES


def tool_error(trace: Conversation, norms: Norms) -> bool:
    """A tool failed or timed out, or the run ended in an error."""
    return trace.failed


def escalation(trace: Conversation, norms: Norms) -> bool:
    """The conversation was handed over, or the user asked for a person."""
    return trace.escalated or any(ASKS_FOR_PERSON.search(text) for text in trace.user)


def negative_feedback(trace: Conversation, norms: Norms) -> bool:
    """The user rated it badly or corrected it; stars count to 5, other scores from 0 to 1."""
    return trace.corrected or any(
        label in _BAD_LABELS
        or (value is not None and value <= (2 if name.startswith(_STARS) else 0))
        for name, value, label in trace.feedback
    )


def contradiction(trace: Conversation, norms: Norms) -> bool:
    """The user says after an answer that it is wrong or was not asked for."""
    return any(CONTRADICTS.search(text) for text in trace.user[1:])


SIGNALS = (
    Signal("contradiction", 0.5, contradiction),
    Signal("escalation", 0.4, escalation),
    Signal("hedging", 0.2, hedging),
    Signal("long_session", 0.3, long_session),
    Signal("negative_feedback", 0.6, negative_feedback),
    Signal("repeated_tool", 0.3, repeated_tool),
    Signal("resubmitted_request", 0.4, resubmitted_request),
    Signal("token_outlier", 0.3, token_outlier),
    Signal("tool_error", 0.4, tool_error),
    Signal("unusual_tools", 0.1, unusual_tools),
)
"""All signals, by name."""

_WEIGHTS: Mapping[str, float] = {signal.name: signal.weight for signal in SIGNALS}


def fired(trace: Conversation, norms: Norms) -> list[str]:
    """The names of the signals that fire, sorted."""
    return [signal.name for signal in SIGNALS if signal.fires(trace, norms)]


def anomaly_score(names: Sequence[str]) -> float:
    """The score of the signals that fired, from 0 to below 1."""
    return round(1 - math.prod(1 - _WEIGHTS[name] for name in sorted(names)), 6)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.lower().split())
