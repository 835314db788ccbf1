"""Joins what an agent asked for, the spans that ran, the tools' messages, and searches.

Everything is found by its id or name in a queue, so that an agent which called a tool tens of
thousands of times is read as fast a call as any other.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["JoinedCall", "JoinedCalls", "Searches"]

_Places = defaultdict[Any, deque[int]]


@dataclass(frozen=True, slots=True)
class JoinedCall:
    """One run of a tool, as text; `ref` names its span, else the message that tells of it."""

    ref: str
    name: str | None
    arguments: str | None
    result: str | None
    status: str | None


class JoinedCalls:
    """The runs of tools of one trace; each span and each message of a tool is used once.

    Args:
        spans: the tool spans that ran.
        messages: all messages, those of tools among them.
    """

    def __init__(
        self, spans: Sequence[Mapping[str, Any]], messages: Sequence[Mapping[str, Any]]
    ) -> None:
        self._spans: dict[int, Mapping[str, Any]] = dict(enumerate(spans))
        self._messages = messages
        self._asked_ids: set[str] = set()
        self._named: _Places = defaultdict(deque)
        self._by_id: _Places = defaultdict(deque)
        self._without_id: _Places = defaultdict(deque)
        for place, span in self._spans.items():
            self._named[span["name"]].append(place)
            if span["call_id"]:
                self._by_id[span["call_id"], span["name"]].append(place)
            else:
                self._without_id[span["name"]].append(place)
        self._replies: _Places = defaultdict(deque)
        for index, message in enumerate(messages):
            if message["role"] == "tool":
                self._replies[message["tool_call_id"] or ""].append(index)

    def take(self, asked: Mapping[str, Any], index: int) -> JoinedCall:
        """Join the call that the message `index` asks for; to be asked in the messages' order."""
        span = self._take_span(asked)
        self._asked_ids.add(asked["id"] or "")
        reply = self._take_reply(asked["id"] or "", index)
        known = span or {"status": "ok", "result": None, "span_id": None, "arguments": None}
        result = known["result"]
        if not result and reply is not None:
            result = self._messages[reply]["content"]
        ref = f"span:{known['span_id']}" if known["span_id"] else None
        return JoinedCall(
            ref or f"message:{index if reply is None else reply}",
            asked["name"],
            asked["arguments"] or known["arguments"],
            result,
            known["status"],
        )

    def rest(self) -> Iterator[JoinedCall]:
        """The spans that no message asked for; a call seen before by its id is not run again."""
        for span in self._spans.values():
            if span["span_id"] and span["call_id"] not in self._asked_ids:
                ref = f"span:{span['span_id']}"
                yield JoinedCall(
                    ref, span["name"], span["arguments"], span["result"], span["status"]
                )
        self._spans = {}

    def _take_span(self, asked: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The first span left of that id and name; where either has no id the name is enough."""
        name = asked["name"]
        fitting = [self._named[name]]
        if asked["id"]:
            fitting = [self._by_id[asked["id"], name], self._without_id[name]]
        for queue in fitting:
            while queue and queue[0] not in self._spans:
                queue.popleft()
        first = min((queue[0] for queue in fitting if queue), default=None)
        return None if first is None else self._spans.pop(first)

    def _take_reply(self, call_id: str, after: int) -> int | None:
        """The first message left that names the call, else that names none, and came later."""
        for name in dict.fromkeys((call_id, "")):
            queue = self._replies[name]
            while queue and queue[0] <= after:
                queue.popleft()
            if queue:
                return queue.popleft()
        return None


class Searches:
    """Gives every retrieval to the turn whose call asked its query."""

    def __init__(self, retrievals: Sequence[Mapping[str, Any]]) -> None:
        self._left = dict(enumerate(retrievals))
        self._by_query: _Places = defaultdict(deque)
        for place, retrieval in self._left.items():
            if retrieval["query"]:
                self._by_query[retrieval["query"]].append(place)

    def of(self, asked: Iterable[str]) -> list[Mapping[str, Any]]:
        """The retrievals whose query is one of the texts `asked`."""
        queues = (self._by_query[query] for query in asked if query in self._by_query)
        return [self._left.pop(queue.popleft()) for queue in queues if queue]

    def rest(self) -> list[Mapping[str, Any]]:
        """Those that no call asked for: agents that search without a tool call."""
        return list(self._left.values())
