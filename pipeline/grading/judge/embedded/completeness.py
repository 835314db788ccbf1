"""Completeness: is every thing that the user asked answered?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from pipeline.grading.conversation import Conversation, Turn
from pipeline.grading.facts import Fact, facts_of
from pipeline.grading.judge.embedded.signals import Signal, against, in_favour
from pipeline.grading.lexicons import says
from pipeline.grading.speech import admits_failure
from pipeline.grading.words import content_words, sentences, split_requests

__all__ = ["requests_answered"]

# What kind of fact a question word demands: a request with none of these is told by words alone.
_DEMANDS: Final = {
    "demands_amount": frozenset({"amount", "number"}),
    "demands_time": frozenset({"date", "time", "span", "number"}),
    "demands_count": frozenset({"number", "span"}),
    "demands_id": frozenset({"id"}),
}


class _Answers:
    """What the agent's answers tell, and in which turn last: what a later turn may still take up.

    A span of days is no price; "free of charge" is one.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._kinds: dict[str, int] = {}
        self._words: dict[str, int] = {}
        self._free = -1
        for turn in conversation.turns:
            if turn.answer:
                text = turn.answer.text
                self._kinds |= dict.fromkeys(map(_kind, facts_of(text)), turn.number)
                self._words |= dict.fromkeys(content_words(text), turn.number)
                self._free = turn.number if says(text, "costs_nothing") else self._free

    def meet_demand(self, request: str, turn: Turn) -> bool | None:
        """Whether a fact of the kind that the question word demands comes; None: no demand."""
        demanded = [wanted for name, wanted in _DEMANDS.items() if says(request, name)]
        if not demanded:
            return None
        if says(request, "demands_amount") and self._free >= turn.number:
            return True
        return any(
            self._kinds.get(kind, -1) >= turn.number for kind in frozenset().union(*demanded)
        )

    def share_a_word(self, request: str, turn: Turn) -> bool:
        """Whether a content word of the request comes back."""
        return any(self._words.get(word, -1) >= turn.number for word in content_words(request))


def _kind(fact: Fact) -> str:
    return "span" if fact.kind == "number" and fact.unit else fact.kind


def requests_answered(conversation: Conversation) -> Iterator[Signal]:
    """Hold each thing asked in a turn against that turn's answer and the later ones.

    A request is met by a fact of the demanded kind or a shared content word; it is open where
    the demanded kind is missing, or where it is not met and there are fewer sentences than
    requests. Against: one of two or more is open. In favour: all are met.
    """
    met_all = []
    answers = _Answers(conversation)
    for turn, user, answer in conversation.answered:
        requests = split_requests(user.text)
        if not requests or _excused(turn, answer.text):
            continue
        few = len(sentences(answer.text)) < len(requests)
        states = [_state(request, answers, turn, few) for request in requests]
        if len(requests) >= 2 and "open" in states:
            left = states.count("open")
            yield against(
                "question_unanswered",
                f"Of {len(requests)} things asked in one turn, {left} got no answer.",
                [user.ref, answer.ref],
            )
            return
        if all(state == "met" for state in states):
            met_all.append(answer.ref)
    if met_all:
        yield in_favour("requests_answered", "All that was asked is taken up.", met_all)


def _state(
    request: str, answers: _Answers, turn: Turn, few: bool
) -> Literal["met", "open", "untold"]:
    demand = answers.meet_demand(request, turn)
    if demand is False:
        return "open"
    if demand or answers.share_a_word(request, turn):
        return "met"
    return "open" if few else "untold"


def _excused(turn: Turn, text: str) -> bool:
    said = ("admits_failure", "found_nothing", "hands_over", "refuses")
    failed = any(call.failed for call in turn.calls)
    return text.rstrip().endswith("?") or says(text, *said) or (failed and admits_failure(text))
