"""From the rule that failed to checks that a test can run, and a sentence of what is expected.

Each kind of rule has one function that says which checks stand for it in a case. Whether they
tell is tried out at birth: `teaches` runs them on the recorded bad output, and a case whose
checks all pass there goes to a person. Judged axes have no rule: of them only what facts and
lexicons show can be checked without a judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch

from pipeline.promotion import check_kinds as c
from pipeline.promotion.check_kinds import Check
from pipeline.promotion.checks import passes
from pipeline.promotion.episodes import Outcome
from pipeline.promotion.wording import sentence
from pipeline.registry import Axis, Intent, Rule
from pipeline.registry import rules as r

__all__ = ["Failing", "Plan", "plan_checks", "plan_effort", "teaches"]


@dataclass(frozen=True)
class Failing:
    """What is known of a failure beside its trace."""

    subject: str | None
    error_class: str | None
    intent: Intent | None


@dataclass(frozen=True)
class Plan:
    """The checks of a case and what they expect, in a sentence."""

    checks: tuple[Check, ...]
    expected: str


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
        made = _from_rule(rule.params, failing, recorded)
        return Plan(made, sentence(f"{rule.title}.", made))
    axis = next((axis for axis in rubric if axis.id == check), None)
    passes_when = axis.passes_when if axis else f"The answer is right on {check}."
    told = _FROM_CODE.get(failing.error_class or "", ())
    told = told or ((c.FactsSupported(),) if check == "faithfulness" else ())
    return Plan((*told, c.Rubric(axis=check, passes_when=passes_when)), sentence(passes_when, told))


def plan_effort(turns: int | None, tokens: int | None) -> Plan:
    """The check for a conversation that passed at too high a cost, from its intent's norm."""
    limit = c.Effort(most_turns=turns, most_tokens=tokens)
    return Plan((limit,), sentence("The same request is settled.", (limit,)))


@singledispatch
def _from_rule(params: object, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    """No check can be made for kinds that are not named below (a complaint, a constraint)."""
    return ()


@_from_rule.register
def _(params: r.ExpectedTool, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    tools = failing.intent.expected_tools if failing.intent else ()
    return (c.ToolCalled(any_of=tools),) if tools else ()


@_from_rule.register
def _(params: r.Citation, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    retrieved = c.CitesOnlyRetrieved(pattern=params.pattern)
    if params.demand == "exists":
        return (retrieved,)
    if params.demand == "holds":
        return (retrieved, c.FactsSupported())
    return (c.CitesAnyOf(pattern=params.pattern), retrieved)


@_from_rule.register
def _(params: r.JsonContract, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    schema = failing.intent.output_schema if failing.intent else None
    return (c.JsonSchema(value=schema),) if schema else ()


@_from_rule.register
def _(params: r.Language, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    wanted = (failing.subject or "").partition("->")[0]
    if wanted not in params.languages:
        return ()
    return (
        c.LanguageIs(
            language=wanted,
            languages=params.languages,
            confidence=params.confidence,
            letters=params.letters,
        ),
    )


@_from_rule.register
def _(params: r.AmountLimit, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    return (
        c.ArgumentMax(tool=params.tool, argument=params.argument, most=params.most, per=params.per),
    )


@_from_rule.register
def _(params: r.Confirmation, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    return (c.ToolNotCalled(none_of=params.tools),)


@_from_rule.register
def _(params: r.ToolUse, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    forbidden = (c.ToolNotCalled(none_of=params.forbidden),) if params.forbidden else ()
    # every required tool is owed, so each is a check of its own
    return (*forbidden, *(c.ToolCalled(any_of=(one,)) for one in params.required))


@_from_rule.register
def _(params: r.DateLimit, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    return (c.ToolNotCalled(none_of=params.tools),)


@_from_rule.register
def _(params: r.Eligibility, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    return (c.ToolNotCalled(none_of=params.tools),)


@_from_rule.register
def _(params: r.DueCall, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    return (c.ToolCalled(any_of=params.tools),)


@_from_rule.register
def _(params: r.TurnLimit, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    return (c.Effort(most_turns=params.turns),) if params.turns else ()


@_from_rule.register
def _(params: r.ToolFailure, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    admits = c.Says(any_of=("admits_failure", "found_nothing", "hands_over"))
    return (admits, c.FactsSupported()) if params.shape == "invented" else (admits,)


@_from_rule.register
def _(params: r.EmptyResult, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    return (c.Says(any_of=("asks_to_check",)), c.DoesNotSay(none_of=("denies",)))


@_from_rule.register
def _(params: r.RetrievalMiss, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    return (c.FactsSupported(),)


@_from_rule.register
def _(params: r.RepeatedCall, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    return (c.CallsRepeated(most=params.times - 1),)


@_from_rule.register
def _(params: r.AskedAgain, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    asked = [item.asked for item in params.items if item.name == failing.subject]
    return (c.NotContains(none_of=asked[0]),) if asked else ()


@_from_rule.register
def _(params: r.Truncated, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    return (c.NotCutOff(),)


@_from_rule.register
def _(params: r.Phrases, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    forbidden = (c.NotContains(none_of=params.forbidden),) if params.forbidden else ()
    # every required pattern is owed, so each is a check of its own
    return (*forbidden, *(c.Contains(any_of=(one,)) for one in params.required))


@_from_rule.register
def _(params: r.Escalation, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    if params.tools:
        return (c.ToolCalled(any_of=params.tools),)
    return (c.Says(any_of=("hands_over", "refuses")),)


@_from_rule.register
def _(params: r.Register, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    return (c.DoesNotSay(none_of=("cold",)),)
