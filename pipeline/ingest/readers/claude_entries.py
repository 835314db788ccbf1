"""The entries of a Claude Code session: what one line says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.ingest.content import as_id, as_json_text, as_text
from pipeline.ingest.readers.transcript import Usage, as_count, as_dollars, as_mapping, prose
from pipeline.ingest.records import Call, Message

__all__ = ["Entry", "is_clear", "read_entry", "reply_usage"]

_COMMAND = re.compile(r"<command-name>\s*(/?[^<]*?)\s*</command-name>")
_ARGUMENTS = re.compile(r"<command-args>\s*(.*?)\s*</command-args>", re.DOTALL)
_TYPED = re.compile(r"<bash-input>(.*?)</bash-input>", re.DOTALL)
# What the tool itself puts into the user's turn.
_INSERTED = re.compile(r"\s*<(local-command-|bash-std|task-notification|system-reminder)")
_SYNTHETIC = "<synthetic>"  # the "model" of messages that the tool wrote, such as API errors


@dataclass(frozen=True)
class Entry:
    """One line that is part of a conversation; `reply` joins the lines of one model reply."""

    uuid: str
    parent: str | None
    session: str
    side: bool
    agent: str | None
    time: Any
    messages: tuple[Message, ...]
    failures: tuple[str, ...] = ()
    reply: str | None = None
    model: str | None = None
    usage: Mapping[str, Any] | None = None
    cost: Any = None
    command: str | None = None
    flags: tuple[str, ...] = ()
    version: str | None = None
    slug: str | None = None


def read_entry(raw: Mapping[str, Any]) -> Entry | None:
    """One line as an entry; None for what is no part of a conversation (snapshots, progress).

    Raises:
        KeyError, TypeError, ValueError, AttributeError: a turn of an unforeseen shape.
    """
    kind = raw.get("type")
    attached = as_mapping(raw.get("attachment"))
    boundary = kind == "system" and raw.get("subtype") == "compact_boundary"
    queued = kind == "attachment" and attached.get("type") == "queued_command"
    if kind not in {"user", "assistant"} and not boundary and not queued:
        return None
    body = {"content": attached.get("prompt")} if queued else {} if boundary else raw["message"]
    content, name = body.get("content"), None
    messages: Iterator[Message] = iter(())
    if kind == "assistant":
        messages = iter([_reply(body)])
    elif not boundary:
        name = _command(content)
        messages = _turn(content, raw, name)
    blocks = content if isinstance(content, list) else []
    flags = {"compacted": boundary, "api_error": bool(raw.get("isApiErrorMessage"))}
    model = as_id(body.get("model"))
    return Entry(
        uuid=str(raw["uuid"]),
        parent=as_id(raw.get("parentUuid")),
        session=str(raw["sessionId"]),
        side=bool(raw.get("isSidechain")),
        agent=as_id(raw.get("agentId")),
        time=raw.get("timestamp"),
        messages=tuple(messages),
        failures=tuple(
            str(block["tool_use_id"])
            for block in blocks
            if as_mapping(block).get("type") == "tool_result" and block.get("is_error")
        ),
        reply=str(body.get("id") or raw["uuid"]) if kind == "assistant" else None,
        model=None if model == _SYNTHETIC else model,
        usage=as_mapping(body.get("usage")),
        cost=raw.get("costUSD"),
        command=name,
        flags=tuple(flag for flag, on in flags.items() if on),
        version=as_id(raw.get("version")),
        slug=as_id(raw.get("slug")),
    )


def is_clear(entry: Entry) -> bool:
    """Whether the entry drops the context: what follows is another conversation."""
    return entry.command in {"/clear", "/reset", "/new", "clear"}


def reply_usage(entries: Sequence[Entry]) -> Usage:
    """What one reply cost: each of its lines repeats the usage, the last one whole.

    Tokens written to and read from the cache are not in `input_tokens`.
    """
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    counted = [
        Usage(
            as_count(*(entry.usage.get(name) for name in names)),
            as_count(entry.usage.get("output_tokens")),
        )
        for entry in entries
        if entry.usage
    ]
    costs = [cost for entry in entries if (cost := as_dollars(entry.cost)) is not None]
    return Usage(
        max((u.input_tokens for u in counted if u.input_tokens is not None), default=None),
        max((u.output_tokens for u in counted if u.output_tokens is not None), default=None),
        max(costs, default=None),
    )


def _reply(body: Mapping[str, Any]) -> Message:
    content = body.get("content")
    blocks = content if isinstance(content, list) else []
    calls = tuple(
        Call(as_id(block.get("id")), str(block["name"]), as_json_text(block.get("input")))
        for block in map(as_mapping, blocks)
        if block.get("type") in {"tool_use", "server_tool_use"}
    )
    said = [b for b in blocks if as_mapping(b).get("type") != "server_tool_use"]
    text = prose(said) if blocks else as_text(content)
    return Message("assistant", text or None, calls, finish_reason=as_id(body.get("stop_reason")))


def _command(content: Any) -> str | None:
    text = as_text(content) if isinstance(content, str | list) else None
    named = _COMMAND.search(text) if text else None
    return named[1] if named else None


def _turn(content: Any, raw: Mapping[str, Any], command: str | None) -> Iterator[Message]:
    """The results of tools, then what the user said (or the tool put in the user's place)."""
    blocks = content if isinstance(content, list) else []
    for block in map(as_mapping, blocks):
        if block.get("type") == "tool_result":
            result = as_text(block.get("content"))
            yield Message("tool", result, tool_call_id=as_id(block.get("tool_use_id")))
    text = prose(content)
    if not text:
        return
    if command is not None:
        given = _ARGUMENTS.search(text)
        yield Message("user", f"{command} {given[1] if given else ''}".strip())
    elif typed := _TYPED.fullmatch(text.strip()):
        yield Message("user", f"!{typed[1].strip()}")
    elif raw.get("isMeta") or raw.get("isCompactSummary") or _INSERTED.match(text):
        yield Message("system", text)
    else:
        yield Message("user", text)
