"""Does a judge say the same when nothing that matters changes: asked again, in another dress?

Each change leaves the substance of a conversation alone, so a verdict that turns with it is noise
or bias. `again` asks the same once more; the others change how the agent's answers look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pipeline.estimation import Estimate, wilson
from pipeline.grading import Case, Judge
from pipeline.grading.conversation import Message, Turn

__all__ = ["CHANGES", "Stability", "family_of", "measure_stability", "same_family"]

_PADDING: Final = (
    "I have looked into this with care and gone through all that was said. "
    "Everything that could be found out about it at this point is stated above."
)


def _padded(text: str) -> str:
    return f"{text} {_PADDING}"


def _formatted(text: str) -> str:
    """The same sentences as a list under a heading."""
    lines = [line for line in text.replace(". ", ".\n").splitlines() if line.strip()]
    return "\n".join(["### Answer", *(f"- {line.strip()}" for line in lines)])


def _spaced(text: str) -> str:
    return text.replace(" ", "  ").strip() + "\n"


CHANGES: Final[Mapping[str, Callable[[str], str]]] = {
    "again": lambda text: text,
    "length": _padded,
    "format": _formatted,
    "spacing": _spaced,
}
"""What is done to the agent's answers, by name."""


@dataclass(frozen=True)
class Stability:
    """How many verdicts turned under one change, on one axis; errors on either side are left out.

    Attributes:
        turned: the share of verdicts that became another one, with a Wilson interval.
        to_pass: how many of those became a pass.
        errors: verdicts that were an error of the judge before or after.
    """

    change: str
    axis: str
    turned: Estimate
    to_pass: int
    errors: int


def measure_stability(
    judge: Judge, repeat: Judge, cases: Sequence[Case], changes: Sequence[str] = tuple(CHANGES)
) -> Iterator[Stability]:
    """Judge the cases, then again under each change, and count the verdicts that turned.

    Yields one result an axis after each change.

    Args:
        judge: gives the first verdicts; its kept answers may be used.
        repeat: the same judge for everything after; it must keep answers elsewhere, or `again`
            would only read the ledger.
        cases: conversations.
        changes: names in `CHANGES`.

    Raises:
        PendingCalls: as the judge does.
    """
    before = judge.judge(cases)
    for name in changes:
        after = repeat.judge([_changed(case, CHANGES[name]) for case in cases])
        for position, axis in enumerate(judge.axes):
            pairs = [
                (was[position].verdict, now[position].verdict)
                for was, now in zip(before, after, strict=True)
            ]
            told = [pair for pair in pairs if "error" not in pair]
            turned = [now for was, now in told if was != now]
            share = wilson(len(turned), len(told))
            yield Stability(name, axis.id, share, turned.count("pass"), len(pairs) - len(told))


def _changed(case: Case, change: Callable[[str], str]) -> Case:
    def of(turn: Turn) -> Turn:
        return replace(turn, texts=tuple(_said(message, change) for message in turn.texts))

    turns = tuple(of(turn) for turn in case.conversation.turns)
    return replace(case, conversation=replace(case.conversation, turns=turns))


def _said(message: Message, change: Callable[[str], str]) -> Message:
    return replace(message, text=change(message.text))


_FAMILIES: Final = {
    "gpt": ("gpt", "chatgpt", "o1", "o3", "o4", "davinci"),
    "claude": ("claude",),
    "gemini": ("gemini", "gemma", "palm"),
    "llama": ("llama",),
    "mistral": ("mistral", "mixtral", "magistral", "ministral"),
    "qwen": ("qwen", "qwq"),
    "deepseek": ("deepseek",),
    "grok": ("grok",),
    "command": ("command", "cohere"),
    "phi": ("phi",),
    "nova": ("nova",),
}


def family_of(model: str) -> str | None:
    """The family a model belongs to by its name; None where the name does not say."""
    name = model.rpartition("/")[2].casefold()
    return next(
        (family for family, starts in _FAMILIES.items() if any(s in name for s in starts)), None
    )


def same_family(judges: Sequence[str], agents: Sequence[str]) -> list[tuple[str, str]]:
    """The pairs of a judge's and an agent's model of one family: judges favour their own kind.

    Source: Panickssery and others, "LLM Evaluators Recognize and Favor Their Own Generations",
    arXiv 2404.13076 (2024).
    """
    return [
        (judge, agent)
        for judge in judges
        for agent in agents
        if family_of(judge) is not None and family_of(judge) == family_of(agent)
    ]
