"""Which spans tell the conversation, and what they tell, each turn once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from pipeline.ingest.messages import read_messages
from pipeline.ingest.records import Content, Message, Span
from pipeline.ingest.traces.history import History
from pipeline.ingest.traces.structure import index_of, outer_calls
from pipeline.ingest.traces.voices import Voice, voices_of

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

_LEAST_END = 40  # characters: a shorter answer may end another by chance


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
    calls show no user turn, no answer, or only an answer's end, the outermost one fills it in. A
    model call of a sub-agent speaks to another agent, not to the user: its prompts are of role
    `other`. So is all of an evaluator.

    Args:
        tree: spans by start.
        contents: what each says, by span id.
        wrapped: rows about the trace as a whole, and what they say.
    """
    told = [(span, contents[span.span_id]) for span in tree]
    outer = [(s, c) for s, c in wrapped if _says(c)]
    outer += [(s, c) for s, c in told if c.kind in ("agent", "other") and _says(c)]
    asked = [span.span_id for span, c in told if c.kind == "llm" and _says(c)]
    if not asked:
        return _outermost(outer)
    by_id = index_of(tree)
    calls = _fullest(asked, by_id, contents)
    messages = _spoken(calls, voices_of(calls, by_id, contents), contents)
    return _completed(messages, outer) if outer else messages


def _says(content: Content) -> bool:
    return bool(content.heard) or bool(content.said)


def _spoken(
    calls: Sequence[str], voices: Mapping[str, Voice], contents: Mapping[str, Content]
) -> list[Message]:
    """What model calls say, in their order: the main conversation, and what was said aside."""
    main = History()
    aside = {Voice.SUB_AGENT: History(), Voice.EVALUATOR: History()}
    if not voices:
        for span_id in calls:
            content = contents[span_id]
            main.hear(content.system, content.heard, content.said)
        return main.messages
    told: list[tuple[Voice | None, Message]] = []
    for span_id in calls:
        content = contents[span_id]
        voice = voices.get(span_id)
        # A sub-agent that was handed the conversation itself goes on with it.
        if voice is Voice.SUB_AGENT and main.begins(content.heard):
            voice = None
        history = main if voice is None else aside[voice]
        before = len(history.messages)
        history.hear(content.system, content.heard, content.said)
        told += [(voice, message) for message in history.messages[before:]]
    shown = {(m.role, m.content) for m in main.messages}
    return [_heard_as(voice, m) for voice, m in told if voice is None or _is_new(m, shown)]


def _is_new(message: Message, shown: set[tuple[str, str | None]]) -> bool:
    """Whether a message aside says what the conversation does not: a judge may read all of it."""
    if message.role == "tool" or message.tool_calls:
        return True
    return message.role != "system" and (message.role, message.content) not in shown


def _heard_as(voice: Voice | None, message: Message) -> Message:
    """A message as the conversation shows it."""
    if voice is Voice.EVALUATOR or (voice is Voice.SUB_AGENT and message.role == "user"):
        return replace(message, role="other")
    return message


def _completed(messages: list[Message], outer: Sequence[tuple[Span, Content]]) -> list[Message]:
    """The messages with what of question and answer only the outermost spans tell."""
    if not any(m.role == "user" for m in messages):
        asked = [m for m in _outermost(outer) if m.role == "user"]
        at = next((n for n, m in enumerate(messages) if m.role != "system"), len(messages))
        messages = [*messages[:at], *asked[:1], *messages[at:]]
    if not any(m.role == "assistant" for m in messages):
        answered = [m for m in _outermost(outer) if m.role == "assistant"]
        return [*messages, *answered[-1:]]
    return _mended(messages, outer)


def _mended(messages: list[Message], outer: Sequence[tuple[Span, Content]]) -> list[Message]:
    """The messages with the last answer whole, where its span kept only the end of it.

    SDKs drop the oldest attributes beyond a limit, and with them the beginning of an answer that
    was streamed. What holds more than one answer, all of a run's text, is not taken for one.
    """
    at = max(n for n, m in enumerate(messages) if m.role == "assistant")
    end = (messages[at].content or "").strip()
    said = next((c.said for _, c in outer if c.said), None)
    if len(end) < _LEAST_END or (isinstance(said, str) and len(said) <= len(end)):
        return messages
    answers = [m.content for m in read_messages(said, "assistant") if m.role == "assistant"]
    whole = (answers[-1] or "").strip() if answers else ""
    if len(whole) <= len(end) or not whole.endswith(end):
        return messages
    beginning = whole[: -len(end)]
    earlier = (m.content for m in messages[:at] if m.role == "assistant" and m.content)
    if any(text.strip() in beginning for text in earlier):
        return messages
    return [*messages[:at], replace(messages[at], content=whole), *messages[at + 1 :]]


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


def _fullest(
    calls: Sequence[str], by_id: Mapping[str, Span], contents: Mapping[str, Content]
) -> Sequence[str]:
    """Of a model call that spans around one another record, the outermost or the innermost ones.

    Whichever tell more: some instrumentations leave out an answer that is nothing but calls, some
    the ids.
    """
    outer = outer_calls(calls, by_id, contents)
    if not outer:
        return calls
    around = set(outer.values())
    tops: dict[str, str] = {}
    inner: dict[str, list[str]] = {}
    for span_id in calls:
        if span_id in outer and span_id not in around:
            top = _top(span_id, outer, tops)
            inner.setdefault(top, []).append(span_id)
    told = set(calls) - set(outer)
    for top, own in inner.items():
        if _weight(own, contents) >= _weight([top], contents):
            told.discard(top)
            told.update(own)
    return [span_id for span_id in calls if span_id in told]


def _top(span_id: str, outer: Mapping[str, str], tops: dict[str, str]) -> str:
    """The outermost span around a call; every span is walked over once."""
    walked: list[str] = []
    at = span_id
    while at in outer and at not in tops:
        walked.append(at)
        at = outer[at]
    top = tops.get(at, at)
    tops.update(dict.fromkeys(walked, top))
    return top


def _weight(calls: Sequence[str], contents: Mapping[str, Content]) -> int:
    """How much calls tell: messages, and the tool calls in them."""
    history = History()
    for span_id in calls:
        content = contents[span_id]
        history.hear(content.system, content.heard, content.said)
    return len(history.messages) + sum(len(m.tool_calls) for m in history.messages)
