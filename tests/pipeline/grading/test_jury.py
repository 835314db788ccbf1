"""A jury: the majority decides, a divided one does not know, and its bill is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from pipeline.grading import Case, Judgement, make_judge
from pipeline.grading.judge.jury import Jury
from pipeline.grading.judge_calls import export_ledger
from pipeline.registry import Axis, Registry, load_registry
from pipeline.registry.settings import Judge as JudgeSettings
from tests.pipeline.grading.judge_cases import RUBRIC, cases
from tests.pipeline.grading.judge_server import Answer, serve, verdicts

REGISTRY = Path(__file__).resolve().parents[3] / "data" / "registry"


class Juror:
    """Says one thing on one axis."""

    axes: tuple[Axis, ...] = (Axis(id="tone", definition="d", passes_when="p"),)

    def __init__(self, verdict: str, score: float | None = None, snapshot: str = "") -> None:
        self.identity = f"{verdict}-{score}-{snapshot}"
        self._word = Judgement("tone", verdict, score, f"It is {verdict}.", snapshot=snapshot)  # type: ignore[arg-type]

    def judge(self, asked: Sequence[Case]) -> list[tuple[Judgement, ...]]:
        return [(self._word,) for _ in asked]


def decide(*jurors: Juror) -> Judgement:
    [(word,)] = Jury(jurors).judge(cases())
    return word


@pytest.mark.parametrize(
    ("verdicts_", "decision"),
    [
        (("fail", "fail", "pass"), "fail"),
        (("pass", "unknown", "pass"), "pass"),
        (("pass", "fail"), "unknown"),
        (("pass", "fail", "unknown"), "unknown"),
        (("error", "error", "pass"), "error"),
        (("error", "fail", "fail"), "fail"),
        (("fail", "error", "unknown"), "unknown"),
    ],
)
def test_more_than_half_decide(verdicts_: tuple[str, ...], decision: str) -> None:
    assert decide(*map(Juror, verdicts_)).verdict == decision


def test_the_score_is_the_majoritys_and_a_division_is_told() -> None:
    agreed = decide(Juror("pass", 0.9), Juror("pass", 0.6), Juror("fail", 0.1))
    assert (agreed.score, agreed.reason) == (0.75, "It is pass.")
    divided = decide(Juror("pass", 0.9), Juror("fail", 0.1))
    assert (divided.score, divided.reason) == (None, "The jury is divided: 1 fail, 1 pass.")


def test_one_jurors_new_model_is_another_jury() -> None:
    before = decide(Juror("pass", 1.0, "aa"), Juror("pass", 1.0, "bb")).snapshot
    after = decide(Juror("pass", 1.0, "aa"), Juror("pass", 1.0, "cc")).snapshot
    assert before
    assert before != after
    assert decide(Juror("pass"), Juror("pass")).snapshot == ""


@pytest.fixture
def registry() -> Registry:
    return replace(load_registry(REGISTRY, date(2026, 11, 10)), rubric=RUBRIC)


def test_a_jury_of_two_models_and_the_embedded_judge_by_the_settings(
    registry: Registry, tmp_path: Path
) -> None:
    """Two models of one server, one harsh; what they cost is booked under the jury's name."""

    def script(number: int, request: object) -> Answer:
        harsh = request.body["model"] == "harsh"  # type: ignore[attr-defined]
        fail = {"verdict": "fail", "code": "bad", "score": 0.1}
        return Answer(content=verdicts(request, **({"tone": fail} if harsh else {})))  # type: ignore[arg-type]

    with serve(script) as server:
        judge = JudgeSettings.model_validate(
            {
                "engine": "litellm",
                "model": "openai/mild",
                "api_base": server.url,
                "input_usd_per_million": 10.0,
                "output_usd_per_million": 20.0,
                "jury": [
                    {"engine": "litellm"},
                    {"engine": "litellm", "model": "openai/harsh"},
                    {"engine": "embedded"},
                ],
            }
        )
        settings = registry.settings.model_copy(update={"judge": judge})
        jury = make_judge(replace(registry, settings=settings), tmp_path)
        [found] = jury.judge(cases())
        [again] = jury.judge(cases())
        assert len(server.requests) == 2
    assert found == again
    assert jury.identity.startswith("jury-")
    assert {j.axis: j.verdict for j in found}["tone"] == "unknown", "one of three fails it"
    import polars as pl

    booked = pl.read_parquet(export_ledger(tmp_path))
    assert booked["judge_id"].unique().to_list() == [jury.identity]
    assert sorted(booked["outcome"]) == ["answered", "answered", "cached", "cached"]
