"""The checks of a case on an answer: the same code that told the recorded failure."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.exports.answers import Answer
from pipeline.exports.case import Case
from pipeline.exports.outcomes import outcome_of
from pipeline.promotion import Check, CheckBroken, Outcome, run_check
from pipeline.promotion.wording import in_words

__all__ = ["Result", "Verdict", "check_answer"]

_OF_TEXT = (
    *("cites_any_of", "cites_only_retrieved", "json_schema", "language_is", "says"),
    *("does_not_say", "contains", "not_contains", "facts_supported"),
    *("not_cut_off", "effort", "rubric"),
)
"""Kinds that need no word of the calls of tools; every other one is undecided without."""


@dataclass(frozen=True)
class Result:
    """What one check says; `passed` is None where it cannot be decided, and `why` says why."""

    kind: str
    expects: str
    passed: bool | None
    why: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What all checks of a case say of an answer."""

    case_id: str
    results: tuple[Result, ...]

    @property
    def passed(self) -> bool | None:
        """False where a check fails, True where one passes and none fails, else None."""
        decided = {result.passed for result in self.results} - {None}
        return None if not decided else False not in decided

    @property
    def undecided(self) -> int:
        """How many checks could not be decided."""
        return sum(result.passed is None for result in self.results)


def check_answer(case: Case, answer: Answer) -> Verdict:
    """Run the checks of `case` on `answer`."""
    outcome = outcome_of(case, answer)
    return Verdict(case.case_id, tuple(_result(check, answer, outcome) for check in case.checks))


def _result(check: Check, answer: Answer, outcome: Outcome) -> Result:
    expects = in_words(check)
    if check.kind not in _OF_TEXT and not answer.tells_calls:
        return Result(check.kind, expects, None, "the answer does not tell its calls of tools")
    if check.kind == "not_cut_off" and outcome.finish_reason is None:
        return Result(check.kind, expects, None, "the answer tells no finish_reason")
    try:
        passed = run_check(check, outcome)
    except CheckBroken:
        why = "the check is broken: its pattern or schema cannot be read"
        return Result(check.kind, expects, None, why)
    reason = None
    if passed is None:
        needs_judge = check.kind == "rubric"
        reason = "a judge has to say" if needs_judge else "the answer does not tell what it needs"
    return Result(check.kind, expects, passed, reason)
