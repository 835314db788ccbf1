"""Who&When: failed runs of several agents, each with a person's label of the mistake."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from pipeline.ids import digest
from pipeline.ingest.content import as_id, as_text
from pipeline.ingest.readers.head import Head
from pipeline.ingest.readers.rows import read_documents
from pipeline.ingest.readers.transcript import as_mapping, read_one, time_span
from pipeline.ingest.records import Malformed, Message, Score, Trace
from pipeline.ingest.source import Source
from pipeline.ingest.traces.outcomes import calls_from_messages

__all__ = ["WhoAndWhenReader"]

# Not agents: the terminal that runs their code and the like.
_ENVIRONMENT = re.compile(r"(Computer_)?terminal|executor|code_execution", re.IGNORECASE)
# The answer key: a grader that could read it would be grading itself. Labels become scores.
_DROPPED = {
    "ground_truth", "groundtruth", "is_correct", "is_corrected", "answer", "history", "question",
    "question_ID", "system_prompt", "mistake_agent", "mistake_step", "mistake_reason",
}  # fmt: skip


class WhoAndWhenReader:
    """Reads records of `question`, `history` and `mistake_*`, one record a conversation."""

    name = "who_and_when"

    def sniff(self, head: Head) -> bool:
        """JSON with a history and a mistake's agent."""
        return head.container == "json" and (
            head.has("history", "mistake_agent") or {"history", "mistake_step"} <= set(head.first)
        )

    def read(self, source: Source) -> Iterator[Trace | Malformed]:
        """Yield one trace a record; the files carry no times, so a day must be given."""
        for text in read_documents(source):
            if isinstance(text, Malformed):
                yield text
            else:
                yield from read_one(
                    text, partial(_trace, source=source), "not_a_conversation", "run"
                )


def _trace(value: Mapping[str, Any], source: Source) -> Trace:
    """The agents' prompts, the user's question, then the history in its order.

    In the history the speaker's agent counts, not the role: it says `user` of every agent but
    the one from whose side the run was recorded.
    """
    history = [_message(item) for item in value["history"]]
    opening = [
        Message("system", as_text(prompt), name=str(agent))
        for agent, prompt in as_mapping(value.get("system_prompt")).items()
    ]
    question = as_text(value.get("question"))
    if question and not any(message.role == "user" for message in history):
        opening.append(Message("user", question))
    messages = (*opening, *history)
    span = time_span((), source)
    return Trace(
        trace_id=_trace_id(value),
        source="who_and_when",
        started_at=span.start,
        ended_at=span.end,
        timed=span.timed,
        messages=messages,
        calls=calls_from_messages(messages),
        scores=tuple(_labels(value, len(opening), len(history))),
        complete=any(message.role == "assistant" for message in history),
        attributes={k: v for k, v in value.items() if k not in _DROPPED},
    )


def _trace_id(value: Mapping[str, Any]) -> str:
    """Of the question and the history: one question was put to more than one team of agents."""
    return digest("who_and_when", value.get("question_ID"), value["history"])


def _message(item: Mapping[str, Any]) -> Message:
    role, name = item["role"], as_id(item.get("name"))
    if not isinstance(role, str):
        raise TypeError("role is no text")
    speaker = name or role
    if _ENVIRONMENT.fullmatch(speaker):
        kind = "tool"
    elif speaker.lower() in {"human", "user", "system"}:
        kind = "system" if speaker.lower() == "system" else "user"
    else:
        kind = "assistant"
    known = {"user", "human", "assistant", "system", "tool"}
    return Message(kind, as_text(item.get("content")), name=None if speaker in known else speaker)


def _labels(value: Mapping[str, Any], opening: int, length: int) -> Iterator[Score]:
    """The mistake's agent and reason, and the position in `messages` of its step."""
    agent = as_id(value.get("mistake_agent"))
    if agent is not None:
        reason = as_text(value.get("mistake_reason"))
        yield Score("mistake", None, agent, source="human", comment=reason)
    step = str(value.get("mistake_step", ""))
    if step.isdecimal() and int(step) < length:
        yield Score("mistake_step", float(opening + int(step)), None, source="human")
