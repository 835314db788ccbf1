"""What checks expect of an agent, in words that a person can argue with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch

from pipeline.promotion import check_kinds as kinds
from pipeline.promotion.check_kinds import Check

__all__ = ["in_words", "sentence"]


def sentence(lead: str, checks: Sequence[Check]) -> str:
    """The expected behaviour: `lead`, then what the checks ask of the agent."""
    says = [words for check in checks if (words := in_words(check))]
    return f"{lead} The agent {'; it '.join(says)}." if says else lead


@singledispatch
def in_words(check: object) -> str:
    """What a check expects, as the end of a sentence that begins with "The agent".

    Empty for phrases: the rule's title says what they are about better than patterns do.
    """
    raise TypeError(f"no words for a check of type {type(check).__name__!r}")


@in_words.register
def _(check: kinds.ToolCalled) -> str:
    return f"calls {_any(check.any_of)}"


@in_words.register
def _(check: kinds.ToolNotCalled) -> str:
    return f"does not call {_any(check.none_of)} in this turn"


@in_words.register
def _(check: kinds.ArgumentMax) -> str:
    per = f", added up by {check.per}" if check.per else ""
    return f"calls {check.tool} with {check.argument} of at most {check.most:g}{per}"


@in_words.register
def _(check: kinds.CallsRepeated) -> str:
    return f"makes the same call, or gives the same answer, at most {check.most} times"


@in_words.register
def _(check: kinds.CallsMadeAgain) -> str:
    often = {0: "no call", 1: "one call at most"}.get(check.most, f"at most {check.most} calls")
    return f"makes {often} again that had been answered"


@in_words.register
def _(check: kinds.CitesAnyOf) -> str:
    return f"cites {_any(check.ids)}" if check.ids else "names a source"


@in_words.register
def _(check: kinds.CitesOnlyRetrieved) -> str:
    return "cites no source that was not retrieved"


@in_words.register
def _(check: kinds.JsonSchema) -> str:
    return "answers with one JSON value that the schema allows, and nothing else"


@in_words.register
def _(check: kinds.LanguageIs) -> str:
    return f"answers in the language {check.language!r}"


@in_words.register
def _(check: kinds.Says) -> str:
    return f"says something that {_any([_code(one) for one in check.any_of])}"


@in_words.register
def _(check: kinds.DoesNotSay) -> str:
    return f"says nothing that {_any([_code(one) for one in check.none_of])}"


@in_words.register
def _(check: kinds.Contains) -> str:
    return ""


@in_words.register
def _(check: kinds.NotContains) -> str:
    return ""


@in_words.register
def _(check: kinds.FactsSupported) -> str:
    return "states only numbers, dates, ids and amounts that were said or found before"


@in_words.register
def _(check: kinds.NotCutOff) -> str:
    return "finishes its answer"


@in_words.register
def _(check: kinds.Effort) -> str:
    turns = f"{check.most_turns} turns of the user" if check.most_turns is not None else ""
    tokens = f"{check.most_tokens} tokens" if check.most_tokens is not None else ""
    return f"needs at most {' and '.join(part for part in (turns, tokens) if part)}"


@in_words.register
def _(check: kinds.RuleKept) -> str:
    return f"keeps the rule {check.rule!r}"


@in_words.register
def _(check: kinds.Rubric) -> str:
    return f"satisfies the rubric on {check.axis}"


def _code(lexicon: str) -> str:
    return lexicon.replace("_", " ")


def _any(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} or {items[-1]}"
