"""The short way for spans in the current OTel GenAI conventions, and for spans that say nothing."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from pipeline.ingest.dialects import aliases
from pipeline.ingest.dialects.labels import label_names
from pipeline.ingest.dialects.retrievals import plain_retrieval
from pipeline.ingest.dialects.tools import plain_call
from pipeline.ingest.records import Content, Span

__all__ = ["Names", "names_of", "read_current"]

# What the short way reads itself.
_READ = frozenset(
    (
        "gen_ai.operation.name",
        "gen_ai.system_instructions",
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.tool.name",
        "gen_ai.tool.call.id",
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result",
        "gen_ai.retrieval.query.text",
        "gen_ai.retrieval.documents",
        "gen_ai.response.model",
        "gen_ai.request.model",
        "gen_ai.provider.name",
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
    )
)
# What only the lead of the trace reads (see `labels`), or what is read wherever it stands.
_OF_THE_TRACE = frozenset(
    (*aliases.SESSION, *aliases.USER, *aliases.AGENT_NAME, "gen_ai.response.finish_reasons")
)
_KNOWN = frozenset(
    name
    for table in (
        aliases.KINDS,
        aliases.SYSTEM,
        aliases.HEARD,
        aliases.SAID,
        aliases.TOOL_NAME,
        aliases.TOOL_ID,
        aliases.TOOL_ARGUMENTS,
        aliases.TOOL_RESULT,
        aliases.TOOL_STATUS,
        aliases.ERROR_TEXT,
        aliases.QUERY,
        aliases.DOCUMENTS,
        aliases.MODEL,
        aliases.PROVIDER,
        aliases.INPUT_TOKENS,
        aliases.OUTPUT_TOKENS,
        aliases.TOTAL_TOKENS,
        aliases.CACHE_READ,
        aliases.CACHE_WRITE,
        aliases.REASONING,
        aliases.COST,
        *aliases.COST_PARTS,
        aliases.HINTS,
        aliases.STRUCTURES,
    )
    for name in table
)
_FOREIGN = _KNOWN - _READ - _OF_THE_TRACE
_SPREAD = tuple(
    f"{prefix}."
    for prefix in (
        *aliases.INDEXED_HEARD,
        *aliases.INDEXED_SAID,
        *aliases.INDEXED_DOCUMENTS,
        *aliases.INDEXED_SCORES,
    )
)
_SCORES = tuple(f"{prefix}." for prefix in aliases.INDEXED_SCORES)
_KINDS = {
    "chat": "llm",
    "generate_content": "llm",
    "text_completion": "llm",
    "invoke_agent": "agent",
    "create_agent": "agent",
    "invoke_workflow": "agent",
}
_NOTHING = Content("other")
_MOST = 2**53
_BLANK_OR_WRAPPED = (" ", "\t", "\n", "[{", '{"input_str"', '{"output":')


class Names(NamedTuple):
    """What the names of attributes tell of the span, or resource, whatever they hold."""

    foreign: bool
    known: bool
    spread: bool
    of_a_model: bool
    scored: bool
    """A verdict is given."""
    labels: tuple[str, ...]
    """Those that say something of the trace as a whole."""


@lru_cache(maxsize=4096)
def names_of(names: tuple[str, ...]) -> Names:
    """What the names of a span's attributes tell of it: found out once for all that carry them."""
    there = frozenset(names)
    scored = any(name.startswith(_SCORES) for name in names)
    return Names(
        foreign=not there.isdisjoint(_FOREIGN) or scored,
        known=not there.isdisjoint(_KNOWN),
        spread=any(name.startswith(_SPREAD) for name in names),
        of_a_model=not there.isdisjoint(_OF_A_MODEL),
        scored=scored,
        labels=label_names(names),
    )


def read_current(span: Span, names: Names | None = None) -> Content | None:
    """The content of a span in the current conventions; None sends it the long way.

    It reads the same as the long way does (a test holds them together): it only knows beforehand
    that no other convention's name is there, and that nothing is said in events.

    Args:
        span: the span.
        names: what its attributes' names tell, if that is known already.
    """
    values = span.attributes
    names = names or names_of(tuple(values))
    if span.events or names.foreign:
        return None
    operation = values.get("gen_ai.operation.name")
    if operation == "execute_tool":
        return None if names.spread or names.of_a_model else _tool(span)
    if operation == "retrieval":
        return None if names.spread or names.of_a_model else _retrieval(span)
    kind = _KINDS.get(operation) if type(operation) is str else None
    if kind is None:
        return None if names.known or names.spread else _NOTHING
    system = values.get("gen_ai.system_instructions")
    heard = values.get("gen_ai.input.messages")
    said = values.get("gen_ai.output.messages")
    if (heard is None or said is None) and names.spread:
        return None
    for text in (system, heard, said):
        # Shorter ones may be `[]`, `{}` or `null`.
        if text is not None and not (type(text) is str and len(text) > 4 and text[0] == "["):
            return None
    model = values.get("gen_ai.response.model") or values.get("gen_ai.request.model")
    provider = values.get("gen_ai.provider.name")
    for name in (model, provider):
        if name is not None and not (type(name) is str and name and name[0] not in ' "'):
            return None
    given = values.get("gen_ai.usage.input_tokens")
    answered = values.get("gen_ai.usage.output_tokens")
    for number in (given, answered):
        if number is not None and not (type(number) is int and 0 <= number < _MOST):
            return None
    return Content(kind, system, heard, said, None, None, model, provider, given, answered)


def _retrieval(span: Span) -> Content | None:
    values = span.attributes
    retrieval = plain_retrieval(span)
    if retrieval is None or values.get("gen_ai.provider.name") is not None:
        return None
    return Content("retrieval", retrieval=retrieval)


def _tool(span: Span) -> Content | None:
    values = span.attributes
    id_ = values.get("gen_ai.tool.call.id")
    if id_ is not None and not (type(id_) is str and id_ and id_[0] != "["):
        return None
    if values.get("gen_ai.tool.name") == "(merged tools)":
        return None
    for name in _TOOL:
        value = values.get(name)
        if value is not None and (
            type(value) is not str or not value or value.startswith(_BLANK_OR_WRAPPED)
        ):
            return None
    provider = values.get("gen_ai.provider.name")
    if provider is not None and not (
        type(provider) is str and provider and provider[0] not in ' "'
    ):
        return None
    return Content("tool", call=plain_call(span), provider=provider)


_TOOL = ("gen_ai.tool.name", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result")
_OF_A_MODEL = (
    "gen_ai.response.model",
    "gen_ai.request.model",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
)
