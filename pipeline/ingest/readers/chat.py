"""Chat messages as JSON or JSON lines: OpenAI-style `messages`, and tau-bench's `traj`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from pipeline.ids import canonical_json, digest
from pipeline.ingest.content import as_text
from pipeline.ingest.history import calls_from_messages
from pipeline.ingest.jsontext import JsonText, malformed
from pipeline.ingest.messages import openai_message
from pipeline.ingest.readers.head import Head
from pipeline.ingest.readers.rows import read_documents
from pipeline.ingest.records import Malformed, Score, Trace
from pipeline.ingest.source import Source
from pipeline.windows import FIRST_DAY

__all__ = ["ChatReader"]

_BODY = ("messages", "traj")
_ID = ("trace_id", "id", "request_id")
_SESSION = ("session_id", "conversation_id", "thread_id")
_USER = ("user_id", "user")
_TIME = ("started_at", "created_at", "timestamp", "start_time", "created", "time")
# Recorded outcomes and hidden instructions of a benchmark are no part of what happened: a grader
# that could read them would be grading the answer key.
_LATEST = date(2100, 1, 1)
_DROPPED = {"reward", "info", *_BODY, *_ID, *_SESSION, *_USER, *_TIME, "feedback"}


class ChatReader:
    """Reads records that hold a list of messages, one record a conversation."""

    name = "chat"

    def sniff(self, head: Head) -> bool:
        """JSON in which a list of messages with roles comes early."""
        roles = r'"role"\s*:\s*"(system|user|assistant|tool|developer)"'
        return head.container == "json" and bool(re.search(roles, head.text))

    def read(self, source: Source) -> Iterator[Trace | Malformed]:
        """Yield one trace a record; a record that is no conversation is malformed."""
        for text in read_documents(source):
            yield text if isinstance(text, Malformed) else _trace(text, source)


def _trace(text: JsonText, source: Source) -> Trace | Malformed:
    value = text.value
    if isinstance(value, list):  # a bare list of messages
        value = {"messages": value}
    try:
        body = next(value[name] for name in _BODY if isinstance(value.get(name), list))
        messages = tuple(openai_message(message) for message in body)
    except (AttributeError, StopIteration, KeyError, TypeError, ValueError) as error:
        detail = f"no list of messages with roles ({type(error).__name__})"
        return malformed("not_a_conversation", detail, canonical_json(value), text.offset)
    started = _time(value)
    timed = started is not None
    if started is not None and not FIRST_DAY <= started.date() < _LATEST:
        detail = f"its time lies before {FIRST_DAY} or after the year 2099"
        return malformed("time_out_of_range", detail, canonical_json(value), text.offset)
    if started is None:
        if source.day is None:
            detail = "the record has no time; land the file again with --day YYYY-MM-DD"
            return malformed("no_time", detail, canonical_json(value), text.offset)
        started = datetime.combine(source.day, time(), UTC)
    extras = {k: v for k, v in value.items() if k not in _DROPPED}
    return Trace(
        trace_id=_first(value, _ID) or digest("chat", extras, body),
        source="chat",
        started_at=started,
        ended_at=started,
        timed=timed,
        messages=messages,
        calls=calls_from_messages(messages),
        session_id=_first(value, _SESSION),
        user_id=_first(value, _USER),
        models=frozenset({str(value["model"])} if value.get("model") else ()),
        scores=_scores(value.get("feedback")),
        complete=any(message.role == "assistant" for message in messages),
        flags=frozenset({"invalid_utf8"} if text.repaired else ()),
        attributes=extras,
    )


def _first(value: Mapping[str, Any], names: Sequence[str]) -> str | None:
    found = (value[name] for name in names if isinstance(value.get(name), str | int))
    return next((str(item) for item in found if item != ""), None)


def _time(value: Mapping[str, Any]) -> datetime | None:
    """The first usable time: ISO 8601 (UTC where no zone is given) or Unix seconds."""
    for name in _TIME:
        raw = value.get(name)
        try:
            if isinstance(raw, str):
                parsed = datetime.fromisoformat(raw)
                return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
            if isinstance(raw, int | float) and not isinstance(raw, bool):
                return datetime.fromtimestamp(raw, UTC)
        except (ValueError, OverflowError, OSError):
            continue
    return None


def _scores(feedback: Any) -> tuple[Score, ...]:
    """`feedback` as a mapping of names to numbers or labels."""
    if not isinstance(feedback, Mapping):
        return ()
    return tuple(
        Score(str(name), float(score), None)
        if isinstance(score, int | float)
        else Score(str(name), None, as_text(score))
        for name, score in sorted(feedback.items())
    )
