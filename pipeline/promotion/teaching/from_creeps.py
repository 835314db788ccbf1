"""Checks for what creeps up: the ceiling is what its intent took before, times `slow_factor`."""

from __future__ import annotations

from pipeline.promotion import check_kinds as c
from pipeline.promotion.candidate import Showing
from pipeline.promotion.teaching.from_rules import NOT_TEACHABLE
from pipeline.promotion.teaching.synthesis import Plan
from pipeline.promotion.wording import sentence
from pipeline.registry.rules import Complaint

__all__ = ["plan_slow"]

_UNTAUGHT = {
    "retries": "It made no answered call again beyond what was usual: what it called again had "
    "failed, and no check on the agent mends a tool. Look at the tool first.",
    "turns": "Its turns are within what its intent took before.",
    "tokens": "Its tokens are within what its intent took before.",
    "cost_usd": "No check can tell what an answer costs, and its tokens do not show it.",
    "complaints": NOT_TEACHABLE[Complaint],
}
_NO_CEILING = "Its intent took none before, so there is no ceiling that it could keep to."


def plan_slow(shown: Showing) -> Plan:
    """The check for a conversation that passed and shows what creeps up.

    Turns and tokens get a ceiling, a cost that of its tokens where they are beyond it too. Calls
    made again are counted where they had been answered: to try a failed one again is right.
    """
    metric, most = shown.creep.metric, int(shown.limit)
    check: c.Check | None = None
    if metric == "retries":
        check = c.CallsMadeAgain(most=most)
    elif metric == "turns" and most:
        check = c.Effort(most_turns=most)
    elif metric == "tokens" and most:
        check = c.Effort(most_tokens=most)
    elif shown.most_tokens is not None:
        check = c.Effort(most_tokens=shown.most_tokens)
    checks = (check,) if check is not None else ()
    bare = metric in ("turns", "tokens") and check is None
    untaught = _NO_CEILING if bare else _UNTAUGHT[metric]
    return Plan(checks, sentence("The same request is settled.", checks), untaught)
