"""What a judge may spend, how fast it may ask, what it is asked about, and who answered."""

from __future__ import annotations

import itertools
import sqlite3
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipeline.grading import Case, PendingCalls, grade_traces
from pipeline.grading.drawing import draw_axes
from pipeline.grading.judge.remote import RemoteJudge
from pipeline.grading.ledger import BudgetSpent, CallRecord, Ledger, Limits
from pipeline.registry import Registry, load_registry
from pipeline.registry.settings import Judge as JudgeSettings
from pipeline.registry.settings import Sampling
from tests.pipeline.grading.judge_cases import RUBRIC, always, cases, good, settings
from tests.pipeline.grading.judge_server import Answer, Request, serve, verdicts
from tests.pipeline.grading.traces import agent, redacted, row, samples, user

REGISTRY = Path(__file__).resolve().parents[3] / "data" / "registry"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(REGISTRY, date(2026, 11, 10))


def test_the_budget_of_a_day_is_shared_by_all_of_its_runs(tmp_path: Path) -> None:
    """A call may cost at most about 0.05 USD and costs 0.012: at 0.08 a day three fit in."""

    def nine_runs(dear: JudgeSettings) -> None:
        for number in range(9):
            RemoteJudge(dear, RUBRIC, tmp_path).judge(cases(f"Question {number}?"))

    with serve(always(good)) as server:
        dear = settings(server.url, budget_usd_per_day=0.08, concurrency=1)
        with pytest.raises(PendingCalls, match=r"the budget of 0\.08 USD a day is used up"):
            nine_runs(dear)
        assert 1 <= len(server.requests) < 9
        ample = settings(server.url, budget_usd_per_day=1.0)
        RemoteJudge(ample, RUBRIC, tmp_path).judge(cases("Question 0?", "Another?"))


def test_a_reservation_counts_until_it_is_settled_and_two_ledgers_share_it(tmp_path: Path) -> None:
    limits = Limits(per_run=1.0, per_day=1.0)
    first, second = Ledger(tmp_path), Ledger(tmp_path)
    call = first.reserve("one", "judge", "content", "t1", 0.7, limits)
    with pytest.raises(BudgetSpent, match="1 USD a day"):
        second.reserve("two", "judge", "content", "t2", 0.7, limits)
    assert second.spent("two") == 0
    first.settle(call, CallRecord("answered", 0.1, 5.0))
    second.reserve("two", "judge", "content", "t2", 0.7, limits)
    assert (first.spent("one"), first.spent("two")) == (pytest.approx(0.1), pytest.approx(0.7))
    with pytest.raises(BudgetSpent, match=r"0\.2 USD a run"):
        first.reserve("one", "judge", "content", "t3", 0.15, Limits(per_run=0.2, per_day=9.0))


