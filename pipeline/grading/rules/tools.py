"""Rules about calls: confirmation and loops."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from pipeline.grading.conversation import Call, Conversation, Message
from pipeline.grading.lexicons import says
from pipeline.grading.rules.kinds import PASS, SKIPPED, Finding, Scope, checks, failed
from pipeline.ids import canonical_json
from pipeline.registry.rules import Confirmation, RepeatedCall

__all__: list[str] = []


@checks(Confirmation)
def confirmation(conversation: Conversation, params: Confirmation, scope: Scope) -> Finding:
    """Before a call that writes, an answer named or asked something and the user did not decline.

    The plain form: a write in the turn in which the user first speaks, before the agent has said
    a word, had no confirmation; nor had one after the user declined. Where the yes has to be
    explicit, the agent had asked whether to go on and the user had agreed, since the last turn in
    which something was changed; a call that failed needs none.
    """
    writes = [(t, c) for t in conversation.turns for c in t.calls if c.name in params.tools]
    if not writes:
        return SKIPPED
    proposals = _proposals(conversation)
    agreed = _agreements(conversation, params.tools, proposals) if params.explicit else ()
    for turn, call in writes:
        if params.explicit and not call.failed and turn.number not in agreed:
            return failed(
                "A tool that writes was called without a yes to what it does.",
                *(ref for ref in (turn.user.ref if turn.user else None, call.ref) if ref),
                subject=call.name,
                error_class="no_explicit_yes",
            )
        proposal = proposals[turn.number]
        if proposal is None:
            return failed(
                "A tool that writes was called before the agent had stated what it would do.",
                *(ref for ref in (turn.user.ref if turn.user else None, call.ref) if ref),
                subject=call.name,
                error_class="unconfirmed_write",
            )
        if turn.user and says(turn.user.text, "declines") and not says(turn.user.text, "agrees"):
            return failed(
                "A tool that writes was called although the user had just declined.",
                proposal.ref,
                turn.user.ref,
                call.ref,
                subject=call.name,
                error_class="write_after_no",
            )
    return PASS


def _proposals(conversation: Conversation) -> list[Message | None]:
    """The last thing the agent said before each turn."""
    last: Message | None = None
    found = []
    for turn in conversation.turns:
        found.append(last)
        last = turn.answer or last
    return found


def _agreements(
    conversation: Conversation, tools: tuple[str, ...], proposals: Sequence[Message | None]
) -> frozenset[int]:
    """The turns up to which, since the last write before them, the user agreed to a proposal."""
    agreed, found = False, set()
    for turn in conversation.turns:
        proposal = proposals[turn.number]
        if proposal and says(proposal.text, "proposes") and turn.user:
            agreed = agreed or says(turn.user.text, "agrees")
        if agreed:
            found.add(turn.number)
        if any(call.name in tools and not call.failed for call in turn.calls):
            agreed = False
    return frozenset(found)


@checks(RepeatedCall)
def repeated_call(conversation: Conversation, params: RepeatedCall, scope: Scope) -> Finding:
    """Within one turn, the same call with the same outcome stays under `times`.

    So do long answers word for word over the conversation: that is the loop that users see.
    """
    if not conversation.calls and len(conversation.answered) < params.times:
        return SKIPPED
    for turn in conversation.turns:
        seen: dict[bytes, list[Call]] = defaultdict(list)
        for call in turn.calls:
            outcome = call.status if call.failed else call.result_text
            seen[canonical_json([call.name, _same(call), outcome])].append(call)
        for calls in seen.values():
            if len(calls) >= params.times:
                return failed(
                    f"The same call was made {len(calls)} times in a turn and changed nothing.",
                    *(call.ref for call in calls),
                    subject=calls[0].name,
                    error_class="same_call_again",
                )
    said: dict[str, list[str]] = defaultdict(list)
    for _, _, answer in conversation.answered:
        if len(answer.text) >= 40:
            said[" ".join(answer.text.split())].append(answer.ref)
    for refs in said.values():
        if len(refs) >= params.times:
            return failed(
                f"The same answer was given {len(refs)} times.",
                *refs,
                error_class="same_answer_again",
            )
    return PASS


def _same(call: Call) -> Any:
    return call.arguments if call.arguments is not None else call.arguments_text
