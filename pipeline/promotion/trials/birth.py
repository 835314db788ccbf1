"""What a case shows of itself when it is made: does it tell, and what gets past it?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pipeline.promotion.check_kinds import Check
from pipeline.promotion.outcome import Outcome
from pipeline.promotion.trials.mutations import Mutations, mutate
from pipeline.promotion.trials.self_check import SelfCheck, correct, try_out

__all__ = ["Birth", "try_case"]


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
