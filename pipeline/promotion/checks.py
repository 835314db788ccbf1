"""Runs a case's checks on what an agent did, recorded or replayed.

People edit checks, and whatever an agent says comes to them: a check that cannot be run decides
nothing, and takes nothing else down.
"""

from __future__ import annotations

from collections import Counter, deque
from functools import lru_cache, singledispatch
from typing import Any

import orjson
import re2
from pydantic import TypeAdapter, ValidationError

from pipeline.grading.facts import Fact, facts_of
from pipeline.grading.language import detect_language
from pipeline.grading.lexicons import says
from pipeline.grading.rules import Scope, check_of
from pipeline.grading.support import unsupported
from pipeline.ids import canonical_json
from pipeline.json_schemas import validator_of
from pipeline.promotion.call_counts import amounts, calls_made_again, most_alike
from pipeline.promotion.check_kinds import (
    ArgumentMax,
    CallsMadeAgain,
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
from pipeline.registry.rules.base import JsonSchema as SoundSchema

__all__ = ["CheckBroken", "is_broken", "passes", "run_check"]

_NO_SCOPE = Scope(None, None, ())  # what a case holds is all that it is tested by
_SCHEMA: TypeAdapter[Any] = TypeAdapter(SoundSchema)
_QUIET = re2.Options()
_QUIET.log_errors = False


class CheckBroken(ValueError):
    """A check cannot be run, for its pattern, schema or language is none; nothing is quoted."""


def passes(check: object, outcome: Outcome) -> bool | None:
    """Whether `outcome` passes `check`; None where the check alone cannot tell, or is broken."""
    try:
        return run_check(check, outcome)
    except CheckBroken:
        return None


def run_check(check: object, outcome: Outcome) -> bool | None:
    """Whether `outcome` passes `check`; None where the check alone cannot tell.

    Raises:
        CheckBroken: it cannot be run.
    """
    try:
        return _decide(check, outcome)
    except re2.error:
        raise CheckBroken("a pattern is none") from None


def is_broken(check: object) -> bool:
    """Whether a check's pattern or schema is none, so that it could never decide anything."""
    try:
        if isinstance(check, Contains | NotContains):
            listed = check.any_of if isinstance(check, Contains) else check.none_of
            deque(map(_pattern, listed), maxlen=0)
        if isinstance(check, CitesAnyOf | CitesOnlyRetrieved):
            _pattern(check.pattern)
        if isinstance(check, JsonSchema):
            _SCHEMA.validate_python(check.value)
    except (re2.error, ValidationError):
        return True
    return False


@singledispatch
def _decide(check: object, outcome: Outcome) -> bool | None:
    raise TypeError(f"no way to run a check of type {type(check).__name__!r}")


@_decide.register
def _(check: ToolCalled, outcome: Outcome) -> bool:
    return any(call.name in check.any_of for call in outcome.calls)


@_decide.register
def _(check: ToolNotCalled, outcome: Outcome) -> bool:
    return not any(call.name in check.none_of for call in outcome.calls)


@_decide.register
def _(check: ArgumentMax, outcome: Outcome) -> bool:
    calls = (*outcome.earlier_calls, *outcome.calls) if check.per else outcome.calls
    own = [call for call in calls if call.name == check.tool]
    return all(total <= check.most + 1e-9 for total in amounts(own, check.argument, check.per))


@_decide.register
def _(check: CallsRepeated, outcome: Outcome) -> bool:
    said = Counter(" ".join(text.split()) for text in outcome.texts if len(text) >= 40)
    return max(most_alike(outcome.calls), *said.values(), 0) <= check.most


@_decide.register
def _(check: CallsMadeAgain, outcome: Outcome) -> bool:
    return len(calls_made_again((*outcome.earlier_calls, *outcome.calls))) <= check.most


@_decide.register
def _(check: CitesAnyOf, outcome: Outcome) -> bool:
    cited = _cited(check.pattern, outcome.answer)
    return bool(cited & {i.upper() for i in check.ids}) if check.ids else bool(cited)


@_decide.register
def _(check: CitesOnlyRetrieved, outcome: Outcome) -> bool:
    return _cited(check.pattern, outcome.answer) <= outcome.documents


@_decide.register
def _(check: JsonSchema, outcome: Outcome) -> bool:
    try:
        value = orjson.loads(outcome.answer)
    except orjson.JSONDecodeError:
        return False
    try:
        return bool(validator_of(canonical_json(check.value)).is_valid(value))
    except Exception:  # an unsound schema raises anything: KeyError, ZeroDivisionError, recursion
        raise CheckBroken("its schema is none, or leads out of itself") from None


@_decide.register
def _(check: LanguageIs, outcome: Outcome) -> bool:
    try:
        found = detect_language(outcome.answer, check.languages, check.confidence, check.letters)
    except ValueError:
        raise CheckBroken("a language is unknown") from None
    return found in (None, check.language)


@_decide.register
def _(check: Says, outcome: Outcome) -> bool:
    return says(outcome.answer, *check.any_of)


@_decide.register
def _(check: DoesNotSay, outcome: Outcome) -> bool:
    return not says(outcome.answer, *check.none_of)


@_decide.register
def _(check: Contains, outcome: Outcome) -> bool:
    return any(_pattern(f"(?i){one}").search(outcome.answer) for one in check.any_of)


@_decide.register
def _(check: NotContains, outcome: Outcome) -> bool:
    return not any(
        _pattern(f"(?i){one}").search(text) for one in check.none_of for text in outcome.texts
    )


@_decide.register
def _(check: FactsSupported, outcome: Outcome) -> bool | None:
    if outcome.support is None:
        return None
    facts: tuple[Fact, ...] = facts_of(outcome.answer)
    return not unsupported(facts, outcome.support)


@_decide.register
def _(check: NotCutOff, outcome: Outcome) -> bool:
    return outcome.finish_reason not in ("length", "max_tokens", "content_filter")


@_decide.register
def _(check: Effort, outcome: Outcome) -> bool | None:
    told = [(outcome.turns, check.most_turns), (outcome.tokens, check.most_tokens)]
    known = [(used, most) for used, most in told if used is not None and most is not None]
    return all(used <= most for used, most in known) if known else None


@_decide.register
def _(check: RuleKept, outcome: Outcome) -> bool | None:
    talk, params = outcome.conversation, check.params
    if talk is None:
        return None
    if isinstance(params, PythonFunction) and params.function not in outcome.functions:
        return None  # a suite may come from anywhere: it does not say what code is run
    verdict = check_of(params)(talk, params, _NO_SCOPE).verdict
    return {"fail": False, "pass": True, "skipped": True}.get(verdict)


@_decide.register
def _(check: Rubric, outcome: Outcome) -> None:
    return None


def _cited(pattern: str, text: str) -> set[str]:
    """What a pattern names: its first group, or all of it where it has none."""
    found = _pattern(pattern)
    group = 1 if found.groups else 0
    return {match.group(group).upper() for match in found.finditer(text) if match.group(group)}


@lru_cache(maxsize=2_048)
def _pattern(pattern: str) -> Any:
    return re2.compile(pattern, _QUIET)
