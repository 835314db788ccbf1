"""What a model, an agent or a step heard and said, as raw values for `read_messages`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pipeline.ingest.content import loads
from pipeline.ingest.dialects import vercel
from pipeline.ingest.dialects.aliases import (
    FINISH_REASON,
    HEARD,
    INDEXED_HEARD,
    INDEXED_SAID,
    SAID,
    SYSTEM,
)
from pipeline.ingest.dialects.indexed import gather, starts_whole, to_messages
from pipeline.ingest.dialects.lookup import first

__all__ = ["Exchange", "exchange_of"]

Events = Sequence[tuple[str, Mapping[str, Any]]]

_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.choice": "assistant",
}
_DETAILS = "gen_ai.client.inference.operation.details"


class Exchange(msgspec.Struct, frozen=True):
    """System prompt, what was heard and what was said; each None where nothing says it."""

    system: Any = None
    heard: Any = None
    said: Any = None

    def filled(self, other: Exchange) -> Exchange:
        """This exchange, with what it lacks taken from `other`."""
        return Exchange(
            other.system if self.system is None else self.system,
            other.heard if self.heard is None else self.heard,
            other.said if self.said is None else self.said,
        )

    @property
    def whole(self) -> bool:
        """Whether both sides are there."""
        return self.heard is not None and self.said is not None


def exchange_of(values: Mapping[str, Any], events: Events) -> Exchange:
    """System, heard and said of one span: each from the first of its places that has it.

    Messages in the GenAI conventions come first, then messages spread over attributes, events,
    what one framework alone writes, and last the input or output as a whole. A spread list that
    lacks messages serves only for want of anything else: SDKs with an attribute limit drop the
    oldest, and some instrumentations leave out an answer that is nothing but calls.
    """
    told = Exchange(
        first(values, SYSTEM),
        first(values, HEARD[:1]),
        first(values, SAID[:1]),
    )
    if told.whole:
        return told
    spread, torn = _spread(values)
    told = told.filled(spread)
    if not told.whole and events:
        told = told.filled(_from_events(events))
    if not told.whole:
        told = told.filled(vercel.exchange(values, Exchange))
        told = told.filled(_google(values)).filled(_logfire(values))
    if not told.whole:
        told = told.filled(Exchange(None, first(values, HEARD), first(values, SAID)))
    told = told.filled(torn)
    # An empty list stood for "nothing more was said" while the places were asked.
    return Exchange(told.system, told.heard, told.said or None)


def _spread(values: Mapping[str, Any]) -> tuple[Exchange, Exchange]:
    """Messages spread over attributes: where they begin at the beginning, and where not."""
    found = gather(values, (*INDEXED_HEARD, *INDEXED_SAID))
    if not found:
        return Exchange(), Exchange()
    whole: dict[str, Any] = {}
    torn: dict[str, Any] = {}
    for side, role, prefixes, places in (
        ("heard", "user", INDEXED_HEARD, HEARD),
        ("said", "assistant", INDEXED_SAID, SAID),
    ):
        for prefix in prefixes:
            if prefix in found:
                gap = len(found[prefix]) <= max(found[prefix])
                better = gap and _is_structure(first(values, places))
                into = whole if starts_whole(found[prefix]) and not better else torn
                into.setdefault(side, to_messages(found[prefix], role))
    if "said" in whole:
        _finish(whole["said"], values)
    return Exchange(**whole), Exchange(**torn)


def _is_structure(value: Any) -> bool:
    """Whether a value can hold several messages; a plain text is one."""
    return isinstance(loads(value), Mapping | list)


def _finish(messages: list[Any], values: Mapping[str, Any]) -> None:
    """Say of the last message why the model stopped, where the span alone says it."""
    reason = loads(first(values, FINISH_REASON))
    reason = reason[0] if isinstance(reason, list) and reason else reason
    last = messages[-1]
    if isinstance(reason, str) and isinstance(last, dict):
        last.setdefault("finish_reason", reason)


def _from_events(events: Events) -> Exchange:
    """Messages as events: one each, as whole prompt and completion, or as one event of details."""
    told = Exchange()
    heard: list[Any] = []
    said: list[Any] = []
    for name, values in events:
        if name == _DETAILS:
            told = told.filled(
                Exchange(first(values, SYSTEM), first(values, HEARD[:1]), first(values, SAID[:1]))
            )
        elif name in _ROLES:
            side = said if name == "gen_ai.choice" else heard
            side.append(_event_message(values, _ROLES[name]))
        elif name == "gen_ai.content.prompt":
            told = told.filled(Exchange(heard=_event_text(values, "gen_ai.prompt")))
        elif name == "gen_ai.content.completion":
            told = told.filled(Exchange(said=_event_text(values, "gen_ai.completion")))
    return told.filled(Exchange(None, heard or None, said or None))


def _event_text(values: Mapping[str, Any], name: str) -> Any:
    return first(values, (name, "gen_ai.event.content", "content"))


def _event_message(values: Mapping[str, Any], role: str) -> dict[str, Any]:
    """One message event; its body may stand under `gen_ai.event.content`, `body` or `message`."""
    told = dict(values)
    for name in ("gen_ai.event.content", "body", "message"):
        inner = loads(told.get(name))
        if isinstance(inner, Mapping):
            told |= inner
        elif "content" not in told and isinstance(told.get(name), list | str):
            told["content"] = told[name]
    content = told.get("content")
    if isinstance(content, str) and content.startswith("[{"):
        content = loads(content)
    stated = told.get("role")
    message: dict[str, Any] = {
        "role": stated if isinstance(stated, str) and role != "tool" else role,
        "content": content,
    }
    calls = loads(told.get("tool_calls"))
    if isinstance(calls, list):
        message["tool_calls"] = calls
    if isinstance(told.get("finish_reason"), str):
        message["finish_reason"] = told["finish_reason"]
    if role == "tool":
        message["tool_call_id"] = first(told, ("tool_call_id", "id"))
        message["name"] = told.get("name")
    return message


def _google(values: Mapping[str, Any]) -> Exchange:
    """Request and response of Google's Agent Development Kit."""
    request = loads(values.get("gcp.vertex.agent.llm_request"))
    response = loads(values.get("gcp.vertex.agent.llm_response"))
    system = heard = said = None
    if isinstance(request, Mapping):
        config = request.get("config")
        system = first(config, ("system_instruction",)) if isinstance(config, Mapping) else None
        heard = first(request, ("contents",))
    if isinstance(response, Mapping):
        said = first(response, ("content",))
    return Exchange(system, heard, [said] if isinstance(said, Mapping) else said)


def _logfire(values: Mapping[str, Any]) -> Exchange:
    """Message lists of Pydantic AI: a run's whole history, or one list of events per call.

    The whole history holds the answer, so `final_result` would say it twice.
    """
    history = loads(first(values, ("pydantic_ai.all_messages", "all_messages_events")))
    if isinstance(history, list):
        return Exchange(None, [_logged(item) for item in history], [])
    events = loads(values.get("events"))
    listed = [item for item in events if isinstance(item, Mapping)] if _is_list(events) else []
    said = [_logged(item) for item in listed if item.get("event.name") == "gen_ai.choice"]
    heard = [_logged(item) for item in listed if item.get("event.name") != "gen_ai.choice"]
    return Exchange(None, heard or None, said or None)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _logged(item: Any) -> Any:
    if not isinstance(item, Mapping) or "parts" in item or "kind" in item:
        return item
    role = _ROLES.get(str(item.get("event.name")))
    return _event_message(item, role) if role else item
