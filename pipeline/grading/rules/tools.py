"""Rules about calls: confirmation and loops."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from pipeline.grading.conversation import Call, Conversation, Turn
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
    for turn, call in writes:
        if params.explicit and not call.failed and not _agreed(conversation, turn, params.tools):
            return failed(
                "A tool that writes was called without a yes to what it does.",
                *(ref for ref in (turn.user.ref if turn.user else None, call.ref) if ref),
                subject=call.name,
                error_class="no_explicit_yes",
            )
        proposal = _proposal(conversation, turn)
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
                proposal,
                turn.user.ref,
                call.ref,
                subject=call.name,
                error_class="write_after_no",
            )
    return PASS


def _agreed(conversation: Conversation, turn: Turn, tools: tuple[str, ...]) -> bool:
    """Whether the user has agreed to a proposal since the last turn before `turn` with a write."""
    for later in reversed(conversation.turns[: turn.number + 1]):
        if later is not turn and any(c.name in tools and not c.failed for c in later.calls):
            return False
        asked = [t.answer for t in conversation.turns[: later.number] if t.answer]
        proposed = bool(asked) and says(asked[-1].text, "proposes")
        if proposed and later.user and says(later.user.text, "agrees"):
            return True
    return False


def _proposal(conversation: Conversation, turn: Turn) -> str | None:
    """The last thing the agent said before `turn`, as evidence."""
    earlier = [t.answer.ref for t in conversation.turns[: turn.number] if t.answer]
    return earlier[-1] if earlier else None


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
