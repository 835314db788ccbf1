"""What an agent did in the turn under test: the one thing that checks read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.grading.conversation import Call, Conversation, Message
from pipeline.grading.support import Support

__all__ = ["Outcome"]


@dataclass(frozen=True)
class Outcome:
    """What an agent did in the turn under test; checks read nothing else.

    `documents` are the ids (upper case) retrieved up to the turn's end, `support` is all that
    the answer may rest on, `turns` and `tokens` the effort where it is known. `conversation` ends
    with the turn under test; None where only pieces are known, and rules then cannot be run.
    `functions` are those that the registry's own rules name: no other is ever imported.
    """

    texts: tuple[str, ...]
    calls: tuple[Call, ...]
    earlier_calls: tuple[Call, ...] = ()
    documents: frozenset[str] = frozenset()
    support: Support | None = None
    finish_reason: str | None = None
    turns: int | None = None
    tokens: int | None = None
    conversation: Conversation | None = None
    functions: frozenset[str] = frozenset()

    @property
    def answer(self) -> str:
        """The agent's last text, empty where it said nothing."""
        return self.texts[-1] if self.texts else ""

    @property
    def before(self) -> Conversation | None:
        """The conversation without the turn under test; None where there is none to speak of."""
        talk = self.conversation
        return replace(talk, turns=talk.turns[:-1]) if talk and len(talk.turns) > 1 else None

    def taking(self, *, turns: int | None, finish_reason: str | None) -> Outcome:
        """The outcome, of a conversation of so many turns of the user."""
        return replace(self, turns=turns, finish_reason=finish_reason)

    def with_turn(
        self,
        *,
        texts: Sequence[str] | None = None,
        calls: Sequence[Call] | None = None,
        finish_reason: str | None = "stop",
    ) -> Outcome:
        """The outcome, had the agent said `texts` and made `calls` (None: as it did)."""
        said = self.texts if texts is None else tuple(texts)
        done = self.calls if calls is None else tuple(calls)
        talk = self.conversation and _retold(self.conversation, said, done, finish_reason)
        return replace(self, texts=said, calls=done, finish_reason=finish_reason, conversation=talk)


def _retold(
    talk: Conversation, said: tuple[str, ...], calls: tuple[Call, ...], finish: str | None
) -> Conversation:
    """The conversation with other texts and calls in its last turn; texts come after calls."""
    if not talk.turns:
        return talk
    last = talk.turns[-1]
    first = (last.user.index if last.user else 0) + 1 + len(calls)
    texts = tuple(Message(first + n, "assistant", text, finish) for n, text in enumerate(said))
    turn = replace(last, texts=texts, calls=calls)
    return replace(talk, turns=(*talk.turns[:-1], turn), message_count=first + len(texts))
