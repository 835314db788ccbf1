"""Rules about what users gave and said: asked again, complained, asked for a person."""

from __future__ import annotations

import re
from typing import Final

from pipeline.grading.conversation import Conversation, Message, Turn
from pipeline.grading.facts import facts_of
from pipeline.grading.lexicons import says
from pipeline.grading.rules.kinds import (
    PASS,
    SKIPPED,
    Finding,
    Scope,
    checks,
    compiled,
    failed,
    search,
)
from pipeline.grading.words import split_requests
from pipeline.registry.rules import AskedAgain, AskedItem, Complaint, Escalation

__all__: list[str] = []

_SENTENCE: Final = re.compile(r"[^.!?\n]+[.!?]*")


@checks(AskedAgain)
def asked_again(conversation: Conversation, params: AskedAgain, scope: Scope) -> Finding:
    """The agent does not ask for an item that the user gave before, unless a look-up missed it.

    A question that repeats the value ("is it still ...?") confirms it and is none. The user
    tells it best: who gives the same id again right after an answer that had neither used nor
    named it was asked for it again, in whatever words.
    """
    repeated = _given_again(conversation)
    if repeated:
        return repeated
    applicable = False
    given: dict[str, tuple[Message, set[str]]] = {}
    for turn, user, _ in conversation.answered:
        for item in params.items:
            values = _values(item, user.text)
            if values:
                before = given.get(item.name)
                given[item.name] = (user, values | (before[1] if before else set()))
        for item in params.items:
            if item.name not in given:
                continue
            applicable = True
            source, values = given[item.name]
            asking = next((m for m in turn.texts if _asks_for(item, m.text, values)), None)
            if asking and not _lookup_missed(conversation, turn, values):
                return failed(
                    "The agent asks for something that the user has already given.",
                    source.ref,
                    asking.ref,
                    subject=item.name,
                    error_class="asked_again",
                )
    return PASS if applicable else SKIPPED


def _given_again(conversation: Conversation) -> Finding | None:
    """The fail for an id that a user had to give twice, or None.

    The first and second time stand in different turns; until the second no call had used the
    id and no answer had named it, and the answer right before states no id, date or amount of
    its own: it could only have been asking. A refusal that the user answers with another wish
    is no question.
    """
    first: dict[str, tuple[int, Message]] = {}
    before: Message | None = None
    for turn, user, answer in conversation.answered:
        for value in sorted({str(f.value) for f in facts_of(user.text) if f.kind == "id"}):
            if value not in first:
                first[value] = (turn.number, user)
                continue
            number, source = first[value]
            between = conversation.turns[number : turn.number]
            asked = before is not None and not _states(before) and not _refused(before, user)
            if before and asked and not _known_since(between, value):
                return failed(
                    "The user had to give again what they had already given.",
                    source.ref,
                    before.ref,
                    user.ref,
                    subject="id",
                    error_class="given_again",
                )
        before = answer
    return None


def _known_since(turns: tuple[Turn, ...], value: str) -> bool:
    called = any(value in c.arguments_text.upper() for t in turns for c in t.calls)
    return called or any(value in m.text.upper() for t in turns for m in t.texts)


def _refused(answer: Message, reply: Message) -> bool:
    """Whether an answer refused and the user comes back with another wish."""
    turned_down = "?" not in answer.text and says(answer.text, "refuses", "admits_failure")
    return turned_down and bool(split_requests(reply.text))


def _states(answer: Message) -> bool:
    return any(fact.kind in ("id", "date", "amount", "time") for fact in facts_of(answer.text))


def _values(item: AskedItem, text: str) -> set[str]:
    return {m.group() for pattern in item.given for m in compiled(pattern).finditer(text)}


def _asks_for(item: AskedItem, text: str, values: set[str]) -> bool:
    if any(value in text for value in values):
        return False  # it repeats the value: that confirms, and asks for nothing
    sentences = (match.group() for match in _SENTENCE.finditer(text))
    return any(
        any(search(pattern, sentence) for pattern in item.asked)
        for sentence in sentences
        if "?" in sentence or says(sentence, "requests")
    )


def _lookup_missed(conversation: Conversation, turn: Turn, values: set[str]) -> bool:
    """Whether a call with one of `values` failed or came back empty: asking is right then."""
    return any(
        (call.failed or call.empty or not call.recorded)
        and any(value in call.arguments_text for value in values)
        for earlier in conversation.turns[: turn.number + 1]
        for call in earlier.calls
    )


@checks(Complaint)
def complaint(conversation: Conversation, params: Complaint, scope: Scope) -> Finding:
    """No user turn after the first says that the answer before was wrong or no help."""
    if len(conversation.answered) < 1:
        return SKIPPED
    spoken = [turn for turn in conversation.turns if turn.user]
    later = [turn for turn in spoken if any(t.answer for t in conversation.turns[: turn.number])]
    if not later:
        return SKIPPED
    last = later[-1].user
    if last and says(last.text, "corrects", "complains") and not _only_thanks(last):
        return failed(
            "The user's last turn says that the answer before was wrong or no help.",
            last.ref,
            error_class="corrected" if says(last.text, "corrects") else "complained",
        )
    return PASS


def _only_thanks(message: Message) -> bool:
    return len(message.text.split()) <= 6 and says(message.text, "accepts")


@checks(Escalation)
def escalation(conversation: Conversation, params: Escalation, scope: Scope) -> Finding:
    """A user who asks for a person is handed over, or at least answered on that."""
    asked = [
        (turn, user) for turn, user, _ in conversation.answered if says(user.text, "wants_person")
    ]
    if not asked:
        return SKIPPED
    for turn, user in asked:
        rest = conversation.turns[turn.number :]
        handed = any(call.name in params.tools for t in rest for call in t.calls)
        spoken = any(says(t.answer.text, "hands_over", "refuses") for t in rest if t.answer)
        if not handed and not spoken:
            return failed(
                "The user asked for a person and was neither handed over nor answered on it.",
                user.ref,
                error_class="escalation_ignored",
            )
    return PASS
