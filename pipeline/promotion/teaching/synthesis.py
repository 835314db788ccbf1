"""From what failed to checks that a test can run, and a sentence of what is expected.

Whether the checks tell is tried out at birth: `teaches` runs them on the recorded bad output, and
a case whose checks all pass there goes to a person. Judged axes have no rule: of them only what
facts and lexicons show can be checked without a judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.promotion import check_kinds as c
from pipeline.promotion.check_kinds import Check
from pipeline.promotion.checks import passes
from pipeline.promotion.outcome import Outcome
from pipeline.promotion.teaching import from_answer_rules, from_call_rules
from pipeline.promotion.teaching.from_rules import NOT_TEACHABLE, Failing, from_rule, rule_itself
from pipeline.promotion.wording import sentence
from pipeline.registry import Axis, Rule
from pipeline.registry import rules as r

__all__ = ["Failing", "Plan", "plan_checks", "plan_effort", "teaches"]


_FAMILIES = (from_answer_rules, from_call_rules)  # imported to register their functions

_RULE_AS_LAST_RESORT = (
    *(r.AmountLimit, r.AskedAgain, r.Citation, r.Confirmation, r.DateLimit, r.DueCall),
    *(r.Eligibility, r.Escalation, r.Language, r.Phrases, r.Register, r.RepeatedCall, r.ToolUse),
)
"""Kinds that need no intent, where the rule itself may stand in if the plain check misses."""


@dataclass(frozen=True)
class Plan:
    """The checks of a case, what they expect, and why, if they teach nothing."""

    checks: tuple[Check, ...]
    expected: str
    untaught: str = ""


_FROM_CODE: dict[str, tuple[Check, ...]] = {
    "no_apology": (c.Says(any_of=("apologises",)),),
    "harsh": (c.DoesNotSay(none_of=("cold",)),),
    "deflected": (c.DoesNotSay(none_of=("deflects",)),),
}
"""What can be checked of a judged axis without a judge, by the rubric's code of the fail."""


def teaches(plan: Plan, outcome: Outcome) -> bool:
    """Whether at least one check fails on the recorded bad output."""
    return any(passes(check, outcome) is False for check in plan.checks)


def plan_checks(
    check: str, failing: Failing, recorded: Outcome, rules: Sequence[Rule], rubric: Sequence[Axis]
) -> Plan:
    """The checks for a failure of the rule or axis `check`."""
    rule = next((rule for rule in rules if rule.id == check), None)
    if rule is not None:
        made = _checks_for(rule, failing, recorded)
        plan = Plan(made, sentence(f"{rule.title}.", made))
        return replace(plan, untaught=_untaught(plan, rule, recorded))
    axis = next((axis for axis in rubric if axis.id == check), None)
    passes_when = axis.passes_when if axis else f"The answer is right on {check}."
    told = _FROM_CODE.get(failing.error_class or "", ())
    told = told or ((c.FactsSupported(),) if check == "faithfulness" else ())
    plan = Plan((*told, c.Rubric(axis=check, passes_when=passes_when)), sentence(passes_when, told))
    if teaches(plan, recorded):
        return plan
    return replace(plan, untaught=f"Only a judge can tell {check}, so no check fails by itself.")


def _checks_for(rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    """The checks for a failure of `rule`; none where nothing can stand for it."""
    made = from_rule(rule.params, rule, failing, recorded)
    tells = any(passes(check, recorded) is False for check in made)
    if isinstance(rule.params, _RULE_AS_LAST_RESORT) and not tells:
        itself = rule_itself(rule, recorded)
        if any(passes(check, recorded) is False for check in itself):
            return itself
    return made


def _untaught(plan: Plan, rule: Rule, recorded: Outcome) -> str:
    if teaches(plan, recorded):
        return ""
    if not plan.checks:
        return NOT_TEACHABLE.get(
            type(rule.params),
            f"No check of the kind {rule.kind!r} can be made from it: what the agent had to do "
            "is not known, or it went wrong before the turn that can be replayed.",
        )
    return "Its checks do not fail on the recorded output, so they cannot tell."


def plan_effort(turns: int | None, tokens: int | None) -> Plan:
    """The check for a conversation that passed at too high a cost, from its intent's norm."""
    limit = c.Effort(most_turns=turns, most_tokens=tokens)
    untaught = "Turns and tokens are within what the intent usually takes."
    return Plan((limit,), sentence("The same request is settled.", (limit,)), untaught)
