"""Chat messages as JSON or JSON lines: OpenAI-style `messages`, and what looks like them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from pipeline.ids import digest
from pipeline.ingest.content import as_id, loads
from pipeline.ingest.jsontext import JsonText
from pipeline.ingest.readers.chat_fields import chat_body, chat_scores, chat_usage
from pipeline.ingest.readers.head import Head
from pipeline.ingest.readers.rows import read_documents
from pipeline.ingest.readers.transcript import as_list, as_mapping, read_one, time_span
from pipeline.ingest.records import Malformed, Trace
from pipeline.ingest.source import Source
from pipeline.ingest.traces.outcomes import calls_from_messages

__all__ = ["ChatReader"]

_ID = ("trace_id", "id", "request_id")
_SESSION = ("session_id", "conversation_id", "thread_id")
_USER = ("user_id", "user")
_TIME = ("started_at", "created_at", "timestamp", "start_time", "created", "time")
_END = ("ended_at", "completed_at", "end_time", "updated_at")
_SERVICE, _AGENT = ("service", "app", "application"), ("agent_name", "agent")
_AGENT_VERSION, _PROMPT_VERSION = ("agent_version",), ("prompt_version",)
_RELEASE, _ENVIRONMENT = ("release", "version"), ("environment", "env")
_BODY = ("messages", "traj")
# Recorded outcomes and hidden instructions of a benchmark are no part of what happened: a grader
# that could read them would be grading the answer key.
_KEY = {"reward", "info", "ideal", "ground_truth", "expected_output", "reference_answer"}
_DROPPED = {*_KEY, *_BODY, *_ID, *_SESSION, *_USER, *_TIME, "feedback"}
_READ = {"choices", "input", "output", "request", "response", "usage", "conversation", "history",
         "conversations", "turns", "dialogue", "dialog"}  # fmt: skip


class ChatReader:
    """Reads records that hold a list of messages, one record a conversation.

    The messages stand under `messages`, `traj` (tau-bench), `conversations` (ShareGPT) and the
    like, are the record itself, or are a stored completion: a request with its `choices`.
    """

    name = "chat"

    def sniff(self, head: Head) -> bool:
        """JSON in which a list of messages with roles comes early."""
        roles = "system|user|assistant|tool|developer|function|model|human|ai|gpt|bot"
        said = rf'"(role|from)"\s*:\s*"({roles})"'
        return head.container == "json" and bool(re.search(said, head.text))

    def read(self, source: Source) -> Iterator[Trace | Malformed]:
        """Yield one trace a record; a record that is no conversation is malformed."""
        bare: list[JsonText] = []
        for text in read_documents(source):
            if isinstance(text, Malformed):
                yield text
                continue
            listed = as_mapping(text.value).get("data")
            if _is_message(text.value) and not (set(_BODY) & set(text.value)):
                bare.append(text)  # the file itself is one list of messages
            elif isinstance(listed, list) and as_mapping(text.value).get("object") == "list":
                for item in listed:
                    yield from _each(JsonText(item, text.offset, 0, text.repaired), source)
            else:
                yield from _each(text, source)
        if bare:
            repaired = any(text.repaired for text in bare)
            messages = [text.value for text in bare]
            yield from _each(JsonText(messages, bare[0].offset, 0, repaired), source)


def _each(text: JsonText, source: Source) -> Iterator[Trace | Malformed]:
    yield from read_one(
        text,
        partial(_trace, source=source, repaired=text.repaired),
        "not_a_conversation",
        "list of messages with roles",
    )


def _is_message(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("role"), str) and "content" in value


def _trace(value: Any, source: Source, repaired: bool) -> Trace:
    if isinstance(value, list):  # a bare list of messages
        value = {"messages": value}
    messages, raw = chat_body(value)
    extras = {k: v for k, v in value.items() if k not in _DROPPED}
    metadata = as_mapping(loads(value.get("metadata")))
    places = [value, metadata]

    def first(names: Sequence[str]) -> str | None:
        found = (as_id(place.get(name)) for place in places for name in names)
        return next((item for item in found if item is not None), None)

    times = [value.get(name) for name in (*_TIME, *_END)]
    own = [as_mapping(item).get(name) for item in as_list(raw) for name in _TIME]
    stated = next((time for name in _TIME if (time := value.get(name)) is not None), None)
    span = time_span(times if stated is not None else own, source)
    usage = chat_usage(value)
    models = {as_id(value.get("model")), as_id(as_mapping(value.get("response")).get("model"))}
    return Trace(
        trace_id=first(_ID) or digest("chat", extras, raw),
        source="chat",
        started_at=span.start,
        ended_at=span.end,
        timed=span.timed,
        messages=messages,
        calls=calls_from_messages(messages),
        session_id=first(_SESSION),
        user_id=first(_USER),
        service=first(_SERVICE),
        agent_name=first(_AGENT),
        agent_version=first(_AGENT_VERSION),
        release=first(_RELEASE),
        prompt_version=first(_PROMPT_VERSION),
        environment=first(_ENVIRONMENT),
        models=frozenset(model for model in models if model),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost_usd=usage.cost_usd,
        scores=tuple(chat_scores(value.get("feedback"))),
        complete=any(message.role == "assistant" for message in messages),
        flags=frozenset({"invalid_utf8"} if repaired else ()),
        attributes={k: v for k, v in extras.items() if k not in _READ},
    )
