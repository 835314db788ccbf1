"""Faithfulness: is what the answers state found in what was said and looked up before?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pipeline.grading.conversation import Call, Conversation
from pipeline.grading.facts import Fact, facts_of
from pipeline.grading.judge.embedded.signals import Signal, against, in_favour
from pipeline.grading.lexicons import says
from pipeline.grading.support import GrowingSupport, unsupported
from pipeline.grading.words import sentences

__all__ = ["claimed_actions", "contradicted_by_user", "facts_supported"]

_READING: Final = ("get", "list", "search", "find", "track", "check", "quote", "lookup", "fetch",
                   "read", "query", "calculate", "think", "retrieve", "show")  # fmt: skip


def facts_supported(conversation: Conversation) -> Iterator[Signal]:
    """Compare every id, amount, date, time and number of each answer with its support.

    Against: a fact that neither the prompt, the user, a tool nor a document gave, nor one sum
    or product of them. In favour: answers with facts that are all supported. What an earlier
    answer had worked out for all to see may be said again.
    """
    seen: list[str] = []
    stood: set[Fact] = set()
    support = GrowingSupport(conversation)
    for turn, _, answer in conversation.answered:
        facts = facts_of(answer.text)
        if not facts:
            continue
        missing = [f for f in unsupported(facts, support.until(turn)) if f not in stood]
        if missing:
            yield against(
                "unsupported_fact",
                f"The answer states {_kinds(missing)} that nothing before it supports.",
                [answer.ref],
                missing[0].kind,
            )
            return
        stood.update(facts)
        seen.append(answer.ref)
    if seen:
        yield in_favour("facts_supported", "Every checkable fact stated was given before.", seen)


def _kinds(facts: Sequence[Fact]) -> str:
    kinds = sorted({fact.kind for fact in facts})
    return f"{len(facts)} fact(s) of kind {', '.join(kinds)}"


def claimed_actions(conversation: Conversation) -> Iterator[Signal]:
    """Find "I have cancelled ..." where no call that could have done it has succeeded.

    Any successful call whose name does not begin like a look-up counts as able to.
    """
    turns = iter(conversation.turns)
    refused: list[Call] = []
    for turn, _, answer in conversation.answered:
        for earlier in turns:
            done = [c for c in earlier.calls if not c.failed and not _reads(c)]
            refused += filter(_refused, done)
            if not all(map(_refused, done)):
                return  # from here on there is a call that could have done what is claimed
            if earlier.number == turn.number:
                break
        if any(_claims(sentence) for sentence in sentences(answer.text)):
            said = "the tool's result says it was not" if refused else "no call did it"
            yield against(
                "claimed_action",
                f"The answer says that something was done and {said}.",
                [*(call.ref for call in refused[-1:]), answer.ref],
                refused[-1].name if refused else None,
            )
            return


def _claims(sentence: str) -> bool:
    return says(sentence, "claims_done") and not says(sentence, "negates")


def _reads(call: Call) -> bool:
    return re.split(r"[_\W]", call.name.lower())[0] in _READING or "balance" in call.name


def _refused(call: Call) -> bool:
    """Whether a result's flags (`cancelled`, `accepted`, ...) are all false."""
    if not isinstance(call.result, Mapping):
        return False
    flags = [value for value in call.result.values() if isinstance(value, bool)]
    return bool(flags) and not any(flags)


def contradicted_by_user(conversation: Conversation) -> Iterator[Signal]:
    """Find a user turn that says of the answer before: that is wrong."""
    for turn, _, answer in conversation.answered:
        said = conversation.next_user(turn)
        if said and says(said.text, "corrects"):
            yield against(
                "user_contradicts",
                "The user's next turn says that the answer is wrong.",
                [answer.ref, said.ref],
            )
            return
