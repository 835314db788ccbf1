"""Rules about arguments: were they looked up or given, and did the user hear of them before?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.grading.conversation import Call, Conversation
from pipeline.grading.facts import facts_of
from pipeline.grading.rules.kinds import PASS, SKIPPED, Finding, Scope, checks, failed, search
from pipeline.grading.rules.reading import (
    before,
    calls_of,
    mentions,
    objects,
    said_before,
    values_at,
)
from pipeline.registry.rules import KnownArguments, StatedArguments

__all__: list[str] = []


@checks(KnownArguments)
def known_arguments(conversation: Conversation, params: KnownArguments, scope: Scope) -> Finding:
    """The named arguments of each call stand in an earlier result, or in the user's words.

    Where `sources` are named only their results count. A call that failed did nothing.
    """
    seen = False
    for turn, call in calls_of(conversation, params.tools):
        for value in _wanted(call, params.arguments):
            seen = True
            known = [c for c in before(conversation, call) if not c.failed]
            if params.sources:
                known = [c for c in known if c.name in params.sources]
            texts = [c.result_text for c in known]
            if not params.sources:
                texts += [said for said, by_user in said_before(conversation, turn) if by_user]
            if not any(mentions(text, value) for text in texts):
                return failed(
                    "A tool was called with an argument that nothing before it gives.",
                    call.ref,
                    subject=call.name,
                    error_class="unknown_argument",
                )
    return PASS if seen else SKIPPED


@checks(StatedArguments)
def stated_arguments(conversation: Conversation, params: StatedArguments, scope: Scope) -> Finding:
    """The user or the agent had named each of the arguments before the call.

    By its value, as the looked-up object of that id describes it, or in words that the rule
    lists. A call that failed did nothing.
    """
    seen = False
    for turn, call in calls_of(conversation, params.tools):
        said = "\n".join(text for text, _ in said_before(conversation, turn))
        told = {fact.value for fact in facts_of(said)}
        for value in _wanted(call, params.arguments):
            seen = True
            names = [value, *_descriptions(conversation, call, value, params.described_by)]
            named = any(
                mentions(said, name) or {f.value for f in facts_of(str(name))} & told
                for name in names
            )
            if not named and not any(search(pattern, said) for pattern in params.or_said):
                return failed(
                    "A tool was called with something that neither side had named before.",
                    call.ref,
                    subject=call.name,
                    error_class="unstated_argument",
                )
    return PASS if seen else SKIPPED


def _descriptions(
    conversation: Conversation, call: Call, value: Any, keys: tuple[str, ...]
) -> Iterator[Any]:
    for earlier in before(conversation, call) if keys else ():
        for found in objects(earlier.result):
            if value in found.values():
                yield from (found[key] for key in keys if found.get(key))


def _wanted(call: Call, paths: tuple[str, ...]) -> list[Any]:
    """The values of a call that did something; true and false name nothing."""
    if call.failed:
        return []
    found = (value for path in paths for value in values_at(call.arguments, path))
    return [v for v in found if isinstance(v, str | int | float) and not isinstance(v, bool)]
