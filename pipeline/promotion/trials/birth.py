"""What a case shows of itself when it is made: does it tell, and what gets past it?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.promotion.check_kinds import Check
from pipeline.promotion.outcome import Outcome
from pipeline.promotion.trials.case_format import read_case
from pipeline.promotion.trials.mutations import Mutations, mutate
from pipeline.promotion.trials.restaging import recorded_of
from pipeline.promotion.trials.self_check import SelfCheck, correct, try_out

__all__ = ["Birth", "try_again", "try_case"]


@dataclass(frozen=True)
class Birth:
    """The self-check, and the mutation check where a good answer was at hand."""

    self_check: SelfCheck
    mutations: Mutations | None

    def told(self) -> dict[str, Any]:
        """As the case holds it."""
        body: dict[str, Any] = {"self_check": self.self_check.verdict}
        if self.self_check.failed_on_good:
            body["failed_on_good"] = list(self.self_check.failed_on_good)
        if self.mutations is None:
            return body | {"mutations": None}
        found = self.mutations
        return body | {
            "mutations": {
                "good": found.good,
                "caught": len(found.caught),
                "of": found.total,
                "missed": list(found.missed),
                "duties": list(found.duties),
            }
        }


def try_case(
    checks: tuple[Check, ...], recorded: Outcome, correction: str | None, peers: Iterable[Outcome]
) -> Birth:
    """Try out the checks of a case.

    Args:
        checks: of the case.
        recorded: the bad output.
        correction: what a person says in the trace that should have been, or None.
        peers: answers of other conversations that may be good ones.
    """
    found = try_out(checks, recorded, correction)
    corrected = None
    if found.verdict == "proved" and correction:
        corrected, _ = correct(recorded, correction)
    return Birth(found, mutate(checks, recorded, corrected, peers))


def try_again(
    case: Mapping[str, Any], corrected: str | None, functions: frozenset[str] = frozenset()
) -> tuple[SelfCheck, dict[str, Any]]:
    """Try a case once more, when a person has said what should have been.

    Args:
        case: of the suite or of `promoted_cases`, parsed.
        corrected: see `self_check`; None: nobody has.
        functions: of rules of the kind `python`, those that may run.

    Returns:
        What the try showed, and the case's `birth` in its light: verdicts and names of
        corruptions, never a word of the correction. What was measured before stays where the
        correction gives nothing better.

    Raises:
        CaseError: the case cannot be read.
    """
    read = read_case(case)
    said = corrected if read.recorded.last_turn else None
    found = try_case(read.checks, recorded_of(read, functions), said, ())
    before = case.get("birth")
    known = before.get("mutations") if isinstance(before, Mapping) else None
    told = found.told()
    return found.self_check, told if found.mutations else told | {"mutations": known}
