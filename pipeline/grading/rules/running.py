"""Runs the registry's rules over one conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pipeline.grading.conversation import Conversation
from pipeline.grading.lexicons import vocabulary_digest
from pipeline.grading.rules.custom import function_source
from pipeline.grading.rules.kinds import Finding, Scope, check_of
from pipeline.grading.sense import sense_identity
from pipeline.ids import digest
from pipeline.registry import Rule
from pipeline.registry.rules import PythonFunction

__all__ = ["RULES_VERSION", "rule_identity", "run_rules"]

RULES_VERSION: Final = "5"
"""Changes whenever a check may give another verdict for the same rule and trace."""


def rule_identity(rule: Rule) -> str:
    """The grader id of a rule: a digest of its kind, parameters, intents and the code's version."""
    body = rule.params.model_dump(mode="json")
    if isinstance(rule.params, PythonFunction):
        body["source"] = function_source(rule.params.function)
    words = [vocabulary_digest(), sense_identity()]
    bounds = [list(rule.intents), rule.min_intent_score, rule.severity]
    return f"rule-{digest(RULES_VERSION, words, rule.id, body, bounds, size=6)}"


def run_rules(
    conversation: Conversation, rules: Sequence[Rule], scope: Scope
) -> list[tuple[Rule, Finding]]:
    """Every rule with its finding; one that is meant for other intents is skipped.

    A check that breaks on a trace is an error of that check on that trace and of nothing else:
    its neighbours' verdicts stand, and an error is never a fail.
    """
    return [(rule, _run(conversation, rule, scope)) for rule in rules]


def _run(conversation: Conversation, rule: Rule, scope: Scope) -> Finding:
    if scope.intent_score is not None and scope.intent_score < rule.min_intent_score:
        scope = replace(scope, intent=None)
    if rule.intents and scope.intent_id not in rule.intents:
        return Finding("skipped", "The rule is meant for other intents.")
    try:
        return check_of(rule.params)(conversation, rule.params, scope)
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as e:
        return Finding("error", f"The check broke ({type(e).__name__}).", error_class="check_broke")
