"""How an answer sounds beside the ones before it: signs of a role the agent did not have."""

from __future__ import annotations

import re
from typing import Final

from pipeline.grading.conversation import Conversation, Message
from pipeline.grading.facts import facts_of
from pipeline.grading.sense import leaning, likeness
from pipeline.grading.words import sentences

__all__ = ["other_voice"]

_NAME: Final = re.compile(r"PERSON_[A-Z]{12}")
_EMOJI: Final = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")
_LEANS: Final = 0.15
_ALIKE: Final = 0.3
_SIGNS: Final = 2


def other_voice(conversation: Conversation) -> tuple[Message, Message] | None:
    """The first answer and a later one that speaks in another voice, or None.

    An opening without a fact that comes back word for word in another late answer and in no
    early one, or a sentence nearer to a role played than to a shop's register; and beside it one
    more sign: the other of the two, an exclamation or an emoji in an answer with facts where no
    answer before had one, or a person's name that nobody had mentioned. Agents that are lively
    from the start, or cheer once, show the weaker signs alone.
    """
    answers = [answer for _, _, answer in conversation.answered]
    for number, answer in enumerate(answers[1:], 1):
        before = answers[:number]
        if _signs(conversation, answer, before, answers[number + 1 :]) >= _SIGNS:
            return answers[0], answer
    return None


def _signs(
    conversation: Conversation, answer: Message, before: list[Message], after: list[Message]
) -> int:
    parts = sentences(answer.text)
    opening = parts[0]
    plain = [s for s in parts if not facts_of(s)]
    excited = bool(facts_of(answer.text)) and any(
        bool(sign.search(answer.text)) and not any(sign.search(m.text) for m in before)
        for sign in (re.compile("!"), _EMOJI)
    )
    told = [conversation.system, conversation.user_text, *(m.text for m in before)]
    told += [call.result_text for call in conversation.calls]
    told += [document.content for document in conversation.documents]
    strange = any(n not in text for n in _NAME.findall(answer.text) for text in ["".join(told)])
    repeated = (
        len(opening.split()) >= 3
        and len(parts) > 1
        and opening in plain
        and any(m.text.startswith(opening) and m.text != answer.text for m in after)
        and not any(opening in m.text for m in before)
    )
    played = any(
        likeness(s, "persona_sentences") >= _ALIKE
        and leaning(s, "persona_sentences", "service_sentences") >= _LEANS
        for s in plain
        if not s.rstrip().endswith(":")
    )
    return excited + strange + repeated + played if repeated or played else 0
