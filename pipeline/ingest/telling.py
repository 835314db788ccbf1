"""Which spans tell the conversation, and what they tell, each turn once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from pipeline.ingest.history import History
from pipeline.ingest.messages import read_messages
from pipeline.ingest.records import Content, Message, Span
from pipeline.ingest.structure import agent_above, is_below

__all__ = ["conversation_of", "is_content"]

_CONTENT = (
    "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions",
    "gen_ai.prompt", "gen_ai.completion", "gen_ai.tool.definitions", "gen_ai.tool.call.",
    "gen_ai.user.message", "gen_ai.assistant.message", "gen_ai.system.message",
    "gen_ai.tool.message", "gen_ai.choice", "gen_ai.content.", "gen_ai.client.inference",
    "gen_ai.retrieval.documents", "llm.input_messages", "llm.output_messages", "llm.prompts",
    "llm.choices", "llm.tools", "llm.request.functions", "input.", "output.",
    "traceloop.entity.input", "traceloop.entity.output", "ai.prompt", "ai.response.text",
    "ai.response.object", "ai.response.toolCalls", "ai.toolCall.", "langfuse.observation.input",
    "langfuse.observation.output", "langfuse.trace.input", "langfuse.trace.output",
    "langsmith.inputs", "langsmith.outputs", "mlflow.spanInputs", "mlflow.spanOutputs",
    "mlflow.chat.", "mlflow.traceInputs", "mlflow.traceOutputs", "all_messages_events",
    "pydantic_ai.all_messages", "events", "gcp.vertex.agent.", "retrieval.documents", "tool.",
)  # fmt: skip


def is_content(name: str) -> bool:
    """Whether an attribute or event of this name holds what was said, rather than about what."""
    return name.startswith(_CONTENT)


def conversation_of(
    tree: Sequence[Span],
    contents: Mapping[str, Content],
    wrapped: Sequence[tuple[Span, Content]],
) -> list[Message]:
    """The conversation that the spans tell, system prompt first, history not repeated.

    Model calls tell it. Where none holds content, the outermost span that does; and where model
    calls show no user turn or no answer, the outermost one fills it in. A model call of a
    sub-agent speaks to another agent, not to the user: its prompts are of role `other`.

    Args:
        tree: spans by start.
        contents: what each says, by span id.
        wrapped: rows about the trace as a whole, and what they say.
    """
    by_id = {span.span_id: span for span in tree}
    told = [(span, contents[span.span_id]) for span in tree]
    calls = [(s, c) for s, c in told if c.kind == "llm" and _says(c)]
    outer = [(s, c) for s, c in wrapped if _says(c)]
    outer += [(s, c) for s, c in told if c.kind in ("agent", "other") and _says(c)]
    if not calls:
        return _outermost(outer)
    mains = _main_thread(calls, by_id, contents)
    history = History()
    for span, content in calls:
        if span.span_id in mains:
            history.hear(content.system, content.heard, content.said)
        else:
            for message in _aside(content):
                history.add(message)
    messages = history.messages
    if outer and not any(m.role == "user" for m in messages):
        asked = [m for m in _outermost(outer) if m.role == "user"]
        at = next((n for n, m in enumerate(messages) if m.role != "system"), len(messages))
        messages = [*messages[:at], *asked[:1], *messages[at:]]
    if outer and not any(m.role == "assistant" for m in messages):
        answered = [m for m in _outermost(outer) if m.role == "assistant"]
        messages = [*messages, *answered[-1:]]
    return messages


def _says(content: Content) -> bool:
    return bool(content.heard) or bool(content.said)


def _outermost(outer: Sequence[tuple[Span, Content]]) -> list[Message]:
    """What the outermost spans tell: of each, until both sides have spoken."""
    messages: list[Message] = []
    for _, content in outer:
        history = History()
        history.hear(content.system, content.heard, content.said)
        if len(history.messages) > len(messages):
            messages = history.messages
        if {"user", "assistant"} <= {message.role for message in messages}:
            break
    return messages


def _main_thread(
    calls: Sequence[tuple[Span, Content]],
    by_id: Mapping[str, Span],
    contents: Mapping[str, Content],
) -> set[str]:
    """The ids of model calls that speak with the user: not those of agents below the first one."""
    agents = {span.span_id: agent_above(span, by_id, contents) for span, _ in calls}
    main = agents[calls[0][0].span_id]
    if main is None:
        return set(agents)
    return {
        span_id
        for span_id, agent in agents.items()
        if agent is None or agent == main or not is_below(agent, main, by_id)
    }


def _aside(content: Content) -> list[Message]:
    """A sub-agent's call: only what it wrote, and what it was told in so many words."""
    heard = [m for m in read_messages(content.heard) if m.role not in ("system",)]
    said = read_messages(content.said, "assistant")
    spoken = [replace(m, role="other") if m.role == "user" else m for m in heard]
    return [*spoken, *said]
