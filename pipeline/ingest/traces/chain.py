"""Model calls that each send the whole history: their conversation, no turn of it read twice."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.ingest.messages.direct import (
    DEVIATES,
    decode_instructions,
    decode_turns,
    same_turn,
    turn_message,
)
from pipeline.ingest.records import Content, Message

__all__ = ["chain_of"]


def chain_of(calls: Sequence[Content]) -> list[Message] | None:
    """What the calls tell, in order, if every call's text begins with all that the last one's says.

    That is what `History` hears from them; here the text of a call is compared with the last one's
    and only what follows is parsed, and of that the last answer is known already. None where the
    calls are not such a chain of GenAI messages.
    """
    try:
        return _chain(calls)
    except (*DEVIATES, ValueError):
        return None


def _chain(calls: Sequence[Content]) -> list[Message] | None:
    system, before = calls[0].system, calls[0].heard
    told = [turn_message(turn) for turn in decode_turns(before)]
    if system is not None and not _instructions(told):
        stated = decode_instructions(system)
        if stated is None:
            return None
        told = stated + told
    instructions = _instructions(told)
    (answer,) = decode_turns(calls[0].said)
    told.append(turn_message(answer))
    for call in calls[1:]:
        heard, border = call.heard, len(before) - 1
        if (
            call.system != system
            or before[border] != "]"
            or heard[border : border + 1] != ","
            or not heard.startswith(before[:border])
        ):
            return None
        repeated, *new = decode_turns("[" + heard[border + 1 :].lstrip())
        if not same_turn(repeated, answer):
            return None
        told += [turn_message(turn) for turn in new]
        (answer,) = decode_turns(call.said)
        told.append(turn_message(answer))
        before = heard
    # Instructions that come later are for the long way: of them only new ones count.
    return told if _instructions(told) == instructions else None


def _instructions(messages: Sequence[Message]) -> int:
    return [message.role for message in messages].count("system")