def test_what_was_spent_before_there_was_a_budget_of_a_day_counts(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.reserve("one", "judge", "content", "t1", 0.7, Limits(1.0, 1.0))
    ledger.close()
    with sqlite3.connect(tmp_path / "judge.sqlite") as connection:
        connection.execute("DROP TABLE spending")
    with pytest.raises(BudgetSpent):
        Ledger(tmp_path).reserve("two", "judge", "content", "t2", 0.7, Limits(1.0, 1.0))


def test_calls_start_no_faster_than_the_settings_allow(tmp_path: Path) -> None:
    """At 20 calls a second the eleventh starts half a second after the first."""
    with serve(always(good)) as server:
        slow = settings(server.url, calls_per_second=20, concurrency=11)
        started = time.monotonic()
        RemoteJudge(slow, RUBRIC, tmp_path).judge(cases(*(f"Question {n}?" for n in range(11))))
    assert time.monotonic() - started >= 0.5


def test_another_model_or_fingerprint_is_another_grader(tmp_path: Path, registry: Registry) -> None:
    """One more word in the trace makes a new call: the provider has changed underneath."""
    texts = ["Thanks a lot.", "Thanks a lot!", "Many thanks."]
    answers = iter([("m-1", "fp_1"), ("m-1", "fp_2"), ("m-2", "fp_2")])

    def script(number: int, request: Request) -> Answer:
        model, fingerprint = next(answers)
        return Answer(content=verdicts(request), model=model, fingerprint=fingerprint)

    ids = []
    with serve(script) as server:
        judge = RemoteJudge(settings(server.url), RUBRIC, tmp_path)
        for text in texts:
            trace = row(user(text), agent("You are welcome."))
            graded = grade_traces(redacted(trace), samples(trace), registry, judge)
            ids += graded.frame.filter(layer="judge")["grader_id"].unique().to_list()
    assert len(set(ids)) == 3
    assert {name.partition("@")[0] for name in ids} == {judge.identity}


def rates(**by_axis: dict[str, float]) -> JudgeSettings:
    return JudgeSettings.model_validate({"rates": by_axis})


def test_high_stakes_are_judged_on_everything_and_the_others_at_their_rate() -> None:
    told = rates(tone={"low": 0.25, "medium": 0.5})
    drawn = [draw_axes(f"t{n}", "low", RUBRIC, told, "seed") for n in range(2000)]
    assert {axes["tone"] for axes in drawn if "tone" in axes} == {0.25}
    # 2,000 draws at 0.25: 500, with a standard deviation of 19.4
    assert 440 <= sum("tone" in axes for axes in drawn) <= 560
    assert all(axes["helpfulness"] == 1.0 for axes in drawn)
    assert all("tone" in draw_axes(f"t{n}", "high", RUBRIC, told, "seed") for n in range(200))


def test_a_higher_rate_draws_what_a_lower_one_drew() -> None:
    few, more = rates(tone={"low": 0.2}), rates(tone={"low": 0.6})
    for number in range(300):
        name = f"t{number}"
        if "tone" in draw_axes(name, "low", RUBRIC, few, "seed"):
            assert "tone" in draw_axes(name, "low", RUBRIC, more, "seed")


def test_rates_are_written_down_with_the_verdicts_they_drew(
    tmp_path: Path, registry: Registry
) -> None:
    rows = [row(user("Hello"), agent("Hello."), trace_id=f"t{n}") for n in range(40)]
    changed = registry.settings.model_copy(
        update={"judge": rates(tone={"low": 0.5}), "sampling": Sampling(seed="seed")}
    )
    with serve(always(good_subset)) as server:
        judge = RemoteJudge(settings(server.url), RUBRIC, tmp_path)
        asked = replace(registry, settings=changed)
        graded = grade_traces(redacted(*rows), samples(*rows), asked, judge).frame
    judged = graded.filter(layer="judge")
    by_axis = judged.group_by("check").agg(pl.len(), pl.col("rate_probability").unique())
    found = {name: (n, chances) for name, n, chances in by_axis.iter_rows()}
    assert found["helpfulness"] == (40, [1.0])
    drawn, chances = found["tone"]
    assert 8 <= drawn <= 32
    assert chances == [0.5]
    whole = judged.filter(check="tone")["trace_id"].to_list()
    assert len(server.requests) == (1 if not whole or drawn == 40 else 2), "equal conversations"


def good_subset(request: Request) -> Answer:
    """Pass on the axes that the schema of this call asks for."""
    schema = request.body["response_format"]["json_schema"]["schema"]
    wanted = schema["properties"]["verdicts"]["items"]["properties"]["axis"]["enum"]
    return Answer(content=verdicts(request, axes=wanted))


def test_a_case_is_asked_about_its_own_axes_alone(tmp_path: Path) -> None:
    one = [Case(c.conversation, None, axes=("tone",)) for c in cases()]
    with serve(always(good_subset)) as server:
        judge = RemoteJudge(settings(server.url), RUBRIC, tmp_path)
        [found] = judge.judge(one)
        [whole] = judge.judge(cases())
        assert [j.axis for j in found] == ["tone"]
        assert [j.axis for j in whole] == [axis.id for axis in RUBRIC]
        texts = [request.text for request in server.requests]
    assert "helpfulness" not in texts[0]
    assert list(itertools.accumulate(["helpfulness" in t for t in texts])) == [0, 1]
