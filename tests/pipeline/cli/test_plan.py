"""`caselaw plan`: calls and cost of a backfill before it is done."""

from __future__ import annotations

from pathlib import Path

import orjson
import polars as pl
import pytest

from pipeline.calibration import run_canaries
from pipeline.cli.main import main
from pipeline.datadir import DataDir
from pipeline.grading import grade_traces, make_judge
from pipeline.grading.forecast import Price, forecast_days
from pipeline.lake import Lake
from pipeline.provenance import Counts, Provenance
from pipeline.registry import load_registry
from pipeline.tables import GRADES, RAW_TRACES
from tests.pipeline.cli.test_judge import DAY, place, use_model
from tests.pipeline.grading.judge_server import serve
from tests.pipeline.grading.test_judge_money import good_subset
from tests.pipeline.grading.traces import agent, redacted, row, samples, user

__all__ = ["place"]  # a fixture


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(["plan", *words])
    return int(stopped.value.code or 0)


def something_lies_in_landing(root: Path) -> None:
    """A file that nobody has read yet: it may tell of any day."""
    (root / "landing").mkdir(exist_ok=True)
    (root / "landing" / "not_read_yet.jsonl").write_text("{}\n")


def test_without_anything_published_the_budget_of_the_day_is_the_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CASELAW_DATA", str(tmp_path))
    something_lies_in_landing(tmp_path)
    assert run("--from", "2026-11-02", "--to", "2026-11-03") == 0
    told = capsys.readouterr().out
    assert "About 400 calls in 2 days. Judge: embedded-" in told
    assert "It costs nothing." in told
    assert told.endswith(f"make backfill CASELAW_DATA={tmp_path} FROM=2026-11-02 TO=2026-11-03\n")


def test_a_day_of_which_nothing_landed_asks_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CASELAW_DATA", str(tmp_path))
    chat = {"messages": [{"role": "user", "content": "Hi"}]}
    (tmp_path / "chat.jsonl").write_bytes(orjson.dumps(chat))
    with pytest.raises(SystemExit):
        main(["land", str(tmp_path / "chat.jsonl"), "--day", "2026-11-03"])
    capsys.readouterr()
    assert run("--from", "2026-11-02", "--to", "2026-11-03") == 0
    told = capsys.readouterr().out
    assert "About 1 call in 2 days." in told  # no file makes more conversations than records
    lines = [line.split() for line in told.splitlines()]
    assert ["2026-11-02", "nothing", "landed", "0", "0", "0"] in lines
    assert ["2026-11-03", "to", "be", "sampled", "1", "1", "0"] in lines


def test_of_a_small_day_that_was_read_no_more_can_be_drawn_than_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CASELAW_DATA", str(tmp_path))
    something_lies_in_landing(tmp_path)
    rows = pl.DataFrame([{"trace_id": "t1"}, {"trace_id": "t2"}])
    empty = RAW_TRACES.empty()
    columns = [pl.lit(None, kind).alias(n) for n, kind in empty.schema.items() if n != "trace_id"]
    raw = rows.with_columns(columns).select(empty.columns)
    lake = Lake(DataDir(tmp_path))
    lake.publish(RAW_TRACES, DAY, raw, Provenance(Counts("traces", 2, 2)))
    assert run("--from", DAY.key) == 0
    assert "About 2 calls in 1 day." in capsys.readouterr().out


def test_a_graded_day_costs_nothing_again_and_tells_what_the_next_will(
    place: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """Six conversations, one barred by a rule: five of six reach the judge, at 0.012 USD each."""
    assert isinstance(place, DataDir)
    lake = Lake(place)
    rows = [row(user(f"Question {n}?"), agent(f"It is {n}."), trace_id=f"t{n}") for n in range(5)]
    rows.append(row(user("And?"), agent("It is on its", "length"), trace_id="t5"))
    with serve(lambda number, request: good_subset(request)) as server:
        use_model(place, server.url)
        path = place.root / "registry" / "settings.yaml"
        priced = path.read_text().replace("input_usd_per_million: 0", "input_usd_per_million: 10")
        path.write_text(priced.replace("output_usd_per_million: 0", "output_usd_per_million: 20"))
        registry = load_registry(place.registry, DAY)
        judge = make_judge(registry, place.ledger)
        graded = grade_traces(redacted(*rows), samples(*rows), registry, judge)
    count = Counts("grades", graded.frame.height, graded.frame.height)
    lake.publish(GRADES, DAY, graded.frame, Provenance(count))
    something_lies_in_landing(place.root)
    assert run("--from", "2026-11-10", "--to", "2026-11-11") == 0
    told = capsys.readouterr().out
    lines = [line.split() for line in told.splitlines()]
    assert ["2026-11-10", "graded", "6", "0", "0"] in [line[:5] for line in lines]
    # 200 * 5/6 = 167 calls at 1,000 tokens in (10 USD a million) and 100 out (20): 0.012 USD
    assert "A call costs 0.0120 USD, the mean of 5 answered ones." in told
    assert "About 167 calls in 2 days." in told
    assert "About 2.00 USD in all; the budgets allow 5 a run." in told
    # of 12 records six came after the day was graded: 5/6 of those reach the judge
    days = [(DAY, registry)]
    (late,) = forecast_days(lake, days, judge, Price(0.012, 5), {DAY.key: 12}, [DAY])
    assert (late.state, late.traces, late.calls) == ("late files", 12, 5)


def test_today_and_a_range_that_ends_before_it_begins_are_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CASELAW_DATA", str(tmp_path))
    assert run("--from", "2026-11-03", "--to", "2026-11-02") == 2
    assert run("--from", "2999-01-01") == 2
    assert "no later than yesterday" in capsys.readouterr().err


def test_a_week_that_is_completed_counts_the_attacks_on_a_new_judge(
    place: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """Four known failures, each plain and with 32 injected orders: asked once, then kept."""
    assert isinstance(place, DataDir)
    canaries = "And 132 calls about known failures, when the week is closed."
    with serve(lambda number, request: good_subset(request)) as server:
        use_model(place, server.url)
        assert run("--from", "2026-11-14") == 0  # a Saturday
        assert canaries not in capsys.readouterr().out
        assert run("--from", "2026-11-15") == 0
        assert canaries in capsys.readouterr().out
        run_canaries(make_judge(load_registry(place.registry, DAY), place.ledger))
        assert run("--from", "2026-11-15") == 0
    assert canaries not in capsys.readouterr().out
