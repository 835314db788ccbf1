"""Replays a case: an agent answers the turn under test, with fixtures for its tools.

The agent is any callable. It gets the messages of the case and a world to act in, and gives what
it says; what it called there and what it said are put to the case's checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from pipeline.ids import canonical_json
from pipeline.promotion.check_kinds import Check
from pipeline.promotion.checks import passes
from pipeline.promotion.outcome import Outcome
from pipeline.promotion.trials.case_format import Case, Fixture, SearchFixture
from pipeline.promotion.trials.restaging import Step, stage

__all__ = ["Agent", "Answer", "CheckResult", "Replay", "World", "replay", "run_checks"]

_NO_FIXTURE = '{"error": "the case has no fixture for this call"}'


@dataclass(frozen=True)
class Answer:
    """What an agent said last; `turns` and `tokens` where somebody played the user to the end."""

    texts: tuple[str, ...]
    finish_reason: str | None = "stop"
    turns: int | None = None
    tokens: int | None = None


@dataclass
class World:
    """The tools and documents of a case, and what was done with them.

    A call is answered by the fixture of the same tool and arguments; where there are several, in
    their order, and by the last of them from then on. Else by the fixture of that tool with most
    arguments in common, noted in `loose`; where the tool has none, by an error, noted in `missing`.
    """

    case: Case
    steps: list[Step] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def calls(self) -> tuple[Fixture, ...]:
        """The calls so far, with what they were answered."""
        return tuple(step for step in self.steps if isinstance(step, Fixture))

    def say(self, text: str) -> None:
        """Say something to the user before the turn is over."""
        self.steps.append(text)

    def call(self, name: str, arguments: Mapping[str, Any] | None = None) -> Fixture:
        """Call a tool; the `result` (a JSON text or prose) and `status` are those recorded."""
        given = dict(arguments or {})
        own = [fixture for fixture in self.case.tools.fixtures if fixture.name == name]
        exact = [fixture for fixture in own if _same(_arguments(fixture), given)]
        if exact:
            before = sum(_same(_arguments(done), given) for done in self.calls if done.name == name)
            found = exact[min(before, len(exact) - 1)]
        elif own:
            self.loose.append(name)
            found = max(own, key=lambda fixture: _shared(_arguments(fixture), given))
        else:
            self.missing.append(name)
            found = Fixture(name=name, result=_NO_FIXTURE, status="error")
        made = found.model_copy(update={"arguments": orjson.dumps(given).decode()})
        self.steps.append(made)
        return made

    def search(self, query: str) -> SearchFixture:
        """Search; the documents are those recorded for the query, else for all searches."""
        every = self.case.tools.documents
        found = next((one for one in every if one.query == query), None)
        documents = tuple(document for one in every for document in one.documents)
        return found or SearchFixture(query=query, documents=documents)


Agent = Callable[[Sequence[Mapping[str, Any]], World], Answer | str]


@dataclass(frozen=True)
class CheckResult:
    """One check and whether it passed; None where it cannot tell without a judge."""

    check: Check
    passed: bool | None


@dataclass(frozen=True)
class Replay:
    """What came of a case: each check, and the calls that the fixtures did not really answer."""

    outcome: Outcome
    results: tuple[CheckResult, ...]
    loose: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def passed(self) -> bool | None:
        """False if a check failed; None if none did and one cannot tell; else True."""
        told = [result.passed for result in self.results]
        return False if False in told else None if None in told or not told else True


def replay(
    case: Case, agent: Agent, *, system: str = "", functions: frozenset[str] = frozenset()
) -> Replay:
    """Let `agent` answer the turn under test and run the case's checks on what it did.

    Args:
        case: the case.
        agent: gets the messages and the world; whatever it raises is raised here.
        system: the agent's own prompt, where what it says may support an answer.
        functions: of rules of the kind `python`, those that may run: the registry's own.
    """
    world = World(case)
    messages = [m.model_dump(exclude_none=True, exclude_defaults=True) for m in case.input.messages]
    given = agent(messages, world)
    answer = Answer((given,)) if isinstance(given, str) else given
    outcome = stage(
        case,
        (*world.steps, *answer.texts),
        finish_reason=answer.finish_reason,
        turns=answer.turns,
        tokens=answer.tokens,
        system=system,
        functions=functions,
    )
    return Replay(
        outcome, run_checks(case.checks, outcome), tuple(world.loose), tuple(world.missing)
    )


def run_checks(checks: Sequence[Check], outcome: Outcome) -> tuple[CheckResult, ...]:
    """Run each of `checks` on an outcome."""
    return tuple(CheckResult(check, passes(check, outcome)) for check in checks)


def _arguments(fixture: Fixture) -> Any:
    try:
        return orjson.loads(fixture.arguments or "{}")
    except orjson.JSONDecodeError:
        return fixture.arguments


def _same(one: Any, other: Any) -> bool:
    return canonical_json(one) == canonical_json(other)


def _shared(recorded: Any, given: Mapping[str, Any]) -> int:
    known = recorded if isinstance(recorded, Mapping) else {}
    return sum(name in known and _same(known[name], value) for name, value in given.items())
