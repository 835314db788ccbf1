"""Reads a row of `redacted_traces` into a conversation: messages, spans and searches joined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from pipeline.grading.view import Call, Conversation, Document, Message, Turn

__all__ = ["Call", "Conversation", "Document", "Message", "Turn", "read_conversation"]

_LONGEST = 20_000  # characters of one text that graders read; head and tail are kept
_ERROR_STARTS = ("error", "exception", "traceback", "timeout", "timed out")
_ERROR_KEYS = ("error", "error_message", "exception")


def read_conversation(row: Mapping[str, Any]) -> Conversation:
    """Read one row of `redacted_traces` (as `DataFrame.iter_rows(named=True)` gives it)."""
    messages = row["messages"] or []
    calls = _Calls(row)
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
                turns[-1].calls.append(calls.take(asked, index))
    turns[-1].calls.extend(calls.rest())
    searches = _Searches(row["retrievals"] or ())
    for turn in turns:
        turn.searches = searches.of(turn.calls)
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


class _Calls:
    """Joins what the agent asked for, the tool spans that ran, and the tools' messages."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self._spans = [dict(span) for span in row["tool_calls"] or ()]
        self._taken: set[str] = set()
        self._replies = [
            (index, message)
            for index, message in enumerate(row["messages"] or ())
            if message["role"] == "tool"
        ]

    def take(self, asked: Mapping[str, Any], index: int) -> Call:
        """Join one asked call to its span and its tool message; each is used once."""
        span = self._pop_span(asked)
        self._taken.add(asked["id"] or "")
        reply = self._pop_reply(asked, index)
        base = dict(span) if span else {"status": "ok", "error": None, "result": None}
        result = base["result"] or (reply[1]["content"] if reply else base["result"])
        known = span["span_id"] if span else None
        ref = f"span:{known}" if known else f"message:{reply[0] if reply else index}"
        arguments = asked["arguments"] or base.get("arguments")
        return _call(ref, asked["name"], arguments, result, base["status"])

    def rest(self) -> Iterator[Call]:
        """The spans that no message asked for; a call seen before by its id is not run again."""
        for s in self._spans:
            if s["span_id"] and s["call_id"] not in self._taken:
                ref = f"span:{s['span_id']}"
                yield _call(ref, s["name"], s["arguments"], s["result"], s["status"])
        self._spans = []

    def _pop_span(self, asked: Mapping[str, Any]) -> Mapping[str, Any] | None:
        for position, span in enumerate(self._spans):
            same_id = asked["id"] and span["call_id"] == asked["id"]
            unnamed = not (asked["id"] and span["call_id"]) and span["name"] == asked["name"]
            if (same_id and span["name"] == asked["name"]) or unnamed:
                return self._spans.pop(position)
        return None

    def _pop_reply(self, asked: Mapping[str, Any], after: int) -> tuple[int, Any] | None:
        for position, (index, message) in enumerate(self._replies):
            if index > after and asked["id"] and message["tool_call_id"] == asked["id"]:
                return self._replies.pop(position)
        for position, (index, message) in enumerate(self._replies):
            if index > after and not message["tool_call_id"]:
                return self._replies.pop(position)
        return None


class _Searches:
    """Gives every retrieval to the turn whose call asked its query."""

    def __init__(self, retrievals: Sequence[Mapping[str, Any]]) -> None:
        self._left = list(retrievals)

    def of(self, calls: Sequence[Call]) -> list[Mapping[str, Any]]:
        """The retrievals whose query stands in the arguments of one of `calls`."""
        asked = [
            value
            for call in calls
            if isinstance(call.arguments, Mapping)
            for value in call.arguments.values()
        ]
        found = []
        for query in asked:
            match = next((r for r in self._left if r["query"] and r["query"] == query), None)
            if match is not None:
                self._left.remove(match)
                found.append(match)
        return found

    def rest(self) -> list[Mapping[str, Any]]:
        """Those that no call asked for: agents that search without a tool call."""
        return self._left


def _call(ref: str, name: str | None, arguments: Any, result: Any, status: str | None) -> Call:
    text = _clip(result or "")
    parsed = _parse(text)
    outcome = status or "ok"
    if outcome == "ok":
        outcome = _said_status(parsed, text)
    given = _clip(arguments or "")
    return Call(ref, name or "", _parse(given), given, parsed, text, outcome, result is not None)


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
        return orjson.loads(stripped)
    except orjson.JSONDecodeError:
        return None


def _clip(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST // 2]}\n...\n{text[-_LONGEST // 2 :]}"
