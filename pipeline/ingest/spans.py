"""One trace out of its spans: messages, tools, documents, tokens, and what was odd about it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.ingest.content import (
    as_json_text,
    as_text,
    calls_from_messages,
    genai_messages,
    loads,
    merge_history,
    outcome,
)
from pipeline.ingest.records import Call, Document, Message, Retrieval, Score, Span, Trace

__all__ = ["trace_of_spans"]

_LLM = {"chat", "generate_content", "text_completion"}
# First hit wins.
_SESSION = ("session.id", "gen_ai.session.id", "session_id", "gen_ai.conversation.id")
_USER = ("user.id", "enduser.id", "gen_ai.request.user")
_PROMPT = ("app.prompt.version", "gen_ai.prompt.version", "gen_ai.prompt.name")
_POLICY = ("app.policy.version",)
_RELEASE = ("service.version", "langfuse.release")
_ENVIRONMENT = ("deployment.environment.name", "deployment.environment")
_OPT_OUT = ("user.opt_out", "enduser.opt_out")
_COST = ("gen_ai.usage.cost", "gen_ai.usage.total_cost")
_INPUT_TOKENS = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens")
_OUTPUT_TOKENS = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens")
_CONTENT = ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions")


def trace_of_spans(spans: Sequence[Span], *, conflicting: bool = False) -> Trace:
    """Assemble the spans of one trace id, each once; the order they come in does not matter."""
    spans = sorted(spans, key=lambda span: (span.start, span.span_id))
    roots, flags = _structure(spans)
    flags |= {flag for span in spans for flag in span.flags}
    if conflicting:
        flags.add("conflicting_duplicate")
    llm = [span for span in spans if _operation(span) in _LLM]
    told = [s for s in llm if _has_content(s)] or [s for s in spans if _has_content(s)]
    messages = _messages(told)
    tools = [span for span in spans if _operation(span) == "execute_tool"]
    failed_roots = [span for span in roots if span.failed]
    errors = [str(s.attributes["error.type"]) for s in spans if "error.type" in s.attributes]
    counted = llm or roots
    # Roots last: where several spans carry an attribute, the outermost says it for the trace.
    everything: dict[str, Any] = {}
    for span in [*reversed(spans), *reversed(roots)]:
        everything |= dict(span.resource) | dict(span.attributes)
    return Trace(
        trace_id=spans[0].trace_id,
        source="otlp_json",
        started_at=spans[0].start,
        ended_at=max(span.end for span in spans),
        timed=True,
        messages=tuple(messages),
        calls=_calls(messages, tools),
        retrievals=tuple(_retrieval(s) for s in spans if _operation(s) == "retrieval"),
        session_id=_first(everything, _SESSION),
        user_id=_first(everything, _USER),
        service=_first(everything, ("service.name",)),
        agent_name=_first(everything, ("gen_ai.agent.name", "agent.name")),
        agent_version=_first(everything, ("gen_ai.agent.version",)),
        release=_first(everything, _RELEASE),
        prompt_version=_first(everything, _PROMPT),
        policy_version=_first(everything, _POLICY),
        environment=_first(everything, _ENVIRONMENT),
        models=frozenset(str(m) for s in llm if (m := _first(s.attributes, _MODEL)) is not None),
        opted_out=any(everything.get(name) in (True, "true", 1) for name in _OPT_OUT),
        input_tokens=_sum(counted, _INPUT_TOKENS, int),
        output_tokens=_sum(counted, _OUTPUT_TOKENS, int),
        cost_usd=_sum(counted, _COST, float),
        status="error" if failed_roots else "ok",
        error=errors[0] if errors and failed_roots else None,
        scores=tuple(score for span in spans for score in _scores(span)),
        complete=bool(roots) and "orphan_spans" not in flags and "span_cycle" not in flags,
        flags=frozenset(flags),
        attributes=_kept_attributes(roots or spans[:1]),
        files=frozenset(span.file for span in spans),
        records=len(spans),
    )


_MODEL = ("gen_ai.response.model", "gen_ai.request.model")


def _operation(span: Span) -> str:
    return str(span.attributes.get("gen_ai.operation.name", ""))


def _first(values: Mapping[str, Any], names: Iterable[str]) -> str | None:
    return next((str(v) for n in names if (v := values.get(n)) not in (None, "")), None)


def _has_content(span: Span) -> bool:
    return any(span.attributes.get(name) for name in _CONTENT[:2])


def _structure(spans: Sequence[Span]) -> tuple[list[Span], set[str]]:
    """The root spans, and flags: orphan_spans, two_roots, span_cycle, clock_skew."""
    by_id = {span.span_id: span for span in spans}
    roots = [span for span in spans if span.parent_id is None]
    flags = set()
    if any(span.parent_id is not None and span.parent_id not in by_id for span in spans):
        flags.add("orphan_spans")
    if len(roots) > 1:
        flags.add("two_roots")
    if any(_in_cycle(span, by_id) for span in spans):
        flags.add("span_cycle")
    if any(span.start < by_id[span.parent_id].start for span in spans if span.parent_id in by_id):
        flags.add("clock_skew")
    return roots, flags


def _in_cycle(span: Span, by_id: Mapping[str, Span]) -> bool:
    seen = {span.span_id}
    above = span.parent_id
    while above is not None and above in by_id:
        if above in seen:
            return True
        seen.add(above)
        above = by_id[above].parent_id
    return False


def _messages(spans: Sequence[Span]) -> list[Message]:
    """The conversation that the spans tell, system prompt first, history not repeated."""
    messages: list[Message] = []
    for span in spans:
        system = as_text(loads(span.attributes.get("gen_ai.system_instructions")))
        heard = genai_messages(span.attributes.get("gen_ai.input.messages"))
        said = genai_messages(span.attributes.get("gen_ai.output.messages"))
        if system:
            heard = [Message("system", system), *heard]
        messages = merge_history(messages, [*heard, *said])
    return messages


def _calls(messages: Sequence[Message], spans: Sequence[Span]) -> tuple[Call, ...]:
    """Tool spans, and the calls that only messages show, in the messages' order where they tell."""
    shown = list(calls_from_messages(messages))
    run = [_call(span) for span in spans]
    by_id = {call.id: call for call in run if call.id is not None}
    merged = [by_id.pop(call.id, call) if call.id is not None else call for call in shown]
    left = {call.span_id for call in by_id.values()}
    return tuple(merged + [c for c in run if c.id is None or c.span_id in left])


