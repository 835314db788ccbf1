"""Helpfulness: did the answers get the user further?"""

from __future__ import annotations

from collections.abc import Iterator, Set

from pipeline.grading.conversation import Call, Conversation, Message, Turn
from pipeline.grading.facts import facts_of
from pipeline.grading.judge.embedded.signals import Signal, against, in_favour
from pipeline.grading.lexicons import says
from pipeline.grading.speech import admits_failure
from pipeline.grading.support import Support
from pipeline.grading.words import content_words, split_requests

__all__ = ["deflection", "results_used", "user_reaction", "without_substance"]


def user_reaction(conversation: Conversation) -> Iterator[Signal]:
    """Read what the user says last: a complaint counts against, thanks in favour."""
    spoken = [turn for turn in conversation.turns if turn.user]
    if len(spoken) < 2 or not any(t.answer for t in conversation.turns[: spoken[-1].number]):
        return
    last = spoken[-1].user
    if last is None:
        return
    if says(last.text, "complains", "corrects"):
        yield against("user_complains", "The user's last turn rejects the answer.", [last.ref])
    elif says(last.text, "accepts"):
        yield in_favour("user_accepts", "The user's last turn accepts the answer.", [last.ref])


def deflection(conversation: Conversation) -> Iterator[Signal]:
    """Find answers that send the user elsewhere or stay general, with no fact and no question."""
    for _, user, answer in conversation.answered:
        if not _asks(user.text) or facts_of(answer.text) or "?" in answer.text:
            continue
        if says(answer.text, "deflects") and not says(answer.text, "hands_over"):
            yield against(
                "deflected",
                "The answer sends the user elsewhere or stays general, and states nothing.",
                [user.ref, answer.ref],
            )
            return


def results_used(conversation: Conversation) -> Iterator[Signal]:
    """Compare each answer with what its turn's calls found for the first time.

    In favour: it passes on a fact or three words of the results. Against: they hold a fact
    that the user did not give, and neither a fact nor three words of them are in the answer.
    """
    used = []
    for turn, answer, found, _ in _found_by_turn(conversation):
        if not found.anything:
            continue
        if found.shared(answer.text):
            used.append(answer.ref)
        elif found.news and not _holds_back(turn, answer.text):
            yield against(
                "result_not_passed_on",
                "A look-up found something and the answer passes none of it on.",
                [*found.refs[-1:], answer.ref],
                found.name,
            )
            return
    if used:
        yield in_favour("result_passed_on", "The answer passes on what was looked up.", used)


def _found_by_turn(
    conversation: Conversation,
) -> Iterator[tuple[Turn, Message, _Found, Set[object]]]:
    """The answered turns: each with its answer, what it found, and what the user had given by then.

    The last is one growing set.
    """
    given = {fact.value for fact in facts_of(conversation.user_text)} | {0.0}
    before: set[tuple[str, str]] = set()
    known: set[object] = set()
    for turn in conversation.turns:
        known |= {fact.value for fact in facts_of(turn.user.text if turn.user else "")}
        if turn.user and turn.answer:
            yield turn, turn.answer, _Found(turn, before, given), known
        before |= {(call.name, call.result_text) for call in turn.calls}


class _Found:
    """What a turn's calls and searches found that no earlier turn had.

    Args:
        turn: the turn.
        before: names and results of the calls of earlier turns.
        given: the facts that the user gives anywhere.
    """

    def __init__(self, turn: Turn, before: Set[tuple[str, str]], given: Set[object]) -> None:
        calls = [
            c
            for c in turn.calls
            if not c.failed and not c.empty and c.recorded and (c.name, c.result_text) not in before
        ]
        self.anything = bool(calls or turn.documents)
        self.refs = [c.ref for c in calls] + [d.ref for d in turn.documents[:1]]
        self.name = calls[-1].name if calls else None
        self._support = Support()
        self._words: set[str] = set()
        for call in calls:
            self._support.add_text(call.result_text)
            self._support.add_json(call.result)
            self._words |= content_words(call.result_text)
        for document in turn.documents:
            self._support.add_text(document.content)
            self._support.ids.add(document.id.upper())
            self._words |= content_words(document.content)
        self.news = any(
            fact.value not in given and fact.value not in _asked(call)
            for call in calls
            for fact in facts_of(call.result_text)
        )

    def shared(self, answer: str) -> bool:
        if any(self._support.supports(fact) for fact in facts_of(answer)):
            return True
        return bool(self._words) and len(self._words & content_words(answer)) >= min(
            3, len(self._words)
        )


def _asked(call: Call) -> set[object]:
    return {fact.value for fact in facts_of(call.arguments_text)}


def without_substance(conversation: Conversation) -> Iterator[Signal]:
    """Look at the first answer that is no question: does it state or do anything?

    Against: no fact, no call that changed something, nothing admitted or handed over, and the
    user comes back without accepting. An answer was a question where it ends as one, or where
    the user's next turn brings an id that was not there before; one without a call after a
    question of the agent only takes note of a yes or no.
    """
    asked = False
    for turn, answer, found, known in _found_by_turn(conversation):
        said = conversation.next_user(turn)
        user = turn.user.text if turn.user else ""
        new = facts_of(said.text) if said else ()
        brings_id = any(fact.kind == "id" and fact.value not in known for fact in new)
        if answer.text.rstrip().endswith("?") or brings_id:
            asked = True
            continue
        if says(user, "declines") or (asked and not turn.calls):
            return
        empty = not facts_of(answer.text) and not found.shared(answer.text)
        did = any(not c.failed and not c.empty and not found.news for c in turn.calls)
        back = said and _asks(said.text) and not says(said.text, "accepts", "declines", "agrees")
        if empty and not did and said and back and not _holds_back(turn, answer.text):
            yield against(
                "without_substance",
                "The answer states and does nothing, and the user has to come back.",
                [answer.ref, said.ref],
            )
        return


def _holds_back(turn: Turn, text: str) -> bool:
    """Whether an answer asks back, admits that it has nothing, refuses, or hands over.

    After a failed call an admission in any words counts, else only one that a lexicon knows.
    """
    said = ("found_nothing", "hands_over", "refuses", "admits_failure")
    failed = any(call.failed for call in turn.calls)
    return text.rstrip().endswith("?") or says(text, *said) or (failed and admits_failure(text))


def _asks(text: str) -> bool:
    return bool(split_requests(text)) or len(content_words(text)) >= 2
