"""Tone: courtesy, understanding where it is owed, neither blame nor endless apology."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.grading.conversation import Conversation
from pipeline.grading.judge.embedded.signals import Signal, against, in_favour
from pipeline.grading.lexicons import says
from pipeline.grading.speech import shows_understanding
from pipeline.grading.words import sentences

__all__ = ["apology_loop", "apology_owed", "courtesy", "harsh_words"]

_LOOP = 3
_EARLY = 2


def harsh_words(conversation: Conversation) -> Iterator[Signal]:
    """Find wording that blames the user or waves them off."""
    for _, _, answer in conversation.answered:
        if any(says(s, "cold") and not shows_understanding(s) for s in sentences(answer.text)):
            yield against("harsh", "An answer blames the user or waves them off.", [answer.ref])
            return


def apology_owed(conversation: Conversation, owed: bool) -> Iterator[Signal]:
    """Where trouble owes a word of understanding, look for one in any answer.

    A sentence that is near an apology in meaning counts as one, whatever its words.
    """
    if not owed or not conversation.answered:
        return
    refs = [answer.ref for _, _, answer in conversation.answered]
    shown = [shows_understanding(answer.text) for _, _, answer in conversation.answered]
    # what is said when all is done is no word of understanding, so doubt counts early on only
    if True not in shown and None not in shown[:_EARLY]:
        yield against(
            "no_apology", "The user's trouble got no apology and no word of understanding.", refs
        )


def apology_loop(conversation: Conversation) -> Iterator[Signal]:
    """Find more than three answers, and more than half of all, that ask to be excused.

    Regret and understanding do not count: who refuses a patient user four times says so each time.
    """
    refs = [a.ref for _, _, a in conversation.answered if says(a.text, "asks_pardon")]
    if len(refs) > _LOOP and 2 * len(refs) > len(conversation.answered):
        yield against("apology_loop", f"{len(refs)} answers apologise.", refs)


def courtesy(conversation: Conversation) -> Iterator[Signal]:
    """Find a courteous word or a word of understanding."""
    refs = [a.ref for _, _, a in conversation.answered if says(a.text, "courteous", "apologises")]
    if refs:
        yield in_favour("courteous", "The answers are courteous.", refs[:3])
