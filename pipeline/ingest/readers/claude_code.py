"""Claude Code sessions: one JSON line an entry, as the tool keeps them under its projects folder.

How a session becomes conversations:

- A session is one conversation from its start, or from a `/clear`, to the next `/clear` or its
  end: clearing drops the context, so what follows is another conversation. Each has a session id
  of its own, or the turns of both would be joined again.
- Compaction replaces what the model sees, not what was said: the conversation goes on. The
  summary is no turn of the user's; it stands there as a system message.
- A sub-agent (a side chain, in the session's file or one of its own) is a conversation of its own
  with its own tokens, flagged `subagent`; the caller's shows it as a tool call with its result.
- Branches that the user left by going back are kept in the order they were written, flagged.

Working directory and branch are left out: they name people.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from pipeline.ids import canonical_json, digest
from pipeline.ingest.content import as_id
from pipeline.ingest.jsontext import JsonText, json_lines, malformed
from pipeline.ingest.readers.claude_entries import Entry, is_clear, read_entry, reply_usage
from pipeline.ingest.readers.head import Head
from pipeline.ingest.readers.transcript import (
    BAD_VALUE,
    Usage,
    as_mapping,
    calls_with,
    read_one,
    time_span,
)
from pipeline.ingest.records import Call, Malformed, Message, Trace
from pipeline.ingest.source import Source

__all__ = ["ClaudeCodeReader"]


class ClaudeCodeReader:
    """Reads session files; usually one session a file, but any number."""

    name = "claude_code"

    def sniff(self, head: Head) -> bool:
        """JSON lines whose entries name a session and a parent."""
        return head.container == "json" and head.has("sessionId", "parentUuid", "uuid")

    def read(self, source: Source) -> Iterator[Trace | Malformed]:
        """Yield the conversations of each session, in the order they begin in the file."""
        chains: dict[tuple[str, str | None], list[Entry]] = {}
        roots: dict[str, str] = {}  # of a side chain: uuid -> the uuid it began with
        known: set[str] = set()
        flagged = False
        for text in json_lines(source):
            if isinstance(text, Malformed):
                yield text
                continue
            flagged |= text.repaired
            try:
                entry = read_entry(as_mapping(text.value))
            except BAD_VALUE as error:
                detail = f"an entry of an unforeseen kind ({type(error).__name__})"
                yield malformed("bad_entry", detail, canonical_json(text.value), text.offset)
                continue
            if entry is None or entry.uuid in known:  # a resumed session repeats its entries
                continue
            known.add(entry.uuid)
            side = None
            if entry.side:
                side = entry.agent or roots.get(entry.parent or "", entry.uuid)
                roots[entry.uuid] = side
            chains.setdefault((entry.session, side), []).append(entry)
        for (session, side), entries in chains.items():
            for place, part in enumerate(_parts(entries)):
                one = partial(
                    _trace, session=session, side=side, place=place, source=source, repaired=flagged
                )
                yield from read_one(JsonText(part, 0, 0), one, "bad_session", "session")


def _parts(entries: list[Entry]) -> Iterator[list[Entry]]:
    """Cut a session where its context was cleared; the command itself is no turn."""
    part: list[Entry] = []
    for entry in entries:
        if is_clear(entry):
            if part:
                yield part
            part = []
        else:
            part.append(entry)
    if part:
        yield part


def _trace(
    entries: list[Entry], session: str, side: str | None, place: int, source: Source, repaired: bool
) -> Trace:
    replies: dict[str, list[Entry]] = {}
    order: list[Entry | str] = []
    for entry in entries:
        if entry.reply is None:
            order.append(entry)
        else:
            if entry.reply not in replies:
                order.append(entry.reply)
            replies.setdefault(entry.reply, []).append(entry)
    messages: list[Message] = []
    usage = Usage()
    for item in order:
        if isinstance(item, Entry):
            messages += item.messages
        else:
            messages.append(_joined(replies[item]))
            usage += reply_usage(replies[item])
    failed = {name: Call(name, "", "", status="error", error="tool_error")
              for entry in entries for name in entry.failures}  # fmt: skip
    span = time_span((entry.time for entry in entries), source)
    last = next((m for m in reversed(messages) if m.role != "system"), None)
    flags = {flag for entry in entries for flag in entry.flags}
    flags |= {"subagent"} if side else set()
    flags |= {"branched"} if _branched(entries) else set()
    flags |= {"invalid_utf8"} if repaired else set()
    versions = [entry.version for entry in entries if entry.version]
    whole = session if not side else f"{session}/{side}"
    attributes = {"slug": entries[0].slug} if entries[0].slug else {}
    return Trace(
        trace_id=session
        if not side and not place
        else digest("claude_code", whole, entries[0].uuid),
        source="claude_code",
        started_at=span.start,
        ended_at=span.end,
        timed=span.timed,
        messages=tuple(messages),
        calls=calls_with(messages, failed),
        session_id=f"{whole}/{place}" if place else whole,
        service="claude-code",
        agent_name="claude-code",
        agent_version=versions[-1] if versions else None,
        models=frozenset(entry.model for entry in entries if entry.model),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost_usd=usage.cost_usd,
        complete=last is not None and last.role == "assistant" and not last.tool_calls,
        flags=frozenset(flags),
        attributes=attributes | ({"parent_session_id": session} if whole != session else {}),
    )


def _joined(entries: list[Entry]) -> Message:
    """One reply out of the entries that each hold some of its blocks (or all, streamed again)."""
    texts: list[str] = []
    calls: dict[Any, Call] = {}
    for message in (message for entry in entries for message in entry.messages):
        if message.content and message.content not in texts:
            texts.append(message.content)
        calls |= {call.id or (call.name, call.arguments): call for call in message.tool_calls}
    reasons = [m.finish_reason for entry in entries for m in entry.messages if m.finish_reason]
    text = "\n".join(texts) if texts else None
    return Message(
        "assistant", text, tuple(calls.values()), finish_reason=as_id(reasons[-1:] and reasons[-1])
    )


def _branched(entries: list[Entry]) -> bool:
    """Whether two of the user's own turns answer the same entry."""
    parents = [e.parent for e in entries if e.parent and any(m.role == "user" for m in e.messages)]
    return len(parents) != len(set(parents))
