"""Rules about arguments: were they looked up or given, and did the user hear of them before?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from itertools import chain
from typing import Any

from pipeline.grading.conversation import Call, Conversation, Message
from pipeline.grading.facts import facts_of
from pipeline.grading.rules.kinds import PASS, SKIPPED, Finding, Scope, checks, failed, search
from pipeline.grading.rules.reading import objects, steps, values_at
from pipeline.grading.rules.texts import Texts
from pipeline.registry.rules import KnownArguments, StatedArguments

__all__: list[str] = []


@checks(KnownArguments)
def known_arguments(conversation: Conversation, params: KnownArguments, scope: Scope) -> Finding:
    """The named arguments of each call stand in an earlier result, or in the user's words.

    Where `sources` are named only their results count. A call that failed did nothing.
    """
    seen, known = False, Texts()
    for step in steps(conversation):
        if isinstance(step, Message):
            if step.role == "user" and not params.sources:
                known.add(step.text)
            continue
        for value in _wanted(step, params.tools, params.arguments):
            seen = True
            if not known.mention(value):
                return failed(
                    "A tool was called with an argument that nothing before it gives.",
                    step.ref,
                    subject=step.name,
                    error_class="unknown_argument",
                )
        if not step.failed and (not params.sources or step.name in params.sources):
            known.add(step.result_text)
    return PASS if seen else SKIPPED


@checks(StatedArguments)
def stated_arguments(conversation: Conversation, params: StatedArguments, scope: Scope) -> Finding:
    """The user or the agent had named each of the arguments before the call.

    By its value, as the looked-up object of that id describes it, or in words that the rule
    lists. A call that failed did nothing.
    """
    seen, said = False, _Said(params)
    for step in steps(conversation):
        if isinstance(step, Message):
            said.hear(step.text)
            continue
        for value in _wanted(step, params.tools, params.arguments):
            seen = True
            if not said.names(value):
                return failed(
                    "A tool was called with something that neither side had named before.",
                    step.ref,
                    subject=step.name,
                    error_class="unstated_argument",
                )
        said.look_up(step)
    return PASS if seen else SKIPPED


class _Said:
    """What either side has said so far, and what look-ups tell of the things they speak of."""

    def __init__(self, params: StatedArguments) -> None:
        self._params = params
        self._texts = Texts()
        self._facts: set[Any] = set()
        self._covered = False  # words that stand for every argument were said
        self._objects: dict[Hashable, list[Mapping[str, Any]]] = defaultdict(list)

    def hear(self, text: str) -> None:
        self._texts.add(text)
        self._facts.update(fact.value for fact in facts_of(text))
        self._covered |= any(search(pattern, text) for pattern in self._params.or_said)

    def look_up(self, call: Call) -> None:
        for found in objects(call.result) if self._params.described_by else ():
            for value in {v for v in found.values() if isinstance(v, str | int | float)}:
                self._objects[value].append(found)

    def names(self, value: Any) -> bool:
        return self._covered or any(
            self._texts.mention(name) or not self._facts.isdisjoint(_values(name))
            for name in chain([value], self._descriptions(value))
        )

    def _descriptions(self, value: Any) -> Iterator[Any]:
        for found in self._objects.get(value, ()):
            yield from (found[key] for key in self._params.described_by if found.get(key))


def _values(name: Any) -> Iterator[Any]:
    return (fact.value for fact in facts_of(str(name)))


def _wanted(call: Call, tools: tuple[str, ...], paths: tuple[str, ...]) -> list[Any]:
    """The values of a call of `tools` that did something; true and false name nothing."""
    if call.failed or call.name not in tools:
        return []
    found = (value for path in paths for value in values_at(call.arguments, path))
    return [v for v in found if isinstance(v, str | int | float) and not isinstance(v, bool)]
