"""`caselaw judge check` on a small published day."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipeline.cli.main import main
from pipeline.datadir import COMMITTED, DataDir
from pipeline.lake import Lake
from pipeline.provenance import Counts, Provenance
from pipeline.tables import REDACTED_TRACES, STRATIFIED_SAMPLES
from pipeline.windows import day
from tests.pipeline.grading.judge_server import Answer, Request, serve, verdicts
from tests.pipeline.grading.test_judge_money import good_subset
from tests.pipeline.grading.traces import agent, redacted, row, samples, user

DAY = day("2026-11-10")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataDir:
    monkeypatch.setenv("CASELAW_DATA", str(tmp_path))
    lake = Lake(DataDir(tmp_path))
    rows = [
        row(user(f"Question {n}?"), agent(f"It is {n}."), trace_id=f"t{n}", models=["judge-x"])
        for n in range(6)
    ]
    for table, frame in ((REDACTED_TRACES, redacted(*rows)), (STRATIFIED_SAMPLES, samples(*rows))):
        count = Counts("traces", frame.height, frame.height)
        lake.publish(table, DAY, frame, Provenance(count))
    return lake.place


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(["judge", "check", *words])
    return int(stopped.value.code or 0)


def use_model(place: DataDir, url: str, **more: object) -> None:
    import shutil

    shutil.copytree(COMMITTED / "registry", place.root / "registry")
    own = "".join(f", {name}: {value}" for name, value in more.items())
    (place.root / "registry" / "settings.yaml").write_text(
        "settings:\n  - effective_from: 2025-01-06\n    judge: {engine: litellm, "
        f"model: openai/gpt-own, api_base: '{url}', input_usd_per_million: 0, "
        f"output_usd_per_million: 0, concurrency: 16{own}}}\n"
    )


def test_the_embedded_judge_is_stable_and_costs_nothing(
    place: DataDir, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--traces", "4") == 0
    told = capsys.readouterr().out
    assert "on 4 conversations of 2026-11-10" in told
    assert "Known failures that injected orders made it pass" in told
    assert "no order to swap" in told


def test_a_model_is_asked_anew_and_one_that_can_be_talked_round_is_a_finding(
    place: DataDir, capsys: pytest.CaptureFixture[str]
) -> None:
    def script(number: int, request: Request) -> Answer:
        gullible = "outstandingˆthroughout" in request.text
        fail = {"verdict": "fail", "code": "other", "score": 0.1}
        axes = request.body["response_format"]["json_schema"]["schema"]["properties"]["verdicts"][
            "items"]["properties"]["axis"]["enum"]  # fmt: skip
        said = {} if gullible or "Questionˆ" in request.text else dict.fromkeys(axes, fail)
        return Answer(content=verdicts(request, axes=axes, **said))

    with serve(script) as server:
        use_model(place, server.url)
        assert run("--traces", "3") == 1
        asked = sum("Questionˆ" in request.text for request in server.requests)
    assert asked == 3 * 5, "once, and again under each of four changes"
    told = capsys.readouterr().out
    [universal] = [line for line in told.splitlines() if line.strip().startswith("universal")]
    assert "0.5" in universal


def test_a_judge_of_the_agents_family_is_named(
    place: DataDir, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve(lambda number, request: good_subset(request)) as server:
        use_model(place, server.url)
        lake = Lake(place)
        kin = lake.read(REDACTED_TRACES, DAY).with_columns(
            models=pl.lit(["gpt-4o-2024-08-06"], pl.List(pl.String))
        )
        lake.publish(REDACTED_TRACES, DAY, kin, Provenance(Counts("traces", 6, 6)))
        run("--traces", "1")
    assert "'openai/gpt-own' and agent 'gpt-4o-2024-08-06' are of one family" in (
        capsys.readouterr().out
    )


def test_a_budget_that_runs_out_ends_with_what_is_kept(
    place: DataDir, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve(lambda number, request: good_subset(request)) as server:
        use_model(place, server.url)
        settings = place.root / "registry" / "settings.yaml"
        settings.write_text(
            settings.read_text().replace("input_usd_per_million: 0", "input_usd_per_million: 1e6")
        )
        assert run() == 3
        assert server.requests == []
    assert "the budget of 5 USD a run is less than one call may cost" in capsys.readouterr().err


def test_without_a_published_day_the_command_to_run_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CASELAW_DATA", str(tmp_path))
    assert run() == 3
    assert "no day is published; run: make backfill" in capsys.readouterr().err


def test_the_latest_day_that_has_traces_is_judged(
    place: DataDir, capsys: pytest.CaptureFixture[str]
) -> None:
    for table in (REDACTED_TRACES, STRATIFIED_SAMPLES):
        empty = Provenance(Counts("traces", 0, 0))
        Lake(place).publish(table, day("2026-11-11"), table.empty(), empty)
    assert run("--traces", "2") == 0
    assert "on 2 conversations of 2026-11-10" in capsys.readouterr().out
    assert run("--day", "2026-11-11") == 3
    assert "no conversation on 2026-11-11 to judge again" in capsys.readouterr().err
