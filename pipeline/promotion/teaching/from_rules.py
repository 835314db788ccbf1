"""From the rule that failed to the checks that stand for it in a case: one function a kind.

The functions are in `from_call_rules` and `from_answer_rules`; here is what they share.
Where a kind can be put as a plain check on calls or answers it is, since other tools can run those
and people can edit them. What cannot is checked by the rule itself, run on the case's conversation
(`rule`). A kind that is taught by nothing stands in `NOT_TEACHABLE` with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import singledispatch

from pipeline.promotion import check_kinds as c
from pipeline.promotion.check_kinds import Check
from pipeline.promotion.checks import passes
from pipeline.promotion.outcome import Outcome
from pipeline.registry import Intent, Rule
from pipeline.registry import rules as r
from pipeline.sampling import UsualEffort

__all__ = ["NOT_TEACHABLE", "QUOTES_PROMPT", "Failing", "from_rule", "rule_itself"]

NOT_TEACHABLE: Mapping[type, str] = {
    r.Complaint: "A complaint tells that something was wrong, not what the agent should have done.",
}
"""Kinds of rules that no check can stand for, and why."""

QUOTES_PROMPT = (r.LeakedPrompt, r.Injection)
"""Kinds whose checks may quote the prompt of the day: with another prompt they test nothing."""


@dataclass(frozen=True)
class Failing:
    """What is known of a failure beside its trace; `norm` is of its intent, where there is one."""

    subject: str | None
    error_class: str | None
    intent: Intent | None
    norm: UsualEffort | None = None


def rule_itself(rule: Rule, recorded: Outcome) -> tuple[Check, ...]:
    """The rule as a check; none where it fails before the turn under test, so that no agent passes.

    A call without an answer is answered by what comes after it, so that rule may fail before.
    """
    check = c.RuleKept(rule=rule.id, params=rule.params)
    before = recorded.before
    if before is not None and not isinstance(rule.params, r.UnansweredCall):
        earlier = Outcome((), (), conversation=before, functions=recorded.functions)
        if passes(check, earlier) is False:
            return ()
    return (check,)


@singledispatch
def from_rule(params: object, rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    """No check for kinds that are not named below: `NOT_TEACHABLE` says why."""
    return ()


@from_rule.register(r.ToolOrder)
@from_rule.register(r.KeptFields)
@from_rule.register(r.KnownArguments)
@from_rule.register(r.StatedArguments)
@from_rule.register(r.UnansweredCall)
@from_rule.register(r.ForgottenConstraint)
@from_rule.register(r.LeakedSecret)
@from_rule.register(r.PythonFunction)
def _(params: object, rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    return rule_itself(rule, recorded)
