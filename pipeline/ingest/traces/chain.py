"""Model calls that each send the whole history: their conversation, no turn of it read twice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from pipeline.ingest.messages.direct import (
    DEVIATES,
    decode_instructions,
    decode_turns,
    turn_message,
)
from pipeline.ingest.records import Content, Message

__all__ = ["chain_of"]

_REASON = re.compile(r'"finish_reason"\s*:\s*"\w*"\s*\}\]')


def chain_of(calls: Sequence[Content]) -> list[Message] | None:
    """What the calls tell, in order, if every call's text begins with all that the last one's says.

    That is what `History` hears from them; here texts are compared, and what is new in each is
    parsed in one go. None where the calls are not such a chain of GenAI messages.
    """
    text = _joined(calls)
    if text is None:
        return None
    try:
        told = [turn_message(turn) for turn in decode_turns(text)]
    except (*DEVIATES, ValueError):
        return None
    system, stated = calls[0].system, [message.role for message in told].count("system")
    if stated > 1 or (stated and told[0].role != "system"):
        return None  # of instructions that come later only new ones count
    instructions = [] if stated or system is None else decode_instructions(system)
    return None if instructions is None else instructions + told


def _joined(calls: Sequence[Content]) -> str | None:
    """One text of all turns: what was heard at first, and each answer with what came after it."""
    system, heard, said = calls[0].system, calls[0].heard, calls[0].said
    if not (_is_list(heard) and _is_one_turn(said)):
        return None
    pieces = [heard[:-1], ",", said[1:-1]]
    for call in calls[1:]:
        before, answer = heard[:-1] + ",", _unreasoned(said)
        heard, said = call.heard, call.said
        if not (_is_list(heard) and _is_one_turn(said)) or call.system != system:
            return None
        new = heard[len(before) :].lstrip() if heard.startswith(before) else ""
        if not new.startswith(answer) or new[len(answer)] not in ",]":
            return None
        pieces += (new[len(answer) : -1], ",", said[1:-1])
    return "".join([*pieces, "]"])


def _is_list(text: Any) -> bool:
    return type(text) is str and text.startswith('[{"') and text.endswith("}]")


def _is_one_turn(text: Any) -> bool:
    return _is_list(text) and text.count('"parts"') == 1  # every turn has them


def _unreasoned(said: str) -> str:
    """An answer as the history repeats it: without why it ended, which writers put last."""
    at = said.rfind('"finish_reason"')
    before = said[1:at].rstrip() if at > 0 and _is_reason(said[at:]) else ""
    return before[:-1].rstrip() + "}" if before.endswith(",") else said[1:-1]


@lru_cache(maxsize=256)
def _is_reason(text: str) -> bool:
    """Whether a text ends with why an answer ended and holds nothing else: few texts do."""
    return _REASON.fullmatch(text) is not None
