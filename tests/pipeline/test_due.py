"""What is missing, and why: read off what published files were made from."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from datetime import date, timedelta

import pytest

from pipeline.cli.main import main
from pipeline.datadir import COMMITTED, DataDir
from pipeline.due import look_for_due
from pipeline.ingest import landed_files
from pipeline.lake import Lake
from pipeline.made_from import DAILY, WEEKLY, outdated
from pipeline.provenance import Counts, Provenance
from pipeline.registry import RegistryError, load_registry
from pipeline.tables import (
    EVAL_SUITE,
    GRADES,
    PROMOTED_CASES,
    RAW_TRACES,
    RUN_SUMMARIES,
    SLOW_FAILURES,
    Table,
)
from pipeline.windows import Window, day, days_between, week
from tests.pipeline.ingest.spans import drop, request, span

MONDAY, SUNDAY = date(2026, 11, 2), date(2026, 11, 8)
WEEK = week(MONDAY)
SAMPLING = load_registry(COMMITTED / "registry", MONDAY).digests["settings.sampling"]
NEXT = SUNDAY + timedelta(days=1)


def publish(place: DataDir, table: Table, window: Window | None, *of: tuple[Table, Window]) -> None:
    """An empty partition that says it was made of others as they are now."""
    lake = Lake(place)
    inputs = {k: v for source, made in of for k, v in lake.digests(source, [made]).items()}
    if table is RAW_TRACES and place.landing.is_dir():
        files = landed_files(place, 2**20)
        inputs |= {f"landing/{file.sha256[:12]}": file.sha256 for file in files}
    registry = {"settings.sampling": SAMPLING} if table is GRADES else {}
    lake.publish(table, window, table.empty(), Provenance(Counts("rows", 0, 0), inputs, registry))


def publish_day(place: DataDir, window: Window) -> None:
    """Each table of a day, made of the one before it."""
    before: list[tuple[Table, Window]] = []
    for table in DAILY:
        publish(place, table, window, *before)
        before = [(table, window)]


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> DataDir:
    """Monday to Sunday run, closed and published."""
    place = DataDir(tmp_path_factory.mktemp("whole"))
    for window in days_between(MONDAY, SUNDAY):
        publish_day(place, window)
    for table in WEEKLY:
        publish(place, table, WEEK, *((GRADES, one) for one in WEEK.days))
    publish(place, EVAL_SUITE, None, *((PROMOTED_CASES, one) for one in WEEK.days))
    return place


@pytest.fixture
def whole(once: DataDir, place: DataDir) -> DataDir:
    """A copy of it, to be changed."""
    shutil.copytree(once.root, place.root)
    return place


def change_settings(place: DataDir, since: str, what: str) -> None:
    """A registry of its own whose settings say something else from a day on."""
    shutil.copytree(COMMITTED / "registry", place.root / "registry")
    with (place.root / "registry" / "settings.yaml").open("a", encoding="utf-8") as settings:
        settings.write(f"\n  - effective_from: {since}\n    {what}\n")


def told(place: DataDir, today: date = NEXT) -> list[str]:
    return list(look_for_due(place, today).told())


def test_nothing_is_missing_where_all_was_run(whole: DataDir) -> None:
    assert told(whole) == ["Nothing is missing."]
    assert outdated(whole) == {}


def test_nothing_at_all_is_no_reason_to_run(place: DataDir) -> None:
    assert told(place) == ["Nothing is missing."]


def test_missed_days_are_told_in_stretches_and_close_their_week(whole: DataDir) -> None:
    shutil.rmtree(whole.lake / "grades" / "day=2026-11-03")
    due = look_for_due(whole, date(2026, 11, 18))  # the daemon was down for nine days
    assert list(due.told()) == [
        "2026-11-03: stopped before grades",
        "2026-11-09 to 2026-11-17: never run",
        "the week of 2026-11-09: never run",
    ]


def test_days_that_landed_are_missing_before_anything_was_run(place: DataDir) -> None:
    drop(place, "a.jsonl", request(span(1, 1)))  # of Monday
    assert told(place, date(2026, 11, 5)) == ["2026-11-02 to 2026-11-04: never run"]


def test_what_landed_late_makes_its_day_due(whole: DataDir) -> None:
    late = drop(whole, "late.jsonl", request(span(1, 1)))
    os.utime(late, (0, 0))
    assert told(whole) == ["2026-11-02: late files"]


def test_a_kill_between_two_steps_is_seen_though_every_file_is_there(whole: DataDir) -> None:
    """The day was run again and stopped after its second step."""
    table, window = RUN_SUMMARIES, day(SUNDAY)
    of_before = {"grades/day=2026-11-08/part-0.parquet": "the digest of what was there"}
    made = Provenance(Counts("rows", 0, 0), of_before)
    Lake(whole).publish(table, window, table.empty(), made)
    assert told(whole) == ["2026-11-08: grades is newer than run_summaries"]


def test_a_torn_file_is_due_and_stops_nothing_else(whole: DataDir) -> None:
    for name in ("raw/raw_traces", "lake/run_summaries"):
        (whole.root / name / "day=2026-11-05" / "part-0.parquet").write_bytes(b"torn")
    assert told(whole) == ["2026-11-05: raw_traces cannot be read"]


def test_a_week_with_the_columns_of_another_version_is_closed_again(whole: DataDir) -> None:
    columns = {n: c for n, c in SLOW_FAILURES.columns.items() if n != "since"}
    table = replace(SLOW_FAILURES, columns=columns)
    Lake(whole).publish(table, WEEK, table.empty(), Provenance(Counts("rows", 0, 0)))
    assert told(whole) == [
        "the week of 2026-11-02: slow_failures has the columns of another version",
    ]


def test_a_week_whose_days_were_run_again_is_to_be_closed_again(whole: DataDir) -> None:
    lake = Lake(whole)
    counts = Provenance(Counts("rows", 0, 0), {"model": "another"})
    lake.publish(GRADES, day("2026-11-04"), GRADES.empty(), counts)
    assert told(whole) == [
        "2026-11-04: grades is newer than failure_mode_clusters",
        "the week of 2026-11-02: grades is newer than failure_modes",
    ]


def test_a_suite_of_other_decisions_is_due_by_itself(whole: DataDir) -> None:
    suite = whole.lake / "eval_suite"
    (suite / "part-0.parquet").write_bytes(b"torn")
    assert told(whole) == ["the suite: made of other decisions than there are now"]
    shutil.rmtree(suite)
    assert told(whole) == ["the suite: made of other decisions than there are now"]


def test_days_whose_raw_data_was_dropped_are_not_asked_for(whole: DataDir) -> None:
    shutil.rmtree(whole.raw / "raw_traces" / "day=2026-11-02")
    (whole.raw / "kept_from.json").write_text(json.dumps({"day": "2026-11-04"}))
    change_settings(whole, "2025-01-06", "privacy: {retention_days: 7}")
    assert told(whole) == ["Nothing is missing."]


def test_a_named_pipe_in_the_registry_is_named_and_not_waited_for(whole: DataDir) -> None:
    change_settings(whole, "2026-11-04", "sampling: {budget_per_day: 40}")
    (whole.root / "registry" / "rules.yaml").unlink()
    os.mkfifo(whole.root / "registry" / "rules.yaml")
    with pytest.raises(RegistryError, match=r"rules\.yaml: no regular file"):
        look_for_due(whole, NEXT)


def test_a_changed_registry_is_told_with_the_command_that_takes_it_in(
    whole: DataDir, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    change_settings(whole, "2026-11-04", "sampling: {budget_per_day: 40}")
    assert outdated(whole) == {one: ["settings.sampling"] for one in WEEK.days[2:]}
    monkeypatch.setenv("CASELAW_DATA", str(whole.root))
    with pytest.raises(SystemExit) as stopped:
        main(["plan"])
    assert stopped.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith("2026-11-09 to ")  # the days up to yesterday
    assert "Made before this changed (settings.sampling): 5 days, from 2026-11-04 on." in said
    assert f"make restate CASELAW_DATA={whole.root} FROM=2026-11-04\n" in said
    assert said.endswith(f"Run it with: make backfill CASELAW_DATA={whole.root}\n")
