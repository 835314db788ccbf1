"""Checks for failures of rules about calls: which, in which order, with what, how often."""

from __future__ import annotations

from pipeline.promotion import check_kinds as c
from pipeline.promotion.check_kinds import Check
from pipeline.promotion.outcome import Outcome
from pipeline.promotion.teaching.from_rules import Failing, from_rule, rule_itself
from pipeline.registry import Rule
from pipeline.registry import rules as r

__all__: list[str] = []


@from_rule.register
def _(params: r.ExpectedTool, rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    tools = failing.intent.expected_tools if failing.intent else ()
    return (c.ToolCalled(any_of=tools),) if tools else ()


@from_rule.register
def _(params: r.AmountLimit, rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    return (
        c.ArgumentMax(tool=params.tool, argument=params.argument, most=params.most, per=params.per),
    )


@from_rule.register
def _(params: r.Confirmation, rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    return (c.ToolNotCalled(none_of=params.tools),)


@from_rule.register
def _(params: r.ToolUse, rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    forbidden = (c.ToolNotCalled(none_of=params.forbidden),) if params.forbidden else ()
    # every required tool is owed, so each is a check of its own
    return (*forbidden, *(c.ToolCalled(any_of=(one,)) for one in params.required))


@from_rule.register
def _(params: r.DateLimit, rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    return (c.ToolNotCalled(none_of=params.tools),)


@from_rule.register
def _(params: r.Eligibility, rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    return (c.ToolNotCalled(none_of=params.tools),)


@from_rule.register
def _(params: r.DueCall, rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    return (c.ToolCalled(any_of=params.tools),)


@from_rule.register
def _(params: r.TurnLimit, rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    if failing.error_class == "too_many_calls" or not params.turns:
        return rule_itself(rule, recorded)
    return (c.Effort(most_turns=params.turns),)


@from_rule.register
def _(params: r.Trajectory, rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    norm = failing.norm
    if failing.error_class not in ("excess_turns", "excess_tokens"):
        return rule_itself(rule, recorded)
    if norm is None:
        return ()
    factor = params.norm_factor
    if failing.error_class == "excess_turns":
        return (c.Effort(most_turns=int(factor * norm.turns)),)
    return (c.Effort(most_tokens=int(factor * norm.tokens)),)


@from_rule.register
def _(
    params: r.ToolArguments, rule: Rule, failing: Failing, recorded: Outcome
) -> tuple[Check, ...]:
    tool = (failing.subject or "").partition(":")[0]
    if tool not in params.schemas:
        return rule_itself(rule, recorded)
    # only the schema that was broken: the others may be long
    own = params.model_copy(update={"schemas": {tool: params.schemas[tool]}})
    return rule_itself(rule.model_copy(update={"params": own}), recorded)


@from_rule.register
def _(params: r.ToolFailure, rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    admits = c.Says(any_of=("admits_failure", "found_nothing", "hands_over"))
    return (admits, c.FactsSupported()) if params.shape == "invented" else (admits,)


@from_rule.register
def _(params: r.EmptyResult, rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    return (c.Says(any_of=("asks_to_check",)), c.DoesNotSay(none_of=("denies",)))


@from_rule.register
def _(params: r.RepeatedCall, rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    return (c.CallsRepeated(most=params.times - 1),)
