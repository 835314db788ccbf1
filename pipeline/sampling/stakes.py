"""What is at stake in a trace: by its intent, raised by the tools called and the sums of money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.registry import UNKNOWN, Intent
from pipeline.sampling.conversations import Conversation

__all__ = ["STAKES", "Stakes"]

STAKES = ("low", "medium", "high")
"""From the least to the most."""


class Stakes:
    """The stakes of traces under one registry."""

    def __init__(self, intents: Sequence[Intent], of_unknown: str) -> None:
        self._by_intent = {intent.id: intent.stakes for intent in intents}
        self._above = {
            intent.id: intent.amount_stakes_above
            for intent in intents
            if intent.amount_stakes_above is not None
        }
        self._by_tool: Mapping[str, str] = _by_tool(intents)
        self._of_unknown = of_unknown

    def of(self, conversation: Conversation, intent: str) -> str:
        """The highest of: the intent's, those of tools called, high for a large sum of money."""
        found = [self._of_unknown if intent == UNKNOWN else self._by_intent[intent]]
        found += [self._by_tool[tool] for tool in conversation.tools if tool in self._by_tool]
        if intent in self._above and conversation.largest_amount > self._above[intent]:
            found.append("high")
        return max(found, key=STAKES.index)


def _by_tool(intents: Sequence[Intent]) -> dict[str, str]:
    """A tool lends the stakes of the intents it points to: the highest."""
    lent: dict[str, str] = {}
    for intent in intents:
        for tool in intent.tools:
            lent[tool] = max(lent.get(tool, "low"), intent.stakes, key=STAKES.index)
    return lent
