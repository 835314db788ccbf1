"""The turn in which a trace went wrong, and what a test may replay of the turns before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.grading.conversation import Conversation, Turn
from pipeline.grading.support import support_before
from pipeline.promotion.outcome import Outcome

__all__ = ["Episode", "Outcome", "find_episode", "recorded_outcome", "recorded_whole"]


@dataclass(frozen=True)
class Episode:
    """A conversation and its failing turn; `cut` is how many messages a test gives the agent."""

    conversation: Conversation
    turn: Turn
    cut: int

    @property
    def is_last(self) -> bool:
        """Whether the failing turn is the last; a correction of the trace speaks of that one."""
        return self.turn.number == self.conversation.turns[-1].number


def find_episode(
    conversation: Conversation, evidence: Sequence[str], *, first: bool = False
) -> Episode | None:
    """Find the turn that the evidence points to; None where no user turn can be replayed.

    What the agent said or called decides, and the last such turn (or the `first`); a message of
    the user alone speaks of the turn before it. Without usable evidence it is the last answer.
    """
    own: dict[str, int] = {}
    users: dict[str, int] = {}
    for turn in conversation.turns:
        for ref in (
            *(text.ref for text in turn.texts),
            *(call.ref for call in turn.calls),
            *(document.ref for document in turn.documents),
        ):
            own.setdefault(ref, turn.number)
        if turn.user:
            users[turn.user.ref] = max(turn.number - 1, 0)
    pointed = [own[ref] for ref in evidence if ref in own]
    pointed = pointed or [users[ref] for ref in evidence if ref in users]
    if not pointed:
        pointed = [turn.number for turn in conversation.turns if turn.texts or turn.calls][-1:]
    if not pointed:
        return None
    turn = conversation.turns[min(pointed) if first else max(pointed)]
    return Episode(conversation, turn, turn.user.index + 1) if turn.user else None


def recorded_outcome(
    episode: Episode, tokens: int | None, functions: frozenset[str] = frozenset()
) -> Outcome:
    """What the trace recorded for the failing turn."""
    turns = episode.conversation.turns[: episode.turn.number + 1]
    last = episode.turn.answer
    return Outcome(
        texts=tuple(text.text for text in episode.turn.texts),
        calls=episode.turn.calls,
        earlier_calls=tuple(call for turn in turns[:-1] for call in turn.calls),
        documents=frozenset(d.id.upper() for turn in turns for d in turn.documents),
        support=support_before(episode.conversation, episode.turn),
        finish_reason=last.finish_reason if last else None,
        turns=sum(1 for turn in episode.conversation.turns if turn.user),
        tokens=tokens,
        conversation=_up_to(episode),
        functions=functions,
    )


def _up_to(episode: Episode) -> Conversation:
    """The conversation as it stood when the failing turn had ended."""
    whole, number = episode.conversation, episode.turn.number
    later = (turn.user.index for turn in whole.turns[number + 1 :] if turn.user)
    count = next(later, whole.message_count)
    return replace(whole, turns=whole.turns[: number + 1], message_count=count)


def recorded_whole(conversation: Conversation, tokens: int | None) -> Outcome:
    """The whole conversation as one outcome: for what it cost."""
    return Outcome(
        texts=tuple(text.text for turn in conversation.turns for text in turn.texts),
        calls=conversation.calls,
        turns=sum(1 for turn in conversation.turns if turn.user),
        tokens=tokens,
    )
