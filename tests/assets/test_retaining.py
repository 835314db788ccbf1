"""Retention in Dagster: a weekly job, and days without raw data that no run makes empty."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from click.testing import CliRunner

from assets.backfill import main
from assets.definitions import build
from assets.execution import Outcome, Runner
from assets.plan import Task, restatement
from pipeline.datadir import DataDir
from pipeline.ingest import landed_files
from pipeline.ingest.staleness import stale_days
from pipeline.lake import Lake
from pipeline.registry.settings import Ingest, Privacy
from pipeline.retention import drop_expired, footprint
from pipeline.tables import RAW_TRACES
from pipeline.windows import Window, day
from tests.pipeline.ingest.spans import drop, request, span

TODAY = datetime.now(UTC).date()


def ago(days: int) -> Window:
    return day(TODAY - timedelta(days=days))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def raw_traces(place: DataDir, instance: dg.DagsterInstance, window: Window) -> Outcome:
    """Run raw_traces of a day as a backfill would."""
    job = dg.define_asset_job("only_raw", selection=["raw_traces"])
    defs = build(place)
    defs = dg.Definitions(assets=defs.assets, jobs=[job], resources=defs.resources)
    return Runner(defs, instance, "test").run(Task("only_raw", (window,)), lambda what, text: None)


@pytest.fixture
def two_days(place: DataDir, instance: dg.DagsterInstance) -> DataDir:
    """A day of 40 days ago and one of 5 days ago, landed and published."""
    for days in (40, 5):
        drop(place, f"{days}.jsonl", request(span(days, 1, start=ago(days).start)))
        assert raw_traces(place, instance, ago(days)).errors == []
    return place


def test_the_job_drops_and_leaves_a_receipt(
    two_days: DataDir, instance: dg.DagsterInstance
) -> None:
    job = build(two_days).resolve_job_def("retention")
    assert job.execute_in_process(instance=instance).success
    assert [p.name for p in two_days.landing.iterdir()] == ["5.jsonl"]
    assert Lake(two_days).windows(RAW_TRACES) == [ago(5)]
    assert len(list(two_days.receipts.iterdir())) == 1


def test_it_runs_after_last_week_was_closed(place: DataDir) -> None:
    defs = build(place)
    weekly, retention = (defs.resolve_schedule_def(n) for n in ("weekly", "retention"))
    assert retention.cron_schedule == "0 8 * * 1"
    assert weekly.cron_schedule == "0 4 * * 1"
    assert retention.execution_timezone == "UTC"


def test_a_dropped_day_fails_with_what_was_kept_and_what_to_do(
    two_days: DataDir, instance: dg.DagsterInstance
) -> None:
    drop_expired(two_days, footprint(two_days, Privacy(), TODAY))
    (told,) = raw_traces(two_days, instance, ago(40)).errors
    assert told.startswith(f"raw_traces day={ago(40).key}: raw data of {ago(40).key} has passed")
    assert "what later stages published of that day stays" in told
    assert "privacy.retention_days" in told
    assert Lake(two_days).windows(RAW_TRACES) == [ago(5)]


def test_a_backfill_of_dropped_days_is_refused_before_anything_runs(
    two_days: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop_expired(two_days, footprint(two_days, Privacy(), TODAY))
    monkeypatch.setenv("CASELAW_DATA", str(two_days.root))
    done = CliRunner().invoke(main, ["--from", ago(41).key, "--to", ago(5).key])
    assert done.exit_code == 2
    flat = " ".join(done.output.replace("│", " ").split())
    assert f"raw data from {ago(41).key} to {ago(31).key} has passed its retention" in flat
    assert f"FROM={ago(30).key}" in flat


def test_days_that_cannot_be_read_anew_are_neither_restated_nor_stale(
    two_days: DataDir, instance: dg.DagsterInstance
) -> None:
    # Raw traces are kept longer than what landed: the day is there, but cannot be made again.
    mixed = Privacy(landing_days=7, raw_traces_days=90)
    drop_expired(two_days, footprint(two_days, mixed, TODAY))
    assert Lake(two_days).windows(RAW_TRACES) == [ago(40), ago(5)]
    planned = [
        window for task in restatement(ago(40).first, Lake(two_days)) for window in task.windows
    ]
    assert planned == [ago(5)]
    for days in (40, 5):
        late = span(days, 2, parent=1, start=ago(days).start)
        drop(two_days, f"late-{days}.jsonl", request(late))
    files = landed_files(two_days, 2**26)
    stale = [one.window for one in stale_days(two_days, files, lambda window: Ingest())]
    assert stale == [ago(5)]
