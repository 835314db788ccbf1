"""OpenClaw telemetry: events of a gateway, one JSON line each, joined by session key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from pipeline.ids import canonical_json, digest
from pipeline.ingest.jsontext import JsonText, json_lines, malformed
from pipeline.ingest.readers.head import Head
from pipeline.ingest.readers.openclaw_gateway import SUBAGENT, Gateway, Session
from pipeline.ingest.readers.openclaw_messages import Said, usage_of
from pipeline.ingest.readers.transcript import (
    BAD_VALUE,
    Usage,
    calls_with,
    read_one,
    time_span,
)
from pipeline.ingest.records import Call, Malformed, Trace
from pipeline.ingest.source import Source

__all__ = ["OpenClawReader"]

_KINDS = ("agent.start", "agent.end", "tool.start", "tool.end", "message.in", "message.out")


class OpenClawReader:
    """Reads telemetry files; one trace a session key, and one more where a session began anew."""

    name = "openclaw"

    def sniff(self, head: Head) -> bool:
        """JSON lines whose type is an event of the gateway's."""
        kinds = "|".join(map(re.escape, (*_KINDS, "llm.usage", "message.sending")))
        return head.container == "json" and bool(
            re.match(rf'\s*\{{.{{0,400}}?"type"\s*:\s*"({kinds})"', head.text, re.DOTALL)
        )

    def read(self, source: Source) -> Iterator[Trace | Malformed]:
        """Yield the sessions in the order they come up."""
        gateway, repaired = Gateway(), False
        for text in json_lines(source):
            if isinstance(text, Malformed):
                yield text
                continue
            repaired |= text.repaired
            try:
                gateway.take(text.value)
            except BAD_VALUE as error:
                detail = f"an event of an unforeseen kind ({type(error).__name__})"
                yield malformed("bad_event", detail, canonical_json(text.value), text.offset)
        for session in gateway.close():
            yield from read_one(
                JsonText(session, 0, 0),
                partial(_trace, source=source, repaired=repaired),
                "bad_session",
                "session",
            )


def _trace(session: Session, source: Source, repaired: bool) -> Trace:
    said = _in_time(session.said)
    messages = tuple(item.message for item in said)
    usage, models = Usage(), set(session.models)
    for item in said:
        usage += usage_of(item)
        models |= {item.model} if item.model else set()
    if usage == Usage():
        usage = session.counted
    own = [item.time for item in said] + [run.started_at for run in session.runs]
    times = [time.isoformat() for time in own if time]
    span = time_span(times or session.times, source)
    first = messages[0].content if messages else None
    flags = {"subagent"} if SUBAGENT in session.key else set()
    flags |= {"invalid_utf8"} if repaired else set()
    last = messages[-1] if messages else None
    return Trace(
        trace_id=digest("openclaw", session.key, span.start.isoformat(), first),
        source="openclaw",
        started_at=span.start,
        ended_at=span.end,
        timed=span.timed,
        messages=messages,
        calls=_calls(session, said),
        session_id=session.key,
        user_id=session.user,
        service="openclaw",
        agent_name=session.agent,
        models=frozenset(models),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        # A gateway that knows no price writes 0.
        cost_usd=usage.cost_usd or None,
        status="error" if session.failed else "ok",
        complete=last is not None and last.role == "assistant" and not last.tool_calls,
        flags=frozenset(flags),
    )


def _in_time(said: list[Said]) -> list[Said]:
    """Turns by time; one without takes the latest of those before it."""
    timed: list[tuple[datetime | None, Said]] = []
    latest: datetime | None = None
    for item in said:
        latest = max(filter(None, (latest, item.time)), default=None)
        timed.append((item.time or latest, item))
    first = next((time for time, _ in timed if time), None)
    if first is None:
        return said
    return [item for _, item in sorted(timed, key=lambda pair: pair[0] or first)]


def _calls(session: Session, said: list[Said]) -> tuple[Call, ...]:
    """Calls of the transcript with the times of their events, then those only events tell of."""
    runs = list(session.runs)
    known: dict[str, Call] = {}
    for item in said:
        for call in item.message.tool_calls:
            at = next((n for n, r in enumerate(runs) if _same(r, call)), None)
            if at is not None and call.id:
                known[call.id] = runs.pop(at)
    for item in said:
        answer = item.message.tool_call_id
        if answer and item.failed is not None:
            before = known.get(answer) or Call(answer, "", "")
            status = ("error", "tool_error") if item.failed else ("stated", None)
            known[answer] = replace(before, status=status[0], error=status[1])
    shown = calls_with([item.message for item in said], known)
    rest = (replace(run, status="ok") if run.status == "stated" else run for run in runs)
    return (*shown, *rest)


def _same(run: Call, call: Call) -> bool:
    return run.name == call.name and run.arguments == call.arguments
