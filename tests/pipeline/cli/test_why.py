"""`caselaw why`: a decision, its scores and its reasons, as a person reads them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipeline.cli.main import main
from pipeline.datadir import DataDir
from pipeline.lake import Lake
from pipeline.provenance import Counts, Provenance
from pipeline.review.annotations import Annotation, write_annotation
from pipeline.tables import EVAL_SUITE, PROMOTED_CASES
from pipeline.windows import day
from tests.pipeline.promotion.hand_made import MONDAY, Chat, apart, creeps, decisions, slow

PAGE = Path(__file__).resolve().parents[3] / "docs" / "cases.md"


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setenv("CASELAW_DATA", str(tmp_path))
    return Lake(DataDir(tmp_path))


def publish(lake: Lake, *days: Sequence[Chat], slow: pl.DataFrame | None = None) -> None:
    for number, chats in enumerate(days):
        when = MONDAY + timedelta(days=number)
        frame = decisions(chats, day=when, slow=slow).frame
        counts = Counts("candidates", frame.height, frame.height)
        lake.publish(PROMOTED_CASES, day(when), frame, Provenance(counts, {"x": "1"}))


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["why", *words])
    printed = capsys.readouterr()
    return int(stopped.value.code or 0), printed.out + printed.err


def test_the_page_shows_what_the_command_prints(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(lake, [apart(0)])
    status, out = told(capsys, "t0")
    assert status == 0
    shown = re.search(r"```\n(case-.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert shown
    mode = re.compile(r"mode [\w-]+")
    assert mode.sub("mode", out) == mode.sub("mode", shown.group(1))


def test_of_a_slow_failure_it_tells_the_trend_and_that_no_check_failed(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    crept = creeps(slow("track_parcel", "retries", 0.1))
    publish(lake, [apart(0, fails={}, calls=("ok", "ok"))], slow=crept)
    status, out = told(capsys, "t0")
    assert status == 0
    assert "slow_failure_retries in trace t0, which passed every check, mode fm-" in out
    assert "  - Retries of track_parcel have crept up since the week of 2026-09-14, from 0.1" in out


def test_a_case_is_found_by_its_id_and_by_how_that_begins(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    twin = Chat("late", asked="Where is my parcel 9, please, I have waited for days?")
    publish(lake, [Chat("early", asked=twin.asked)], [twin])
    name = decisions([Chat("early", asked=twin.asked)]).frame["case_id"][0]
    row = {"case_id": name, "status": "active", "occurrences": 2, "edited": False}
    row |= {"first_day": MONDAY, "last_day": MONDAY + timedelta(days=1)}
    rows = [dict.fromkeys(EVAL_SUITE.columns) | row]
    frame = pl.DataFrame(rows, schema=EVAL_SUITE.schema)
    lake.publish(EVAL_SUITE, None, frame, Provenance(Counts("candidates", 1, 1), {"x": "1"}))
    for wanted in (name, name[:10]):
        status, out = told(capsys, wanted)
        assert status == 0
        assert out.startswith(f"{name}: in the suite, active; its day said: rejected on 2026-11-02")
        assert "In the suite: active, occurrences: 2, from 2026-11-02 to 2026-11-03." in out
        assert "all days together showed the pattern" in out


def test_of_a_case_that_stays_out_it_names_those_that_tell_the_same_lesson(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(lake, [apart(0)])
    decided = decisions([apart(0)]).frame.row(0, named=True)
    of_it = {"failure_mode_id": decided["failure_mode_id"], "intent": decided["intent"]}
    listed = [
        {"case_id": "case-same", "status": "active", **of_it},
        {"case_id": "case-gone", "status": "retired", **of_it},
        {"case_id": "case-else", "status": "active", **of_it, "intent": "refund_request"},
    ]
    rows = [dict.fromkeys(EVAL_SUITE.columns) | row for row in listed]
    frame = pl.DataFrame(rows, schema=EVAL_SUITE.schema)
    lake.publish(EVAL_SUITE, None, frame, Provenance(Counts("candidates", 3, 3), {"x": "1"}))
    out = told(capsys, "t0")[1]
    assert "The suite's cases of this mode and intent: case-same.\n" in out


def test_how_people_voted_is_told(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    publish(lake, [apart(0)])
    assert "People:" not in told(capsys, "t0")[1]
    for who, verdict, blind in (("a", "bad", True), ("b", "bad", False), ("c", "good", True)):
        said = Annotation(trace_id="t0", verdict=verdict, annotator_id=who, blind=blind,
                          annotated_at=datetime(2026, 11, 3, 9, tzinfo=UTC))  # fmt: skip
        write_annotation(lake.place.annotations, said)
        if who == "a":
            out = told(capsys, "t0")[1]
            assert "1 said that it failed, 0 that it did not: to bring it in, somebody" in out
    out = told(capsys, "t0")[1]
    assert "People: 2 said that it failed, 1 that it did not: that brings it into" in out


def test_a_promoted_case_says_what_speaks_for_it(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(lake, [apart(n) for n in range(3)])
    status, out = told(capsys, "t0")
    assert status == 0
    assert ": promoted on 2026-11-02\n" in out
    assert "Because\n  - A pattern: 3 traces of this mode today.\n" in out
    assert out.count("Tried out") == 1
    assert "Not in the suite under this id" in out


def test_all_cases_of_a_trace_are_told(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    publish(lake, [apart(0, fails={"right_tool": "rule", "tone": "judge"})])
    status, out = told(capsys, "t0")
    assert (status, len(re.findall("^case-", out, re.MULTILINE))) == (0, 2)
    assert "blocked by: low_score (the mean score is too low), no_pattern" in out
    assert "untrusted_judge (only an untrusted judge says so)" in out


def test_an_id_that_means_nothing_or_too_much_is_refused(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out = told(capsys, "t0")
    assert status == 3
    assert "promoted_cases has no day yet" in out
    publish(lake, [Chat("parcel-1"), Chat("parcel-2", asked="I never got that green lamp")])
    for wanted, words in (("parcel", "2 ids begin with"), ("t", "nothing was decided on 't'")):
        status, out = told(capsys, wanted)
        assert status == 2
        assert words in out
