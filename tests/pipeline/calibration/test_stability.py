"""Judges that change their mind where nothing that matters has changed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pipeline.calibration.stability import family_of, measure_stability, same_family
from pipeline.grading import Case, Judgement
from pipeline.registry import Axis
from tests.pipeline.grading.traces import agent, conversation, user

CASES = [Case(conversation(user("Hm?"), agent(f"It is {n}. So it is.")), None) for n in range(10)]


class Judge:
    """Passes answers shorter than a bound, and may be undecided on every third question."""

    identity = "bound"
    axes = (Axis(id="tone", definition="d", passes_when="p"),)

    def __init__(self, bound: int, verdicts: str = "") -> None:
        self._bound, self._verdicts = bound, iter(verdicts)

    def judge(self, cases: Sequence[Case]) -> list[tuple[Judgement, ...]]:
        return [(Judgement("tone", self._say(case), None, "Said."),) for case in cases]

    def _say(self, case: Case) -> str:  # type: ignore[return]
        words = {"F": "fail", "P": "pass", "E": "error"}
        told = next(self._verdicts, None)
        answer = case.conversation.answered[0][2].text
        return words[told] if told else "pass" if len(answer) < self._bound else "fail"


def measured(judge: Judge, repeat: Judge, change: str) -> tuple[float | None, int, int, int]:
    [found] = measure_stability(judge, repeat, CASES, [change])
    return found.turned.value, found.turned.n, found.to_pass, found.errors


def test_a_judge_that_likes_length_turns_with_it() -> None:
    assert measured(Judge(60), Judge(60), "length") == (1.0, 10, 0, 0)
    assert measured(Judge(60), Judge(60), "again") == (0.0, 10, 0, 0)
    assert measured(Judge(9999), Judge(9999), "format") == (0.0, 10, 0, 0)


def test_noise_is_what_turns_when_nothing_changes_and_errors_are_left_out() -> None:
    """Of ten pairs one has an error; of the other nine three turn, two of them to a pass."""
    before, after = Judge(0, "FFFFFFFPPP"), Judge(0, "PPFFFFFPFE")
    assert measured(before, after, "again") == (pytest.approx(3 / 9), 9, 2, 1)


@pytest.mark.parametrize(
    ("model", "family"),
    [("openai/gpt-4o-2024-08-06", "gpt"), ("anthropic/claude-haiku-4-5", "claude"),
     ("azure/o3-mini", "gpt"), ("my-own-model", None), ("mistral/magistral-small", "mistral")],
)  # fmt: skip
def test_a_family_is_told_by_the_models_name(model: str, family: str | None) -> None:
    assert family_of(model) == family


def test_kinship_is_only_between_known_families() -> None:
    pairs = same_family(["openai/gpt-5", "own"], ["gpt-4o", "claude-x", "own"])
    assert pairs == [("openai/gpt-5", "gpt-4o")]
