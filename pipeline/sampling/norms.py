"""What is ordinary on one day: turns, tokens by intent, and the order tools are called in.

These are the only signals that look at other traces, so a trace that arrives late can move them;
medians and counts of traces keep that small.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import median

from pipeline.sampling.conversations import Conversation

__all__ = ["Norms", "steps"]

_FEWEST = 8  # traces that make a norm
_DEVIATIONS = 5.0
_TURNS = 5.0  # of the user: no session is long below six
_TO_SIGMA = 1.4826  # a normal distribution's sigma over its median absolute deviation
_LEAST_FACTOR = 1.5  # where all traces are alike, the median absolute deviation is 0
_FEWEST_DAY = 50  # traces that make a norm of tool sequences
_RARE = 0.01  # of the day's traces
_ORDINARY = 10  # traces: a step between tools rarer than that is rare for their sake

Step = tuple[str, str]


class Norms:
    """The norms of one day's eligible traces, each with its intent.

    `turns_above` is the number of the user's turns above which a session is long.
    """

    def __init__(self, traces: Sequence[Conversation], intents: Sequence[str]) -> None:
        turns = [len(trace.user) for trace in traces]
        self.turns_above = max(_TURNS, _outlying(turns)) if len(turns) >= _FEWEST else _TURNS
        groups: dict[str, list[int]] = {}
        for trace, intent in zip(traces, intents, strict=True):
            if trace.total_tokens is not None:
                groups.setdefault(intent, []).append(trace.total_tokens)
        everyone = [tokens for group in groups.values() for tokens in group]
        limits = {
            intent: _limit(group if len(group) >= _FEWEST else everyone)
            for intent, group in groups.items()
        }
        self._limits: Mapping[str, float] = {
            trace.trace_id: limits[intent]
            for trace, intent in zip(traces, intents, strict=True)
            if intent in limits
        }
        self._tools = Counter(tool for trace in traces for tool in set(trace.tools))
        self._steps = Counter(step for trace in traces for step in set(steps(trace.tools)))
        self._rare = _RARE * len(traces) if len(traces) >= _FEWEST_DAY else 0.0

    def tokens_above(self, trace_id: str) -> float:
        """The number of tokens above which a trace of this one's intent stands out."""
        return self._limits[trace_id]

    def rare(self, step: Step) -> bool:
        """Whether one trace in a hundred at most goes from one of two ordinary tools to the other.

        Never on a thin day; and a tool that is rare itself belongs to a rare intent, which is no
        anomaly.
        """
        ordinary = all(self._tools[tool] >= _ORDINARY for tool in step)
        return ordinary and self._steps[step] <= self._rare


def steps(tools: Sequence[str]) -> Iterator[Step]:
    """The pairs of tools called one after the other."""
    return pairwise(tools)


def _limit(tokens: Sequence[int]) -> float:
    """Where tokens stand out, at least half as much again as the median; never for a few traces."""
    if len(tokens) < _FEWEST:
        return float("inf")
    return max(_outlying(tokens), _LEAST_FACTOR * median(tokens))


def _outlying(values: Sequence[int]) -> float:
    """The median plus five robust sigmas."""
    middle = median(values)
    return middle + _DEVIATIONS * _TO_SIGMA * median(abs(value - middle) for value in values)
