"""ATIF trajectories: agent runs as the Agent Trajectory Interchange Format writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.ids import digest
from pipeline.ingest.content import as_id, as_json_text
from pipeline.ingest.readers.head import Head
from pipeline.ingest.readers.rows import read_documents
from pipeline.ingest.readers.transcript import (
    Usage,
    as_count,
    as_dollars,
    as_list,
    as_mapping,
    prose,
    read_each,
    time_span,
)
from pipeline.ingest.records import Call, Malformed, Message, Trace
from pipeline.ingest.source import Source
from pipeline.ingest.traces.outcomes import calls_from_messages

__all__ = ["AtifReader"]

_ROLES = {"user": "user", "agent": "assistant", "system": "system"}


class AtifReader:
    """Reads trajectories, one document (or line) each; sub-agents inside become traces too."""

    name = "atif"

    def sniff(self, head: Head) -> bool:
        """A schema version of the format."""
        return head.container == "json" and bool(
            re.search(r'"schema_version"\s*:\s*"ATIF-v', head.text)
        )

    def read(self, source: Source) -> Iterator[Trace | Malformed]:
        """Yield one trace a trajectory. Steps may lack times; then a day must be given."""
        for text in read_documents(source):
            if isinstance(text, Malformed):
                yield text
            else:
                yield from read_each(
                    text, lambda value: _traces(value, source), "bad_trajectory", "trajectory"
                )


def _traces(value: Mapping[str, Any], source: Source, parent: str | None = None) -> Iterator[Trace]:
    trace = _trace(value, source, parent)
    yield trace
    for inner in as_list(value.get("subagent_trajectories")):
        yield from _traces(inner, source, trace.trace_id)


def _trace(value: Mapping[str, Any], source: Source, parent: str | None) -> Trace:
    steps, agent = value["steps"], as_mapping(value.get("agent"))
    messages = tuple(message for step in steps for message in _messages(step))
    span = time_span((step.get("timestamp") for step in steps), source)
    usage = _usage(value, steps)
    models = {as_id(step.get("model_name")) for step in steps if not step.get("is_copied_context")}
    continued = as_id(value.get("continued_trajectory_ref")) is not None
    flags = {"continued"} if continued else set()
    session = as_id(value.get("session_id"))
    if parent:
        flags.add("subagent")
    return Trace(
        trace_id=as_id(value.get("trajectory_id")) or digest("atif", session, agent, steps),
        source="atif",
        started_at=span.start,
        ended_at=span.end,
        timed=span.timed,
        messages=messages,
        calls=calls_from_messages(messages),
        # A sub-agent's turns are no turns of the conversation that called it.
        session_id=None if parent else session,
        agent_name=as_id(agent.get("name")),
        agent_version=as_id(agent.get("version")),
        models=frozenset(m for m in models or {} if m) or _declared(agent),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost_usd=usage.cost_usd,
        complete=not continued and any(message.role == "assistant" for message in messages),
        flags=frozenset(flags),
        attributes=_attributes(value, agent, parent),
    )


def _declared(agent: Mapping[str, Any]) -> frozenset[str]:
    model = as_id(agent.get("model_name"))
    return frozenset({model} if model else ())


def _attributes(
    value: Mapping[str, Any], agent: Mapping[str, Any], parent: str | None
) -> dict[str, Any]:
    kept = {
        name: value[name]
        for name in ("schema_version", "continued_trajectory_ref", "notes", "extra")
        if value.get(name)
    }
    if agent.get("extra"):
        kept["agent"] = agent["extra"]
    return kept | ({"parent_trace_id": parent} if parent else {})


def _messages(step: Mapping[str, Any]) -> Iterator[Message]:
    """What a step says, then what came back; reasoning is not what the user was told."""
    calls = tuple(
        Call(
            as_id(call.get("tool_call_id")),
            str(call["function_name"]),
            as_json_text(call.get("arguments")),
        )
        for call in as_list(step.get("tool_calls"))
    )
    role, text = _ROLES[step["source"]], prose(step.get("message"))
    if text or calls or role != "system":
        yield Message(role, text, calls)
    results = as_list(as_mapping(step.get("observation")).get("results"))
    names = {call.id: call.name for call in calls}
    for place, result in enumerate(results):
        content = prose(result.get("content"))
        call_id = as_id(result.get("source_call_id"))
        if call_id is None and len(calls) == len(results):
            call_id = calls[place].id
        if content is not None:  # else it only names a sub-agent's trajectory
            yield Message("tool", content, tool_call_id=call_id, name=names.get(call_id))


def _usage(value: Mapping[str, Any], steps: list[Any]) -> Usage:
    """The totals, which count sub-agents' calls as well; prompt tokens include cached ones.

    A continuation's totals repeat those of the files before it: there its own steps are summed.
    """
    final = as_mapping(value.get("final_metrics"))
    if final and not any(step.get("is_copied_context") for step in steps):
        return Usage(
            as_count(final.get("total_prompt_tokens")),
            as_count(final.get("total_completion_tokens")),
            as_dollars(final.get("total_cost_usd")),
        )
    total = Usage()
    for step in steps:
        metrics = as_mapping(step.get("metrics"))
        if not step.get("is_copied_context"):
            total += Usage(
                as_count(metrics.get("prompt_tokens")),
                as_count(metrics.get("completion_tokens")),
                as_dollars(metrics.get("cost_usd")),
            )
    return total
