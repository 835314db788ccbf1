"""What a certificate may be worth: a rule that no kind can say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.grading.conversation import Conversation
from pipeline.grading.rules import Finding, Scope
from pipeline.grading.rules.reading import argument, before, values_under

__all__ = ["worth"]


def worth(conversation: Conversation, options: Mapping[str, Any], scope: Scope) -> Finding:
    """A certificate is worth one of the rates of `options` for each passenger of a reservation.

    Any reservation that was looked up before counts; without one the call is not judged.
    """
    seen = False
    for call in conversation.calls:
        amount = argument(call, "amount")
        results = [earlier.result for earlier in before(conversation, call)]
        sizes = {len(p) for r in results for p in values_under(r, "passengers")}
        if call.name != "send_certificate" or call.failed or not sizes:
            continue
        seen = True
        if amount not in {rate * size for rate in options["rates"] for size in sizes}:
            return Finding(
                "fail",
                "A certificate is worth something else than the rate for each passenger.",
                (call.ref,),
                call.name,
                "wrong_worth",
            )
    return Finding("pass" if seen else "skipped", "No certificate had a wrong worth.")
