"""Signs that a call was not the one needed, each without trust in one guess of the intent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pipeline.grading.conversation import Call, Conversation, Turn
from pipeline.grading.facts import facts_of
from pipeline.grading.rules.kinds import Scope, search
from pipeline.grading.sense import likeness_to
from pipeline.grading.speech import admits_failure
from pipeline.redaction.replacement.surrogates import SURROGATE
from pipeline.registry import Intent
from pipeline.registry.rules import ExpectedTool

__all__ = ["foreign_write", "unused_id"]

_ALIKE: Final = 0.4  # a text that is like no exemplar asks for nothing that was planned
_NEARER: Final = 0.03
_NOT_FARTHER: Final = -0.05


@dataclass(frozen=True, slots=True)
class _Write:
    """A call that changed something: what the user had asked, what was proposed, what it says."""

    call: Call
    wanted: str
    proposed: str
    given: str


def foreign_write(conversation: Conversation, params: ExpectedTool, scope: Scope) -> Call | None:
    """A call that changed something else than what was asked and proposed, or None.

    No keyword of the tool's own intents stands in the user's words, in the agent's proposal
    right before the call or in its arguments, and another intent, none of whose writes ran,
    has the words on its side: see `_is_rather`.
    """
    writing = set(params.writing)
    planned = [i for i in scope.intents if writing & set(i.expected_tools)]
    done = writing & {call.name for call in conversation.calls}
    for write in _writes(conversation, writing):
        own = [i for i in planned if write.call.name in i.expected_tools]
        texts = (write.wanted, write.proposed, write.given)
        if not own or any(_hit(i, text) for i in own for text in texts):
            continue
        others = [i for i in planned if i not in own and not done & set(i.expected_tools)]
        if any(_is_rather(i, write, own, planned, scope) for i in others):
            return write.call
    return None


def _is_rather(
    intent: Intent, write: _Write, own: list[Intent], planned: list[Intent], scope: Scope
) -> bool:
    """Whether a write belongs to `intent` rather than to its `own` intents.

    Either the call's own arguments name `intent` and nothing speaks against it; or the user's
    words and the proposal each vote for it: nearest of all to its exemplars or with a keyword of
    it (for the user's words the trace's intent votes as well), and both nearer than to `own`.
    """
    wanted, proposed = _near(intent, write.wanted), _near(intent, write.proposed)
    ahead = wanted - max(_near(i, write.wanted) for i in own)
    proposal_ahead = proposed - max(_near(i, write.proposed) for i in own)
    if min(ahead, proposal_ahead) >= _NOT_FARTHER and _hit(intent, write.given):
        return True
    if max(wanted, proposed) < _ALIKE or min(ahead, proposal_ahead) < _NEARER:
        return False
    best = all(wanted >= _near(i, write.wanted) for i in planned)
    proposal_best = all(proposed >= _near(i, write.proposed) for i in planned)
    named = scope.intent is not None and scope.intent.id == intent.id
    return (best or named or _hit(intent, write.wanted)) and (
        proposal_best or _hit(intent, write.proposed)
    )


def _writes(conversation: Conversation, writing: set[str]) -> Iterator[_Write]:
    """Each write before which the user and the agent had both spoken."""
    for turn in conversation.turns:
        earlier = conversation.turns[: turn.number]
        wanted = " ".join(t.user.text for t in earlier if t.user)
        said = [t.answer.text for t in earlier if t.answer]
        for call in turn.calls:
            if call.name in writing and wanted and said:
                values = call.arguments.values() if isinstance(call.arguments, Mapping) else ()
                given = "\n".join(value for value in values if isinstance(value, str))
                yield _Write(call, wanted, said[-1], given)


def _near(intent: Intent, text: str) -> float:
    return likeness_to(text, tuple(intent.exemplars))


def _hit(intent: Intent, text: str) -> bool:
    return any(search(pattern, text) for pattern in intent.keywords)


def unused_id(conversation: Conversation, neutral: tuple[str, ...]) -> tuple[str, Call] | None:
    """The user's message with an id that no call ever used, and the call made instead; or None.

    Ids are numbers and codes as written, no surrogates. Of all that the user gave none turns up
    in an argument, a result or an answer, and all calls of the turn that brought the first
    succeeded.
    """
    given: dict[str, Turn] = {}
    for turn, user, _ in conversation.answered:
        for fact in facts_of(user.text):
            if fact.kind == "id" and not SURROGATE.fullmatch(str(fact.value)):
                given.setdefault(str(fact.value), turn)
    if not given:
        return None
    first = min(given.values(), key=lambda turn: turn.number)
    made = [call for call in first.calls if call.name not in neutral]
    if not made or any(c.failed or c.empty for c in made) or first.user is None:
        return None
    if first.answer and ("?" in first.answer.text or admits_failure(first.answer.text)):
        return None  # it asks on or owns that it could not: no answer stands on the call
    everything = "\n".join(
        [f"{c.arguments_text}\n{c.result_text}" for c in conversation.calls]
        + [message.text for turn in conversation.turns for message in turn.texts]
    ).upper()
    used = any(value in everything for value in given)
    return None if used else (first.user.ref, made[0])
