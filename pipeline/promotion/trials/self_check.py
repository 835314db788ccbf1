"""Whether a case can tell bad from good: tried out at birth, and on every correction.

A case is worth its place only if its checks fail on what was recorded and pass on what should have
been. A correction in plain words says nothing of calls: a check that hangs on them is then neither
proved nor refuted. One that is a JSON object with `content` and `tool_calls` speaks of both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from pipeline.grading.conversation import Call
from pipeline.promotion import check_kinds as c
from pipeline.promotion.check_kinds import Check
from pipeline.promotion.checks import passes
from pipeline.promotion.outcome import Outcome
from pipeline.promotion.trials.case_format import read_case
from pipeline.promotion.trials.restaging import recorded_of
from pipeline.registry import rules as r

__all__ = [
    "SELF_CHECKS",
    "TRIED_OUT",
    "SelfCheck",
    "SelfCheckVerdict",
    "correct",
    "self_check",
    "try_out",
]

SelfCheckVerdict = Literal["proved", "uncorrected", "fails_on_good", "passes_on_bad"]
SELF_CHECKS: Mapping[SelfCheckVerdict, str] = {
    "proved": "fails on the recorded output and passes on the corrected one",
    "uncorrected": "fails on the recorded output; no correction says what passes",
    "fails_on_good": "fails on the corrected output too, so it cannot tell",
    "passes_on_bad": "does not fail on the recorded output, so it cannot tell",
}
TRIED_OUT = "Tried out"
"""How a sentence begins that tells of it."""

_ANSWER_ALONE = (
    *(c.CitesAnyOf, c.CitesOnlyRetrieved, c.Contains, c.DoesNotSay, c.FactsSupported),
    *(c.JsonSchema, c.LanguageIs, c.NotContains, c.NotCutOff, c.Says),
)
_RULES_ON_ANSWERS = (
    *(r.AskedAgain, r.Citation, r.ForgottenConstraint, r.JsonContract, r.Language),
    *(r.LeakedPrompt, r.LeakedSecret, r.Phrases, r.Register, r.Truncated, r.UnansweredCall),
)


@dataclass(frozen=True)
class SelfCheck:
    """What the try showed; `failed_on_good` are the kinds of checks that a right answer fails."""

    verdict: SelfCheckVerdict
    failed_on_good: tuple[str, ...] = ()

    @property
    def tells(self) -> bool:
        """Whether nothing is known against the case; if not, a person has to look at it."""
        return self.verdict in ("proved", "uncorrected")


def self_check(
    case: Mapping[str, Any], corrected: str | None, functions: frozenset[str] = frozenset()
) -> SelfCheck:
    """Try out a case on its recorded output and on a correction of it.

    Args:
        case: a case of the suite or of `promoted_cases`, parsed.
        corrected: what the agent should have said, or a JSON object with `content` and
            `tool_calls`; None where nobody said. Nothing of it is kept. It speaks of the last
            turn: of a case about an earlier one it says nothing.
        functions: of rules of the kind `python`, those that may run.

    Raises:
        CaseError: the case cannot be read.
    """
    read = read_case(case)
    said = corrected if read.recorded.last_turn else None
    return try_out(read.checks, recorded_of(read, functions), said)


def try_out(checks: Sequence[Check], recorded: Outcome, corrected: str | None) -> SelfCheck:
    """The same, of checks and an outcome at hand."""
    failing = [check for check in checks if passes(check, recorded) is False]
    if not failing:
        return SelfCheck("passes_on_bad")
    if corrected is None or not corrected.strip():
        return SelfCheck("uncorrected")
    good, speaks_of_calls = correct(recorded, corrected)
    told = {id(check): passes(check, good) for check in checks}
    wrong = [
        check.kind
        for check in checks
        if told[id(check)] is False and (speaks_of_calls or _hangs_on_answer(check))
    ]
    if wrong:
        return SelfCheck("fails_on_good", tuple(sorted(set(wrong))))
    proved = all(told[id(check)] is True for check in failing)
    return SelfCheck("proved" if proved else "uncorrected")


def correct(recorded: Outcome, corrected: str) -> tuple[Outcome, bool]:
    """The outcome, had the agent done what the correction says; and whether it names calls."""
    body = _object(corrected)
    asked = body.get("tool_calls") if body else None
    if body is None or not isinstance(asked, list):
        return recorded.with_turn(texts=(corrected,)), False
    content = body.get("content")
    said = (content,) if isinstance(content, str) and content else ()
    calls = [call for one in asked if (call := _call(one, recorded)) is not None]
    return recorded.with_turn(texts=said, calls=calls), True


def _hangs_on_answer(check: Check) -> bool:
    if isinstance(check, c.RuleKept):
        return isinstance(check.params, _RULES_ON_ANSWERS)
    return isinstance(check, _ANSWER_ALONE)


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _call(asked: Any, recorded: Outcome) -> Call | None:
    """A call as models write it; its result is that of the same call if it was made."""
    body = asked.get("function", asked) if isinstance(asked, Mapping) else None
    if not isinstance(body, Mapping) or not isinstance(body.get("name"), str):
        return None
    given = body.get("arguments")
    text = given if isinstance(given, str) else orjson.dumps(given or {}).decode()
    arguments = _object(text)
    made = (*recorded.earlier_calls, *recorded.calls)
    same = (m for m in made if m.name == body["name"] and m.arguments == arguments)
    new = Call("corrected", body["name"], arguments, text, None, "", "ok", recorded=False)
    return next(same, new)
