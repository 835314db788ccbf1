"""What an answer does, told by words and, where no lexicon knows them, by nearest examples.

Each bound was put where hand-written paraphrases part; a lexicon's hit is always enough.
"""

from __future__ import annotations

import re
from typing import Final

from pipeline.grading.facts import facts_of
from pipeline.grading.lexicons import says
from pipeline.grading.sense import leaning, likeness
from pipeline.grading.words import sentences

__all__ = ["admits_failure", "holds_back", "shows_understanding"]

_ADMITS: Final = 0.1
_FEELS: Final = 0.1
_ALIKE: Final = 0.4
_PERHAPS: Final = 0.25
_CLAUSES: Final = re.compile(r"[,;:]\s+|\s+[-–—]\s+")


def admits_failure(text: str) -> bool:
    """Whether an answer says that something on the agent's side did not work."""
    return says(text, "admits_failure") or any(
        leaning(sentence, "failure_sentences", "outcome_sentences") >= _ADMITS
        for sentence in sentences(text)
    )


def holds_back(text: str) -> bool:
    """Whether an answer admits that it has nothing to say, or only asks."""
    asks = text.rstrip().endswith("?") and not facts_of(text)
    return asks or says(text, "found_nothing") or admits_failure(text)


def shows_understanding(text: str) -> bool | None:
    """Whether an answer holds an apology, a regret or a word of understanding; None: perhaps.

    A part of a sentence without a fact or question that is a little nearer to the examples of
    such words than to plain and to cold talk may be one in words that no example has.
    """
    if says(text, "apologises"):
        return True
    perhaps = False
    for part in (p for s in sentences(text) for p in (s, *_CLAUSES.split(s))):
        if "?" in part or len(part.split()) < 2:
            continue
        alike = likeness(part, "kind_sentences")
        ordinary = max(likeness(part, "flat_sentences"), likeness(part, "service_sentences"))
        if alike >= _ALIKE and alike - ordinary >= _FEELS:
            return True
        perhaps |= alike >= _PERHAPS and alike - ordinary >= 0 and not facts_of(part)
    return None if perhaps else False
