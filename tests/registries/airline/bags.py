"""The airline's table of free checked bags: a rule that no kind can say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.grading.conversation import Call, Conversation
from pipeline.grading.rules import Finding, Scope
from pipeline.grading.rules.reading import before, record_before, values_under

__all__ = ["free_bags"]

_TOOLS = ("book_reservation", "update_reservation_baggages")
_WRITES = (*_TOOLS, "update_reservation_flights")


def free_bags(conversation: Conversation, options: Mapping[str, Any], scope: Scope) -> Finding:
    """Bags beyond the free ones are charged, and only those.

    Free are so many for each passenger as `options` say by membership and cabin. A call is not
    judged where neither a profile nor a reservation was looked up before.
    """
    seen = False
    for call in conversation.calls:
        charged, due = _charged(call), _due(conversation, call, options)
        if call.name not in _TOOLS or call.failed or charged is None or due is None:
            continue
        seen = True
        if charged != due:
            return Finding(
                "fail",
                "Another number of bags was charged than membership and cabin call for.",
                (call.ref,),
                call.name,
                "bags_miscounted",
            )
    return Finding("pass" if seen else "skipped", "No bag was charged wrongly.")


def _charged(call: Call) -> int | None:
    found = call.arguments.get("nonfree_baggages") if isinstance(call.arguments, Mapping) else None
    return found if isinstance(found, int) else None


def _due(conversation: Conversation, call: Call, options: Mapping[str, Any]) -> int | None:
    """How many bags have to be paid for after `call`; None where it cannot be told."""
    if not isinstance(call.arguments, Mapping):
        return None
    results = [earlier.result for earlier in before(conversation, call)]
    levels = [level for result in results for level in values_under(result, "membership")]
    known = record_before(conversation, call, "reservation_id", _WRITES) or {}
    booking = known | call.arguments
    try:
        each = options[levels[-1]][booking["cabin"]]
        return max(0, booking["total_baggages"] - each * len(booking["passengers"]))
    except (IndexError, KeyError, TypeError):
        return None
