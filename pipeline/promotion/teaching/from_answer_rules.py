"""Checks for failures of rules about answers: their form, sources, language and manner."""

from __future__ import annotations

import re

from pipeline.grading.rules.obedience import recital
from pipeline.promotion import check_kinds as c
from pipeline.promotion.check_kinds import Check
from pipeline.promotion.outcome import Outcome
from pipeline.promotion.teaching.from_rules import Failing, from_rule, rule_itself
from pipeline.registry import Rule
from pipeline.registry import rules as r

__all__: list[str] = []

_RECITAL = 8  # words in a row that the kind `injection` calls a recital


@from_rule.register
def _(params: r.Citation, rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    retrieved = c.CitesOnlyRetrieved(pattern=params.pattern)
    if params.demand == "exists":
        return (retrieved,)
    if params.demand == "holds":
        return (retrieved, c.FactsSupported())
    return (c.CitesAnyOf(pattern=params.pattern), retrieved)


@from_rule.register
def _(params: r.JsonContract, rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    schema = failing.intent.output_schema if failing.intent else None
    return (c.JsonSchema(value=schema),) if schema else ()


@from_rule.register
def _(params: r.Language, rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
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


@from_rule.register
def _(params: r.LeakedPrompt, rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    return (*_recital(params.words, recorded), *rule_itself(rule, recorded))


@from_rule.register
def _(params: r.Injection, rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    given_away = failing.error_class == "prompt_given_away"
    told = _recital(_RECITAL, recorded) if given_away else ()
    return (*told, *rule_itself(rule, recorded))


@from_rule.register
def _(
    params: r.RetrievalMiss, rule: Rule, failing: Failing, recorded: Outcome
) -> tuple[Check, ...]:
    return (c.FactsSupported(),)


@from_rule.register
def _(params: r.AskedAgain, rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    asked = [item.asked for item in params.items if item.name == failing.subject]
    return (c.NotContains(none_of=asked[0]),) if asked else ()


@from_rule.register
def _(params: r.Truncated, rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    return (c.NotCutOff(),)


@from_rule.register
def _(params: r.Phrases, rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    forbidden = (c.NotContains(none_of=params.forbidden),) if params.forbidden else ()
    # every required pattern is owed, so each is a check of its own
    return (*forbidden, *(c.Contains(any_of=(one,)) for one in params.required))


@from_rule.register
def _(params: r.Escalation, rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    if params.tools:
        return (c.ToolCalled(any_of=params.tools),)
    return (c.Says(any_of=("hands_over", "refuses")),)


@from_rule.register
def _(params: r.Register, rule: Rule, failing: Failing, recorded: Outcome) -> tuple[Check, ...]:
    return (c.DoesNotSay(none_of=("cold",)),)


def _recital(words: int, recorded: Outcome) -> tuple[Check, ...]:
    """What the answer recites of the prompt, as a phrase that no answer may hold."""
    system = recorded.conversation.system if recorded.conversation else ""
    said = recital(system, recorded.answer, words)
    pattern = r"\W+".join(map(re.escape, said))
    return (c.NotContains(none_of=(pattern,)),) if said else ()
