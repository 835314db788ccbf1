"""Reads a row of `redacted_traces` into a conversation of turns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from pipeline.grading.joining import JoinedCall, JoinedCalls, Searches
from pipeline.grading.view import Call, Conversation, Document, Message, Turn

__all__ = ["Call", "Conversation", "Document", "Message", "Turn", "read_conversation"]

_LONGEST = 20_000  # characters of one text that graders read; head and tail are kept
_DEEPEST = 100  # levels of JSON that are read as such; what goes deeper stays text
_ERROR_STARTS = ("error", "exception", "traceback", "timeout", "timed out")
_ERROR_KEYS = ("error", "error_message", "exception")


def read_conversation(row: Mapping[str, Any]) -> Conversation:
    """Read one row of `redacted_traces` (as `DataFrame.iter_rows(named=True)` gives it)."""
    messages = row["messages"] or []
    joined = JoinedCalls(row["tool_calls"] or (), messages)
    turns: list[_OpenTurn] = [_OpenTurn()]
    system = []
    for index, message in enumerate(messages):
        role, text = message["role"], _clip(message["content"] or "")
        if role == "system":
            system.append(text)
        elif role == "user":
            if turns[-1].texts or turns[-1].calls:
                turns.append(_OpenTurn())
            turns[-1].user.append(Message(index, role, text))
        elif role == "assistant":
            if text.strip():
                turns[-1].texts.append(Message(index, role, text, message["finish_reason"]))
            for asked in message["tool_calls"] or ():
                turns[-1].calls.append(_joined(joined.take(asked, index)))
    turns[-1].calls.extend(map(_joined, joined.rest()))
    searches = Searches(row["retrievals"] or ())
    for turn in turns:
        turn.searches = searches.of(_asked(turn.calls))
    turns[-1].searches.extend(searches.rest())
    kept = [turn for turn in turns if turn.user or turn.texts or turn.calls]
    return Conversation(
        row["trace_id"],
        "\n".join(system),
        tuple(turn.close(number) for number, turn in enumerate(kept)),
        len(messages),
        _output_type(row.get("attributes")),
        row["started_at"].date() if row.get("started_at") else None,
    )


def _output_type(attributes: str | None) -> str | None:
    """The span attribute `gen_ai.output.type` (text, json, image, speech), in lower case."""
    known = _parse(attributes or "")
    value = known.get("gen_ai.output.type") if isinstance(known, Mapping) else None
    return value.lower() if isinstance(value, str) else None


class _OpenTurn:
    """A turn that is still being read."""

    def __init__(self) -> None:
        self.user: list[Message] = []
        self.texts: list[Message] = []
        self.calls: list[Call] = []
        self.searches: list[Mapping[str, Any]] = []

    def close(self, number: int) -> Turn:
        user = None
        if self.user:
            text = "\n".join(message.text for message in self.user)
            user = Message(self.user[-1].index, "user", text)
        documents = [
            Document(d["id"] or "", _clip(d["content"] or ""), d["score"], f"span:{s['span_id']}")
            for s in self.searches
            for d in s["documents"] or ()
        ]
        known = {document.id for document in documents}
        documents += [d for call in self.calls for d in _documents(call) if d.id not in known]
        return Turn(
            number,
            user,
            tuple(self.texts),
            tuple(self.calls),
            tuple(documents),
            tuple(s["query"] or "" for s in self.searches),
        )


def _asked(calls: Sequence[Call]) -> Iterator[str]:
    """The texts among the arguments of calls: what a search may have been asked for."""
    for call in calls:
        if isinstance(call.arguments, Mapping):
            yield from (value for value in call.arguments.values() if isinstance(value, str))


def _joined(run: JoinedCall) -> Call:
    text, given = _clip(run.result or ""), _clip(run.arguments or "")
    parsed = _parse(text)
    status = run.status or "ok"
    if status == "ok":
        status = _said_status(parsed, text)
    recorded = run.result is not None
    return Call(run.ref, run.name or "", _parse(given), given, parsed, text, status, recorded)


def _said_status(parsed: Any, text: str) -> str:
    """What a result says of itself, for traces whose spans carry no status."""
    said = ""
    if isinstance(parsed, Mapping):
        said = next((str(parsed[k]) for k in _ERROR_KEYS if parsed.get(k)), "")
    elif text.lstrip().lower().startswith(_ERROR_STARTS):
        said = text[:200]
    if not said:
        return "ok"
    lowered = said.lower()
    return "timeout" if "timeout" in lowered or "timed out" in lowered else "error"


def _documents(call: Call) -> Iterator[Document]:
    """The documents in a tool's result: a list of objects with an id and a content."""
    found = call.result.get("documents") if isinstance(call.result, Mapping) else call.result
    for item in found if isinstance(found, list) else ():
        if isinstance(item, Mapping) and isinstance(item.get("content"), str) and item.get("id"):
            score = item.get("score")
            number = float(score) if isinstance(score, int | float) else None
            yield Document(str(item["id"]), item["content"], number, call.ref)


def _parse(text: str) -> Any:
    stripped = text.strip()
    if not stripped or stripped[0] not in '{["-0123456789tfn':
        return None
    try:
        value = orjson.loads(stripped)
    except orjson.JSONDecodeError:
        return None
    return None if _is_deeper(value, _DEEPEST, stripped) else value


def _is_deeper(value: Any, levels: int, text: str) -> bool:
    """Whether a parsed text is nested beyond `levels`: no check could walk down into it."""
    if text.count("{") + text.count("[") <= levels:
        return False
    left = [(value, 1)]
    while left:
        found, level = left.pop()
        inner = found.values() if isinstance(found, Mapping) else found
        if isinstance(found, Mapping | list):
            if level > levels:
                return True
            left.extend((item, level + 1) for item in inner)
    return False


def _clip(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST // 2]}\n...\n{text[-_LONGEST // 2 :]}"