def _call(span: Span) -> Call:
    values = span.attributes
    raw = values.get("gen_ai.tool.call.result")
    result = None if raw is None else as_json_text(raw)
    status, error = outcome(result)
    kind = _first(values, ("error.type",))
    if span.failed or kind:
        error = kind or error or "tool_error"
        status = "timeout" if "timeout" in error.lower() else "error"
    return Call(
        id=_first(values, ("gen_ai.tool.call.id",)),
        name=str(values.get("gen_ai.tool.name") or span.name.removeprefix("execute_tool ")),
        arguments=as_json_text(values.get("gen_ai.tool.call.arguments")),
        span_id=span.span_id,
        result=result,
        status=status,
        error=error,
        started_at=span.start,
        duration_ms=(span.end - span.start).total_seconds() * 1000,
    )


def _retrieval(span: Span) -> Retrieval:
    documents = loads(span.attributes.get("gen_ai.retrieval.documents"))
    return Retrieval(
        span.span_id,
        as_text(span.attributes.get("gen_ai.retrieval.query.text")),
        tuple(
            Document(
                str(document.get("id", "")),
                as_text(document.get("content")),
                float(s) if isinstance(s := document.get("score"), int | float) else None,
            )
            for document in (documents if isinstance(documents, list) else ())
            if isinstance(document, Mapping)
        ),
    )


def _scores(span: Span) -> list[Score]:
    """Verdicts of users: events `gen_ai.evaluation.result` (OTel GenAI conventions)."""
    return [
        Score(
            str(values.get("gen_ai.evaluation.name", "")),
            float(v) if isinstance(v := values.get("gen_ai.evaluation.score.value"), int | float)
            else None,
            as_text(values.get("gen_ai.evaluation.score.label")),
        )
        for name, values in span.events
        if name == "gen_ai.evaluation.result"
    ]  # fmt: skip


def _sum(spans: Iterable[Span], names: Sequence[str], kind: type) -> Any:
    found = [n for s in spans if (n := _number(_first(s.attributes, names))) is not None]
    return kind(sum(found)) if found else None


def _number(text: str | None) -> float | None:
    """A count or an amount, however it was written; what is none says nothing."""
    try:
        value = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) and 0 <= value < 2**53 else None


def _kept_attributes(roots: Sequence[Span]) -> dict[str, Any]:
    """The outermost spans' attributes but for the content, which stands in `messages`."""
    kept: dict[str, Any] = {}
    for root in reversed(roots):
        kept |= {k: v for k, v in root.attributes.items() if k not in _CONTENT}
        channel = root.resource.get("app.channel")
        kept |= {"app.channel": channel} if channel is not None else {}
    return kept
