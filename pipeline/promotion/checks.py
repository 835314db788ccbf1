"""Runs a case's checks on what an agent did, recorded or replayed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import singledispatch

import jsonschema
import orjson
import re2

from pipeline.grading.conversation import Call
from pipeline.grading.facts import Fact, facts_of
from pipeline.grading.language import detect_language
from pipeline.grading.lexicons import says
from pipeline.grading.rules import Scope, check_of
from pipeline.grading.support import unsupported
from pipeline.ids import canonical_json
from pipeline.promotion.check_kinds import (
    ArgumentMax,
    CallsRepeated,
    CitesAnyOf,
    CitesOnlyRetrieved,
    Contains,
    DoesNotSay,
    Effort,
    FactsSupported,
    JsonSchema,
    LanguageIs,
    NotContains,
    NotCutOff,
    Rubric,
    RuleKept,
    Says,
    ToolCalled,
    ToolNotCalled,
)
from pipeline.promotion.outcome import Outcome
from pipeline.registry.rules import PythonFunction

__all__ = ["passes"]

_NO_SCOPE = Scope(None, None, ())  # what a case holds is all that it is tested by


@singledispatch
def passes(check: object, outcome: Outcome) -> bool | None:
    """Whether `outcome` passes `check`; None where the check alone cannot tell."""
    raise TypeError(f"no way to run a check of type {type(check).__name__!r}")


@passes.register
def _(check: ToolCalled, outcome: Outcome) -> bool:
    return any(call.name in check.any_of for call in outcome.calls)


@passes.register
def _(check: ToolNotCalled, outcome: Outcome) -> bool:
    return not any(call.name in check.none_of for call in outcome.calls)


@passes.register
def _(check: ArgumentMax, outcome: Outcome) -> bool:
    sums: dict[str, float] = defaultdict(float)
    calls = (*outcome.earlier_calls, *outcome.calls) if check.per else outcome.calls
    for number, call in enumerate(calls):
        amount = _amount(call, check.argument)
        if call.name != check.tool or amount is None:
            continue
        group = str(call.arguments.get(check.per)) if check.per else str(number)
        sums[group] = max(sums[group], amount) if call.failed else sums[group] + amount
    return all(total <= check.most + 1e-9 for total in sums.values())


@passes.register
def _(check: CallsRepeated, outcome: Outcome) -> bool:
    calls = Counter(
        canonical_json(
            [c.name, c.arguments_text if c.arguments is None else c.arguments, c.result_text]
        )
        for c in outcome.calls
    )
    said = Counter(" ".join(text.split()) for text in outcome.texts if len(text) >= 40)
    return max((*calls.values(), *said.values()), default=0) <= check.most


@passes.register
def _(check: CitesAnyOf, outcome: Outcome) -> bool:
    cited = _cited(check.pattern, outcome.answer)
    return bool(cited & {i.upper() for i in check.ids}) if check.ids else bool(cited)


@passes.register
def _(check: CitesOnlyRetrieved, outcome: Outcome) -> bool:
    return _cited(check.pattern, outcome.answer) <= outcome.documents


@passes.register
def _(check: JsonSchema, outcome: Outcome) -> bool:
    try:
        value = orjson.loads(outcome.answer)
    except orjson.JSONDecodeError:
        return False
    return bool(jsonschema.Draft202012Validator(check.value).is_valid(value))


@passes.register
def _(check: LanguageIs, outcome: Outcome) -> bool:
    found = detect_language(outcome.answer, check.languages, check.confidence, check.letters)
    return found in (None, check.language)


@passes.register
def _(check: Says, outcome: Outcome) -> bool:
    return says(outcome.answer, *check.any_of)


@passes.register
def _(check: DoesNotSay, outcome: Outcome) -> bool:
    return not says(outcome.answer, *check.none_of)


@passes.register
def _(check: Contains, outcome: Outcome) -> bool:
    return any(re2.search(f"(?i){pattern}", outcome.answer) for pattern in check.any_of)


@passes.register
def _(check: NotContains, outcome: Outcome) -> bool:
    return not any(
        re2.search(f"(?i){pattern}", text) for pattern in check.none_of for text in outcome.texts
    )


@passes.register
def _(check: FactsSupported, outcome: Outcome) -> bool | None:
    if outcome.support is None:
        return None
    facts: tuple[Fact, ...] = facts_of(outcome.answer)
    return not unsupported(facts, outcome.support)


@passes.register
def _(check: NotCutOff, outcome: Outcome) -> bool:
    return outcome.finish_reason not in ("length", "max_tokens", "content_filter")


@passes.register
def _(check: Effort, outcome: Outcome) -> bool | None:
    told = [(outcome.turns, check.most_turns), (outcome.tokens, check.most_tokens)]
    known = [(used, most) for used, most in told if used is not None and most is not None]
    return all(used <= most for used, most in known) if known else None


@passes.register
def _(check: RuleKept, outcome: Outcome) -> bool | None:
    talk, params = outcome.conversation, check.params
    if talk is None:
        return None
    if isinstance(params, PythonFunction) and params.function not in outcome.functions:
        return None  # a suite may come from anywhere: it does not say what code is run
    verdict = check_of(params)(talk, params, _NO_SCOPE).verdict
    return {"fail": False, "pass": True, "skipped": True}.get(verdict)


@passes.register
def _(check: Rubric, outcome: Outcome) -> None:
    return None


def _cited(pattern: str, text: str) -> set[str]:
    return {match.group(1).upper() for match in re2.finditer(pattern, text)}


def _amount(call: Call, argument: str) -> float | None:
    value = call.arguments.get(argument) if isinstance(call.arguments, Mapping) else None
    if isinstance(value, str):
        value = next((f.value for f in facts_of(value) if isinstance(f.value, float)), None)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
