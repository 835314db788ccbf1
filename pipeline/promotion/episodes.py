"""The turn in which a trace went wrong, and what a test may replay of the turns before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.grading.conversation import Call, Conversation, Turn
from pipeline.grading.support import Support, support_before

__all__ = ["Episode", "Outcome", "find_episode", "recorded_outcome", "recorded_whole"]


@dataclass(frozen=True)
class Episode:
    """A conversation and its failing turn; `cut` is how many messages a test gives the agent."""

    conversation: Conversation
    turn: Turn
    cut: int


@dataclass(frozen=True)
class Outcome:
    """What an agent did in the turn under test; checks read nothing else.

    `documents` are the ids (upper case) retrieved up to the turn's end, `support` is all that
    the answer may rest on, `turns` and `tokens` the effort where it is known.
    """

    texts: tuple[str, ...]
    calls: tuple[Call, ...]
    earlier_calls: tuple[Call, ...] = ()
    documents: frozenset[str] = frozenset()
    support: Support | None = None
    finish_reason: str | None = None
    turns: int | None = None
    tokens: int | None = None

    @property
    def answer(self) -> str:
        """The agent's last text, empty where it said nothing."""
        return self.texts[-1] if self.texts else ""


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


def recorded_outcome(episode: Episode, tokens: int | None) -> Outcome:
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
    )


def recorded_whole(conversation: Conversation, tokens: int | None) -> Outcome:
    """The whole conversation as one outcome: for what it cost."""
    return Outcome(
        texts=tuple(text.text for turn in conversation.turns for text in turn.texts),
        calls=conversation.calls,
        turns=sum(1 for turn in conversation.turns if turn.user),
        tokens=tokens,
    )
