"""The way in which a user wants to be reached, and answers that take another one."""

from __future__ import annotations

import re
from typing import Final

from pipeline.grading.lexicons import lexicon, says

__all__ = ["forbidden_by", "takes"]

_CLAUSE: Final = re.compile(r"[,;.!?\n]+\s*")
_WORDS: Final = {"phone": "phone_words", "mail": "mail_words"}
_PHONE: Final = re.compile(r"PHONE_NUMBER_[A-Z]{12}")


def forbidden_by(text: str) -> frozenset[str]:
    """The channels (`phone`, `mail`) that a user's message rules out.

    "Only by ..." one of them rules out the other; a denial beside a word for a call, with no
    past in it to tell of, rules out the phone.
    """
    found = set()
    for clause in _CLAUSE.split(text):
        named = [c for c, words in _WORDS.items() if says(clause, words)]
        for match in lexicon("only_by").finditer(clause):
            near = clause[match.start() : match.end() + 24]
            wanted = [c for c in _WORDS if says(near, _WORDS[c])]
            if len(wanted) == 1:
                found |= _WORDS.keys() - set(wanted)
        if named == ["phone"] and says(clause, "rules_out") and len(clause.split()) <= 12:
            found.add("phone")
    return frozenset(found)


def takes(answer: str, channel: str, asked: str) -> bool:
    """Whether `answer` turns to `channel` although the user's message `asked` does not."""
    if says(asked, _WORDS[channel]) or (channel == "phone" and _PHONE.search(asked)):
        return False
    for sentence in re.split(r"(?<=[.!?])\s+", answer):
        named = says(sentence, _WORDS[channel])
        named = named or (channel == "phone" and bool(_PHONE.search(sentence)))
        if named and not says(sentence, "rules_out"):
            return True
    return False
