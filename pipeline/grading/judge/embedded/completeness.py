"""Completeness: is every thing that the user asked answered?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from pipeline.grading.conversation import Conversation, Turn
from pipeline.grading.facts import facts_of
from pipeline.grading.judge.embedded.signals import Signal, against, in_favour
from pipeline.grading.lexicons import says
from pipeline.grading.speech import admits_failure
from pipeline.grading.words import content_words, sentences, split_requests

__all__ = ["answers_demand", "requests_answered"]

# What kind of fact a question word demands: a request with none of these is told by words alone.
_DEMANDS: Final = {
    "demands_amount": frozenset({"amount", "number"}),
    "demands_time": frozenset({"date", "time", "span", "number"}),
    "demands_count": frozenset({"number", "span"}),
    "demands_id": frozenset({"id"}),
}


def answers_demand(request: str, answer: str) -> bool | None:
    """Whether `answer` holds a fact of the kind that the question word demands; None: no demand.

    A span of days is no price; "free of charge" is one.
    """
    facts = facts_of(answer)
    kinds = {fact.kind for fact in facts if not (fact.kind == "number" and fact.unit)}
    spans = {"span" for fact in facts if fact.kind == "number" and fact.unit}
    demanded = [wanted for name, wanted in _DEMANDS.items() if says(request, name)]
    if not demanded:
        return None
    if says(request, "demands_amount") and says(answer, "costs_nothing"):
        return True
    return any((kinds | spans) & wanted for wanted in demanded)


def requests_answered(conversation: Conversation) -> Iterator[Signal]:
    """Hold each thing asked in a turn against that turn's answer and the later ones.

    A request is met by a fact of the demanded kind or a shared content word; it is open where
    the demanded kind is missing, or where it is not met and there are fewer sentences than
    requests. Against: one of two or more is open. In favour: all are met.
    """
    met_all = []
    for turn, user, answer in conversation.answered:
        requests = split_requests(user.text)
        if not requests or _excused(turn, answer.text):
            continue
        later = " ".join(t.answer.text for t in conversation.turns[turn.number :] if t.answer)
        few = len(sentences(answer.text)) < len(requests)
        states = [_state(request, later, few) for request in requests]
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


def _state(request: str, answers: str, few: bool) -> Literal["met", "open", "untold"]:
    demand = answers_demand(request, answers)
    if demand is False:
        return "open"
    if demand or content_words(request) & content_words(answers):
        return "met"
    return "open" if few else "untold"


def _excused(turn: Turn, text: str) -> bool:
    said = ("admits_failure", "found_nothing", "hands_over", "refuses")
    failed = any(call.failed for call in turn.calls)
    return text.rstrip().endswith("?") or says(text, *said) or (failed and admits_failure(text))
