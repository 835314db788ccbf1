"""The fields of a chat record: where its messages, its usage and its feedback stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.ingest.content import as_id, as_text, loads
from pipeline.ingest.messages import read_messages
from pipeline.ingest.readers.transcript import (
    Usage,
    as_amount,
    as_count,
    as_dollars,
    as_list,
    as_mapping,
)
from pipeline.ingest.records import Message, Score

__all__ = ["chat_body", "chat_scores", "chat_usage"]

_LISTS = ("messages", "traj", "conversations", "conversation", "turns", "history", "dialogue",
          "dialog")  # fmt: skip
_SHAREGPT = {"human": "user", "gpt": "assistant", "chatgpt": "assistant", "bard": "assistant",
             "bing": "assistant", "bot": "assistant", "ai": "assistant", "model": "assistant",
             "function_response": "tool", "observation": "tool"}  # fmt: skip
_SOURCES = {"user", "human", "model", "code"}


def chat_body(value: Mapping[str, Any]) -> tuple[tuple[Message, ...], Any]:
    """The messages of a record, and the list they were read from.

    Raises:
        ValueError, TypeError, AttributeError: it holds no list in which all have a role.
    """
    request = as_mapping(loads(value.get("request")))
    response = as_mapping(loads(value.get("response"))) or value
    choices = as_list(response.get("choices"))
    for place in (value, request, as_mapping(value.get("input"))):
        listed = next((found for name in _LISTS if (found := _listed(place.get(name)))), None)
        if listed is not None:
            asked = tuple(read_messages([_turn(item) for item in listed]))
            return (*asked, *_answered(choices, response)), listed
    heard = value.get("input", request.get("input"))
    if choices or isinstance(heard, list):
        if isinstance(heard, list) and not all(map(_is_item, heard)):
            raise ValueError("items without a role")
        asked = tuple(read_messages(heard, "user"))
        answered = _answered(choices, response)
        if asked or answered:
            return (*asked, *answered), [heard, choices or response.get("output")]
    raise ValueError("no list of messages")


def _listed(value: Any) -> list[Any] | None:
    value = loads(value)
    return value if isinstance(value, list) and value else None


def _is_item(item: Any) -> bool:
    return isinstance(item, Mapping) and isinstance(item.get("role") or item.get("type"), str)


def _turn(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """A message as it is; one of ShareGPT's, with `from` and `value`, as OpenAI writes it."""
    if not isinstance(item, Mapping):
        raise TypeError("an item that is no message")
    role = item.get("role", item.get("from", item.get("type")))
    if not isinstance(role, str):
        raise ValueError("an item without a role")
    if "from" not in item or "value" not in item:
        return item
    if role == "function_call":
        call = as_mapping(loads(item["value"]))
        return {"role": "assistant", "content": None, "tool_calls": [{"function": call}]}
    return {"role": _SHAREGPT.get(role, role), "content": item["value"]}


def _answered(choices: list[Any], response: Mapping[str, Any]) -> tuple[Message, ...]:
    """The reply of a completion; of several choices the first, the others were never shown."""
    if choices:
        return tuple(read_messages({"choices": choices[:1]}, "assistant"))
    return tuple(read_messages(response.get("output"), "assistant"))


def chat_usage(value: Mapping[str, Any]) -> Usage:
    """Tokens and cost: the record's own, else the sum of its messages'."""
    whole = _usage(as_mapping(value.get("usage") or as_mapping(value.get("response")).get("usage")))
    cost = next(
        (
            c
            for n in ("cost_usd", "total_cost", "cost")
            if (c := as_dollars(value.get(n))) is not None
        ),
        None,
    )
    if whole == Usage():
        for item in as_list(value.get("messages")):
            whole += _usage(as_mapping(as_mapping(item).get("usage")))
    return Usage(whole.input_tokens, whole.output_tokens, cost)


def _usage(used: Mapping[str, Any]) -> Usage:
    """Usage by OpenAI's names, whose input includes what was cached, or Anthropic's, without it."""
    cached = ("cache_creation_input_tokens", "cache_read_input_tokens")
    return Usage(
        as_count(used.get("prompt_tokens"))
        if "prompt_tokens" in used
        else as_count(used.get("input_tokens"), *(used.get(name) for name in cached)),
        as_count(used.get("completion_tokens", used.get("output_tokens"))),
    )


def chat_scores(feedback: Any) -> Iterator[Score]:
    """`feedback` as an object of names and numbers or labels, or a list of named verdicts."""
    if isinstance(feedback, Mapping):
        for name, score in sorted(feedback.items()):
            number = as_amount(score)
            label = None if number is not None else as_text(score)
            if number is not None or label is not None:
                yield Score(str(name), number, label)
    for item in map(as_mapping, as_list(feedback)):
        name = as_id(item.get("name")) or as_id(item.get("key"))
        raw = item.get("value", item.get("score"))
        number = as_amount(raw)
        label = as_id(item.get("label")) or (raw if isinstance(raw, str) else None)
        if name and (number is not None or label is not None):
            whose = item.get("source")
            source = whose if isinstance(whose, str) and whose in _SOURCES else "user"
            comment = as_text(item.get("comment"))
            yield Score(name, number, label, source, comment, as_text(item.get("correction")))
