"""The gateway of OpenClaw: which session an event belongs to, and what it adds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from pipeline.ingest.content import as_id, as_json_text
from pipeline.ingest.readers.openclaw_messages import Said, written
from pipeline.ingest.readers.transcript import (
    Usage,
    as_amount,
    as_count,
    as_dollars,
    as_list,
    as_mapping,
    as_time,
)
from pipeline.ingest.records import Call

__all__ = ["SUBAGENT", "Gateway", "Session"]

SUBAGENT = ":subagent:"
"""What the session key of a sub-agent contains."""


@dataclass
class Session:
    """One session as it is told; `said` in the order of the file."""

    key: str
    agent: str | None = None
    user: str | None = None
    said: list[Said] = field(default_factory=list)
    runs: list[Call] = field(default_factory=list)
    open_runs: list[Call] = field(default_factory=list)
    counted: Usage = field(default_factory=Usage)
    models: set[str] = field(default_factory=set)
    failed: bool = False
    times: list[Any] = field(default_factory=list)


class Gateway:
    """Puts events into sessions.

    Messages in and out name no session. One that came in belongs to the run whose prompt it
    became; one that went out, to the main session that ran last. Tool events of a key under which
    no run began (a channel's own) belong there too.
    """

    def __init__(self) -> None:
        self._open: dict[str, Session] = {}
        self._all: list[Session] = []
        self._started: set[str] = set()
        self._main: str | None = None
        self._received: list[Mapping[str, Any]] = []
        self._clock: Any = None

    def take(self, event: Mapping[str, Any]) -> None:
        """Take the next event of the file.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: it is of an unforeseen kind.
        """
        kind = event["type"]
        stated = event.get("timestamp") or event.get("ts")
        self._clock = stated if as_time(stated) else self._clock
        match kind:
            case "message.in":  # of older versions only its length is told
                if event.get("content"):
                    self._received.append(event)
            case "message.out":
                if event.get("content") and event.get("success", True):
                    main = self._session(self._main or "unknown")
                    self._say(main, "assistant", event, event["content"])
            case "agent.start" | "agent.end":
                self._run(event, ended=kind == "agent.end")
            case "tool.start" | "tool.end":
                self._tool(event, ended=kind == "tool.end")
            case "llm.usage" | "model.usage":
                session = self._session(str(event.get("sessionKey") or self._main or "unknown"))
                session.counted += _counted(event)
                session.models |= {model for model in [as_id(event.get("model"))] if model}

    def close(self) -> list[Session]:
        """All sessions; messages that no run took up are one of their own a channel."""
        for event in self._received:
            session = self._session(f"channel:{event.get('channel')}")
            session.user = session.user or _sender(event)
            self._say(session, "user", event, event["content"])
        return self._all

    def _session(self, key: str) -> Session:
        if key not in self._open:
            self._open[key] = Session(key)
            self._all.append(self._open[key])
        session = self._open[key]
        session.times.append(self._clock)
        return session

    def _run(self, event: Mapping[str, Any], ended: bool) -> None:
        key = str(event["sessionKey"])
        self._started.add(key)
        if SUBAGENT not in key:
            self._main = key
        history = [said for raw in as_list(event.get("messages")) for said in written(raw)]
        session = self._session(key)
        prompt = None if ended else event.get("prompt")
        # A run is announced twice, the second time with the transcript before its prompt.
        again = bool(prompt and session.said and session.said[-1].pending == prompt)
        announced = session.said.pop() if again else None
        known = Counter(said.turn for said in session.said)
        if history and known and history[0].turn not in known:
            del self._open[key]  # the transcript was begun anew under the same key
            session, known = self._session(key), Counter()
        session.agent = as_id(event.get("agentId")) or session.agent
        pending = [n for n, said in enumerate(session.said) if said.pending is not None]
        for said in history:
            known[said.turn] -= 1
            if known[said.turn] < 0:
                session.said.append(said)
            else:
                _complete(session.said, pending, said)
        if announced:
            session.said.append(announced)
        elif prompt:
            taken = self._take_up(str(prompt))
            session.user = session.user or (_sender(taken) if taken else None)
            self._say(session, "user", taken or event, prompt)
        session.failed |= ended and event.get("success") is False

    def _take_up(self, prompt: str) -> Mapping[str, Any] | None:
        """The message received that became this prompt."""
        for place, event in enumerate(self._received):
            content = str(event.get("content") or "")
            if content and content in prompt:
                return self._received.pop(place)
        return None

    def _say(self, session: Session, role: str, event: Mapping[str, Any], content: Any) -> None:
        """Add what an event says; the transcript, where it says the same, replaces it."""
        time = event.get("timestamp") or event.get("ts")
        (said,) = written({"role": role, "content": content, "timestamp": time})
        if role == "assistant" and any(said.turn == before.turn for before in session.said):
            return  # sent as it stands in the transcript already
        session.said.append(replace(said, pending=content))

    def _tool(self, event: Mapping[str, Any], ended: bool) -> None:
        name, key = str(event["toolName"]), str(event.get("sessionKey") or self._main)
        if key not in self._started and self._main and SUBAGENT not in key:
            key = self._main
        session = self._session(key)
        if not ended:
            start = as_time(event.get("ts") or event.get("timestamp"))
            arguments = as_json_text(event.get("params"))
            run = Call(None, name, arguments, started_at=start)
            session.open_runs.append(run)
            session.runs.append(run)
            return
        place = next((n for n, run in enumerate(session.open_runs) if run.name == name), None)
        if place is None:
            return
        run = session.open_runs.pop(place)
        failed = event.get("success") is False
        status = ("error", "tool_error") if failed else ("stated", None)
        lasted = as_amount(event.get("durationMs"))
        at = next(n for n, known in enumerate(session.runs) if known is run)
        session.runs[at] = replace(run, status=status[0], error=status[1], duration_ms=lasted)


def _sender(event: Mapping[str, Any]) -> str | None:
    sender = as_id(as_mapping(event.get("metadata")).get("senderId")) or as_id(event.get("from"))
    return None if sender is None or "REMOVED" in sender else sender


def _complete(said: list[Said], pending: list[int], transcribed: Said) -> None:
    """Let a prompt known from its announcement have the time that the transcript gives it."""
    for place in pending:
        if said[place].turn == transcribed.turn:
            said[place] = transcribed
            pending.remove(place)
            return


def _counted(event: Mapping[str, Any]) -> Usage:
    names = ("inputTokens", "cacheTokens", "cacheWriteTokens")
    return Usage(
        as_count(*(event.get(name) for name in names)),
        as_count(event.get("outputTokens")),
        as_dollars(event.get("costUsd")),
    )
