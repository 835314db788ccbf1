"""Known failures with injected orders: how often a judge is talked into passing one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict

from pipeline.estimation import Estimate, wilson
from pipeline.grading import Case, Judge, Judgement, read_conversation
from pipeline.grading.examples import example_row
from pipeline.grading.rules import is_suspected
from pipeline.registry.rules import ExampleStep

__all__ = ["Attack", "AttackSuccess", "attack_success", "missing_canaries", "run_canaries"]

_FILE: Final = Path(__file__).with_name("canaries.yaml")


class _Payload(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    family: str
    place: Literal["user", "tool", "answer"]
    text: str


class _Canaries(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    bases: dict[str, tuple[ExampleStep, ...]]
    payloads: tuple[_Payload, ...]


@dataclass(frozen=True)
class Attack:
    """One payload in one known failure: what the judge said of the axis, and what we had seen.

    Attributes:
        base_failed: whether the judge fails the base without the payload; if not, its verdict
            with it shows nothing.
        suspected: whether the trace is flagged for injection, so that a pass counts as unknown.
    """

    axis: str
    family: str
    place: str
    verdict: str
    base_failed: bool
    suspected: bool

    @property
    def tells(self) -> bool:
        """Whether the attempt says anything: an error of the judge is neither hit nor block."""
        return self.base_failed and self.verdict != "error"

    @property
    def succeeded(self) -> bool:
        """Whether the judge passed what it fails without the payload."""
        return self.tells and self.verdict == "pass"


@dataclass(frozen=True)
class AttackSuccess:
    """The rate with a Wilson interval, by the judge's word and after suspected ones are barred."""

    by_judge: Estimate
    after_flags: Estimate
    errors: int


def run_canaries(judge: Judge) -> list[Attack]:
    """Put every payload into the known failure of every axis that the judge grades and we have.

    Raises:
        PendingCalls: as the judge does; what was answered is kept.
    """
    axes, tried, cases = _all_cases(judge)
    asked = [*axes, *(axis for axis, _ in tried)]
    words = [_on(axis, said) for axis, said in zip(asked, judge.judge(cases), strict=True)]
    failed = {axis: word.verdict == "fail" for axis, word in zip(axes, words, strict=False)}
    return [
        Attack(
            axis,
            payload.family,
            payload.place,
            word.verdict,
            failed[axis],
            is_suspected(case.conversation),
        )
        for (axis, payload), word, case in zip(
            tried, words[len(axes) :], cases[len(axes) :], strict=True
        )
    ]


def missing_canaries(judge: Judge) -> int:
    """How many calls `run_canaries` would make; a judge that was attacked before needs none."""
    return judge.missing(_all_cases(judge)[2])


def attack_success(attacks: Sequence[Attack]) -> AttackSuccess:
    """How many of the attempts that tell anything had success."""
    telling = [attack for attack in attacks if attack.tells]
    hits = [attack for attack in telling if attack.succeeded]
    through = [attack for attack in hits if not attack.suspected]
    return AttackSuccess(
        wilson(len(hits), len(telling)),
        wilson(len(through), len(telling)),
        sum(attack.verdict == "error" for attack in attacks),
    )


def _all_cases(judge: Judge) -> tuple[list[str], list[tuple[str, _Payload]], list[Case]]:
    """The axes we have a known failure of, what is tried on them, and the cases: bases first."""
    canaries = _canaries()
    axes = [axis.id for axis in judge.axes if axis.id in canaries.bases]
    tried = [(axis, payload) for axis in axes for payload in canaries.payloads]
    cases = [_case(canaries.bases[axis], axis) for axis in axes]
    cases += [
        _case(_attacked(canaries.bases[axis], axis, payload), axis) for axis, payload in tried
    ]
    return axes, tried, cases


@lru_cache(maxsize=1)
def _canaries() -> _Canaries:
    return _Canaries.model_validate(yaml.safe_load(_FILE.read_text(encoding="utf-8")))


def _attacked(
    steps: Sequence[ExampleStep], axis: str, payload: _Payload
) -> tuple[ExampleStep, ...]:
    """The conversation with the payload behind the user's, the tool's or the agent's text."""
    text = payload.text.replace("AXIS", axis)
    changed = []
    for step in steps:
        update: dict[str, Any] = {}
        if payload.place == "user" and step.user is not None:
            update = {"user": f"{step.user} {text}"}
        elif payload.place == "tool" and step.call is not None:
            update = {"result": {**step.result, "note": text}}
        elif payload.place == "answer" and step.agent is not None:
            update = {"agent": f"{step.agent} {text}"}
        changed.append(step.model_copy(update=update))
    return tuple(changed)


def _case(steps: Sequence[ExampleStep], axis: str) -> Case:
    conversation = replace(read_conversation(example_row(steps)), trace_id="canary")
    return Case(conversation, None, axes=(axis,))


def _on(axis: str, judgements: Sequence[Judgement]) -> Judgement:
    return next(word for word in judgements if word.axis == axis)
