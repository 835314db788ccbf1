"""Small corruptions of a good outcome: what a case ought to catch, and what it lets through.

Mutation testing of a case (Jia & Harman, 2011, as for programs): each corruption is one small,
deterministic change that a right answer would not survive. A check is there for some of them and
for others not, which `DUTIES` says; a case is not to blame for letting those others pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import orjson

from pipeline.grading.facts import facts_of
from pipeline.promotion import check_kinds as c
from pipeline.promotion.check_kinds import Check
from pipeline.promotion.outcome import Outcome
from pipeline.promotion.trials.corrupted_calls import ON_CALLS, Change
from pipeline.redaction.replacement.surrogates import SURROGATE

__all__ = ["DUTIES", "Corruption", "corrupt"]

_CITED = re.compile(r"\s*\[([A-Z]{2,6})-\d{1,8}\]")
_DIGITS = re.compile(r"\d+")
_TRIED = 20  # numbers and surrogates of one answer that are tried
_GERMAN = "Vielen Dank für Ihre Nachricht, wir haben Ihr Anliegen erhalten und melden uns bald."
_ENGLISH = "Thank you for your message, we have received your request and will be in touch soon."
_EVASIVE = "Please have a look around, there is a lot to be found."
_MANY = 6  # times that the agent apologises
_FACTS = ("amount", "date", "id", "number")


@dataclass(frozen=True)
class Corruption:
    """A corruption by name, and the outcome that it makes of a good one."""

    name: str
    outcome: Outcome


DUTIES: Mapping[type, tuple[str, ...]] = {
    c.ArgumentMax: ("higher_arguments",),
    c.CallsMadeAgain: ("repeated_call",),
    c.CallsRepeated: ("repeated_call",),
    c.CitesAnyOf: ("dropped_citation",),
    c.CitesOnlyRetrieved: ("foreign_citation",),
    c.Contains: ("evasive_answer",),
    c.DoesNotSay: ("recorded_answer",),
    c.Effort: ("more_effort",),
    c.FactsSupported: tuple(f"changed_{kind}" for kind in _FACTS),
    c.JsonSchema: ("dropped_field", "prose_around", "truncated"),
    c.LanguageIs: ("other_language",),
    c.NotContains: ("recorded_answer",),
    c.NotCutOff: ("truncated",),
    c.Rubric: (),
    c.RuleKept: (),  # a rule asks about its own conversation, and the good answer has another
    c.Says: ("evasive_answer",),
    c.ToolCalled: ("removed_calls", "wrong_tool"),
    c.ToolNotCalled: ("recorded_calls",),
}
"""The corruptions that each kind of check is there to catch."""


def corrupt(good: Outcome, bad: Outcome, checks: tuple[Check, ...]) -> Iterator[Corruption]:
    """Every corruption that changes `good`; `bad` is what was recorded of the failure."""
    for name, change in (*_ON_ANSWERS.items(), *ON_CALLS.items()):
        changed = change(good, bad, checks)
        if changed is not None:
            yield Corruption(name, changed)


def _answer(good: Outcome, text: str | None, finish_reason: str | None = "stop") -> Outcome | None:
    if not good.answer or text is None or text == good.answer:
        return None
    return good.with_turn(texts=(*good.texts[:-1], text), finish_reason=finish_reason)


def _changed(kind: str) -> Change:
    """The first number, date, amount or id of the answer, changed into another."""

    def change(good: Outcome, bad: Outcome, checks: tuple[Check, ...]) -> Outcome | None:
        known = set(facts_of(good.answer))
        for text in _altered(good.answer):
            lost = {fact.kind for fact in known - set(facts_of(text))}
            if lost == {kind}:
                return _answer(good, text)
        return None

    return change


def _altered(text: str) -> Iterator[str]:
    """The text with one run of digits, or one surrogate, changed into another at a time."""
    for match in list(_DIGITS.finditer(text))[:_TRIED]:
        first = str(int(match[0][0]) % 9 + 1)
        yield text[: match.start()] + first + text[match.start() + 1 :]
    for match in list(SURROGATE.finditer(text))[:_TRIED]:
        last = "Q" if match[0][-1] != "Q" else "Z"
        yield text[: match.end() - 1] + last + text[match.end() :]


def _dropped_citation(good: Outcome, bad: Outcome, checks: tuple[Check, ...]) -> Outcome | None:
    return _answer(good, _CITED.sub("", good.answer))


def _foreign_citation(good: Outcome, bad: Outcome, checks: tuple[Check, ...]) -> Outcome | None:
    return _answer(good, _CITED.sub(r" [\1-99999]", good.answer))


def _other_language(good: Outcome, bad: Outcome, checks: tuple[Check, ...]) -> Outcome | None:
    wanted = {check.language for check in checks if isinstance(check, c.LanguageIs)}
    return _answer(good, _ENGLISH if "de" in wanted else _GERMAN)


def _dropped_field(good: Outcome, bad: Outcome, checks: tuple[Check, ...]) -> Outcome | None:
    """Without the first field that the schema asks for, else without its first."""
    body = _object(good.answer)
    schemas = [check.value for check in checks if isinstance(check, c.JsonSchema)]
    required = [name for schema in schemas for name in schema.get("required", ())]
    names = [name for name in (*required, *sorted(body)) if name in body][:1]
    return _answer(
        good, _dump({k: v for k, v in body.items() if k not in names}) if names else None
    )


def _prose_around(good: Outcome, bad: Outcome, checks: tuple[Check, ...]) -> Outcome | None:
    return _answer(good, f"Here you are: {good.answer}" if _object(good.answer) else None)


def _truncated(good: Outcome, bad: Outcome, checks: tuple[Check, ...]) -> Outcome | None:
    return _answer(good, good.answer[: len(good.answer) // 2], "length")


def _recorded_answer(good: Outcome, bad: Outcome, checks: tuple[Check, ...]) -> Outcome | None:
    said = "\n".join(bad.texts)
    return _answer(good, f"{good.answer}\n{said}" if said else None)


def _evasive_answer(good: Outcome, bad: Outcome, checks: tuple[Check, ...]) -> Outcome | None:
    return _answer(good, _EVASIVE)


def _apology_loop(good: Outcome, bad: Outcome, checks: tuple[Check, ...]) -> Outcome | None:
    return _answer(good, "I am very sorry about that. " * _MANY)


def _object(text: str) -> dict[str, object]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _dump(value: object) -> str:
    return orjson.dumps(value).decode()


_ON_ANSWERS: Mapping[str, Change] = {
    **{f"changed_{kind}": _changed(kind) for kind in _FACTS},
    "dropped_citation": _dropped_citation,
    "foreign_citation": _foreign_citation,
    "other_language": _other_language,
    "dropped_field": _dropped_field,
    "prose_around": _prose_around,
    "truncated": _truncated,
    "recorded_answer": _recorded_answer,
    "evasive_answer": _evasive_answer,
    "apology_loop": _apology_loop,
}
