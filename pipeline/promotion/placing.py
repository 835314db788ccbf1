"""Where a candidate went wrong, what was recorded there, and which checks stand for it."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.grading.conversation import Conversation
from pipeline.promotion.candidate import COSTLY_PASS, SLOW_FAILURE, Candidate
from pipeline.promotion.costs import Norm
from pipeline.promotion.episodes import Episode, find_episode, recorded_outcome, recorded_whole
from pipeline.promotion.outcome import Outcome
from pipeline.promotion.teaching.from_creeps import plan_slow
from pipeline.promotion.teaching.synthesis import Failing, Plan, plan_checks, plan_effort
from pipeline.registry import Registry, Rule
from pipeline.registry.rules import PythonFunction

__all__ = ["Place", "find_place", "make_plan"]

_OF_THE_WHOLE = frozenset({"too_many_turns", "excess_turns", "excess_tokens"})
"""Codes of failures that no turn of the conversation is to blame for."""


@dataclass(frozen=True)
class Place:
    """The failing turn, None where nothing can be replayed, and what was recorded there."""

    episode: Episode | None
    recorded: Outcome


def find_place(
    one: Candidate, conversation: Conversation, rule: Rule | None, registry: Registry
) -> Place:
    """Find the failing turn; where the effort failed, the whole conversation is at fault."""
    called_again = one.check == f"{SLOW_FAILURE}_retries"
    slow = one.origin == "slow_failure" and not called_again
    if slow or one.origin == "costly_pass" or one.error_class in _OF_THE_WHOLE:
        asked = [turn for turn in conversation.turns if turn.user]
        start = asked[0] if asked else None
        episode = (
            Episode(conversation, start, start.user.index + 1) if start and start.user else None
        )
        return Place(episode, recorded_whole(conversation, one.tokens))
    # what was called again is over the limit from the first such call on
    first = called_again or (rule is not None and rule.kind == "expected_tool")
    episode = find_episode(conversation, one.evidence, first=first)
    if episode is None:
        return Place(None, recorded_whole(conversation, one.tokens))
    return Place(episode, recorded_outcome(episode, one.tokens, functions_of(registry)))


def make_plan(one: Candidate, recorded: Outcome, norm: Norm | None, registry: Registry) -> Plan:
    """Make the checks of a candidate."""
    if one.slow is not None:
        return plan_slow(one.slow)
    if one.check == COSTLY_PASS and norm is not None:
        factor = registry.settings.promotion.costly_factor
        return plan_effort(int(factor * norm.turns), int(factor * norm.tokens))
    intent = next((intent for intent in registry.intents if intent.id == one.intent), None)
    failing = Failing(one.subject, one.error_class, intent, norm)
    return plan_checks(one.check, failing, recorded, registry.rules, registry.rubric)


def functions_of(registry: Registry) -> frozenset[str]:
    """The functions that the registry's own rules name."""
    every = (rule.params for rule in registry.rules)
    return frozenset(params.function for params in every if isinstance(params, PythonFunction))
