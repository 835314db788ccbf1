"""Raw data past its period goes, with a receipt; what younger days need stays."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pydantic import ValidationError

from pipeline.cli.main import cli
from pipeline.datadir import COMMITTED, DataDir
from pipeline.grading.ledger import CallRecord, Ledger, Limits
from pipeline.ingest import assemble_day, landed_files
from pipeline.ingest.index.landed import content_folder, notes_folder
from pipeline.lake import Lake
from pipeline.provenance import Counts, Provenance
from pipeline.redaction.replacement.keys import load_key
from pipeline.registry import load_registry
from pipeline.registry.settings import Privacy
from pipeline.retention import (
    ClockAhead,
    PastRetention,
    drop_expired,
    footprint,
    kept_from,
    privacy_today,
    require_kept,
)
from pipeline.tables import QUARANTINED_RECORDS, RAW_TRACES
from pipeline.windows import Window, day
from tests.pipeline.ingest.spans import chat, drop, message, request, span

TODAY = datetime.now(UTC).date()
SECRET = "Mia Li's dog is called Rex"


def ago(days: int) -> Window:
    return day(TODAY - timedelta(days=days))


def land(place: DataDir, name: str, days: int, trace: int, hour: int = 12) -> Path:
    """A landing file of one conversation that began so many days ago."""
    start = ago(days).start + timedelta(hours=hour)
    said = chat(trace, 1, [message("user", SECRET)], [message("assistant", "Good")], start=start)
    return drop(place, name, request(said))


def publish(place: DataDir, window: Window) -> None:
    """Publish the day's raw tables, as the asset does."""
    with assemble_day(place, window, load_registry(place.registry, window), b"k" * 32) as found:
        require_kept(place, window, found.counts.records_in)
        held = Provenance(found.counts, found.files)
        Lake(place).publish(QUARANTINED_RECORDS, window, found.quarantined, held, "ingest")
        Lake(place).publish(RAW_TRACES, window, found.frames(), held)


def expire(place: DataDir, **periods: int) -> dict[str, object]:
    """Run retention with these periods; returns the receipt."""
    return drop_expired(place, footprint(place, Privacy(**periods), TODAY)).body


def caselaw(place: DataDir, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--data", str(place.root), *words])


def bytes_below(folder: Path) -> bytes:
    return b"\0".join(p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file())


@pytest.fixture
def two_days(place: DataDir) -> DataDir:
    """One day of 40 days ago and one of 5 days ago, landed and published."""
    land(place, "old of mia@example.org.jsonl", 40, 1)
    land(place, "new.jsonl", 5, 2)
    publish(place, ago(40))
    publish(place, ago(5))
    return place


# --- what goes and what stays ----------------------------------------------------------------


def test_what_is_past_its_period_goes_from_landing_index_and_raw(two_days: DataDir) -> None:
    receipt = expire(two_days)
    assert [p.name for p in two_days.landing.iterdir()] == ["new.jsonl"]
    assert Lake(two_days).windows(RAW_TRACES) == [ago(5)]
    assert Lake(two_days).windows(QUARANTINED_RECORDS) == [ago(5)]
    assert len(list(content_folder(two_days).iterdir())) == 1
    assert len(list(notes_folder(two_days).iterdir())) == 1
    assert not list((two_days.raw / "landing_index" / "plans").iterdir())
    dropped = receipt["dropped"]
    assert isinstance(dropped, dict)
    assert {kind: told.get("partitions", told.get("files")) for kind, told in dropped.items()} == {
        "raw_traces": 1, "quarantine": 1, "landing": 1, "judge_cache": None,
    }  # fmt: skip
    assert list(dropped["raw_traces"]["digests"]) == [ago(40).key]
    # The younger day is still whole: it runs again, from what lies there.
    publish(two_days, ago(5))


def test_the_receipt_names_nobody_and_is_closed_to_others(two_days: DataDir) -> None:
    expire(two_days)
    (path,) = two_days.receipts.iterdir()
    text = path.read_text()
    assert json.loads(text)["state"] == "finished"
    assert "mia" not in text.casefold()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_last_day_of_the_period_is_kept(place: DataDir) -> None:
    for days in (30, 31):
        Lake(place).publish(RAW_TRACES, ago(days), RAW_TRACES.empty(), _nothing())
    expire(place)
    assert Lake(place).windows(RAW_TRACES) == [ago(30)]


def _nothing() -> Provenance:
    return Provenance(Counts("records", 0, 0))


def test_a_file_is_as_old_as_its_latest_record(place: DataDir) -> None:
    old = land(place, "mixed.jsonl", 40, 1).read_text()
    new = land(place, "other.jsonl", 3, 2).read_text()
    drop(place, "mixed.jsonl", old.strip(), new.strip())
    (place.landing / "other.jsonl").unlink()
    landed_files(place, 2**20)
    expire(place)
    assert (place.landing / "mixed.jsonl").exists()


def test_the_day_before_the_first_kept_one_stays_in_landing(place: DataDir) -> None:
    # A conversation of the first kept day may have begun on it.
    for days in (31, 32):
        land(place, f"{days}.jsonl", days, days)
    landed_files(place, 2**20)
    expire(place)
    assert [p.name for p in place.landing.iterdir()] == ["31.jsonl"]


def test_a_file_with_a_late_verdict_stays(place: DataDir) -> None:
    verdict = {
        "timeUnixNano": str(int(ago(2).start.timestamp() * 1e9)), "traceId": f"{1:032x}",
        "eventName": "gen_ai.evaluation.result",
        "attributes": [{"key": "gen_ai.evaluation.name", "value": {"stringValue": "helpful"}}],
    }  # fmt: skip
    drop(place, "v.jsonl", json.dumps(
        {"resourceLogs": [{"scopeLogs": [{"logRecords": [verdict]}]}]}))  # fmt: skip
    landed_files(place, 2**20)
    expire(place)
    assert (place.landing / "v.jsonl").exists()


def test_a_record_of_the_future_does_not_keep_its_file_for_ever(place: DataDir) -> None:
    ahead = datetime.now(UTC) + timedelta(days=3000)
    path = drop(place, "skewed.jsonl", request(span(1, 1, start=ahead)))
    os.utime(path, (time.time() - 40 * 86400,) * 2)
    landed_files(place, 2**20)
    expire(place)
    assert not path.exists()


def test_a_file_that_was_never_read_goes_by_its_arrival(place: DataDir) -> None:
    arrived_long_ago, today = land(place, "a/b/a.jsonl", 1, 1), land(place, "b.jsonl", 90, 2)
    os.utime(arrived_long_ago, (time.time() - 40 * 86400,) * 2)
    expire(place)
    assert not (place.landing / "a").exists()  # nor the folders it leaves empty
    assert today.exists()


def test_each_kind_may_have_its_own_period(two_days: DataDir) -> None:
    expire(two_days, landing_days=60, quarantine_days=60)
    assert (two_days.landing / "new.jsonl").exists()
    assert len(list(two_days.landing.iterdir())) == 2
    assert Lake(two_days).windows(QUARANTINED_RECORDS) == [ago(40), ago(5)]
    assert Lake(two_days).windows(RAW_TRACES) == [ago(5)]


def test_answers_of_the_judge_go_by_when_they_were_given(place: DataDir) -> None:
    ledger = Ledger(place.ledger)
    for name in ("old", "new"):
        call = ledger.reserve("run", "judge", name, "t", 0.1, Limits(1, 1))
        ledger.settle(call, CallRecord("answered", 0.1, 5.0))
        ledger.keep("judge", name, f"{name} reason: {SECRET}")
    long_ago = (datetime.now(UTC) - timedelta(days=40)).isoformat(timespec="microseconds")
    ledger._connection.execute("UPDATE calls SET started_at = ? WHERE content = 'old'", [long_ago])
    ledger.hit("run", "judge", "old", "t")  # being asked for again makes it no younger
    receipt = expire(place)
    assert receipt["dropped"]["judge_cache"]["answers"] == 1  # type: ignore[index]
    assert ledger.answer("judge", "old") is None
    assert ledger.answer("judge", "new") is not None
    assert ledger.spent("run") == pytest.approx(0.2)  # what was paid stays in the books
    ledger.close()
    assert b"old reason" not in bytes_below(place.ledger)


def test_what_killed_processes_left_goes_too_and_nothing_of_others(place: DataDir) -> None:
    land(place, "new.jsonl", 2, 1)
    torn = place.landing / ".x.jsonl.999999.0123abcd.tmp"
    never = place.raw / "raw_traces" / "day=2026-12-31" / ".part-0.parquet.999999.0123abcd.tmp"
    never.parent.mkdir(parents=True)
    theirs = place.landing / ".rsync.tmp"
    for path in (torn, never, theirs):
        path.write_text(SECRET)
    expire(place)
    assert not torn.exists()
    assert not never.exists()
    assert theirs.exists()


# --- a day without its raw data ---------------------------------------------------------------


def test_what_people_put_among_the_partitions_stays_and_is_told(
    two_days: DataDir, tmp_path: Path
) -> None:
    """A copy, dates in other forms, a note, a link to another disk: none is a partition of ours."""
    folder = two_days.raw / "raw_traces"
    kept = [
        "day=2020-01-01-copy",
        "day=backup",
        "day=20200101",
        "day=2020-W01-1",
        "week=2020-01-06",
    ]
    for name in kept:
        (folder / name).mkdir()
        (folder / name / "part-0.parquet").write_bytes(b"x")
    (folder / "README").write_text("Copies are mine.")
    (tmp_path / "other_disk").mkdir()
    (tmp_path / "other_disk" / "part-0.parquet").write_bytes(b"x")
    (folder / "day=2020-01-02").symlink_to(tmp_path / "other_disk")
    told = caselaw(two_days, "retention")
    assert told.exit_code == 0, told.output
    for name in (*kept, "README", "day=2020-01-02"):
        assert (folder / name).exists()
        assert f"{folder / name} is no partition and stays" in told.stderr
    assert (tmp_path / "other_disk" / "part-0.parquet").exists()
    assert Lake(two_days).windows(RAW_TRACES) == [day("2020-01-02"), ago(5)]


def test_a_clock_far_ahead_drops_nothing_unless_a_person_says_that_it_is_right(
    two_days: DataDir,
) -> None:
    ahead = TODAY + timedelta(days=2 * 366)
    before = bytes_below(two_days.raw) + bytes_below(two_days.landing)
    found = footprint(two_days, Privacy(), ahead)
    with pytest.raises(ClockAhead, match=f"the latest is of {ago(5).key}"):
        drop_expired(two_days, found)
    assert bytes_below(two_days.raw) + bytes_below(two_days.landing) == before
    assert kept_from(two_days) is None
    assert not two_days.receipts.exists()
    drop_expired(two_days, found, clock_is_right=True)
    assert Lake(two_days).windows(RAW_TRACES) == []


def test_a_dropped_day_is_refused_and_not_made_empty(two_days: DataDir) -> None:
    expire(two_days)
    with pytest.raises(PastRetention, match=r"has passed its retention.*published of that day"):
        publish(two_days, ago(40))
    assert not Lake(two_days).exists(RAW_TRACES, ago(40))
    with pytest.raises(PastRetention):  # a later stage that needs it says so too
        Lake(two_days).read(RAW_TRACES, ago(40))
    # so does a day of which nothing was ever there: who knows what it had?
    with pytest.raises(PastRetention):
        publish(two_days, ago(50))


def test_a_longer_period_lets_a_day_run_that_lands_again(
    two_days: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    expire(two_days)
    longer = Privacy(retention_days=90)
    monkeypatch.setattr("pipeline.retention.mark.privacy_today", lambda place: longer)
    with pytest.raises(PastRetention):
        publish(two_days, ago(40))
    land(two_days, "again.jsonl", 40, 1)
    publish(two_days, ago(40))
    assert Lake(two_days).read(RAW_TRACES, ago(40)).height == 1


def test_nothing_is_refused_where_retention_never_ran(place: DataDir) -> None:
    land(place, "pilot of last year.jsonl", 200, 1)
    publish(place, ago(200))
    assert kept_from(place) is None
    expire(place, retention_days=365)
    assert kept_from(place) is None
    publish(place, ago(201))


def test_the_mark_never_goes_back(two_days: DataDir) -> None:
    expire(two_days)
    before = kept_from(two_days)
    land(two_days, "older.jsonl", 300, 3)
    landed_files(two_days, 2**20)
    expire(two_days, retention_days=200)
    assert kept_from(two_days) == before == TODAY - timedelta(days=30)


# --- the command ------------------------------------------------------------------------------


def test_a_dry_run_tells_the_same_and_changes_nothing(two_days: DataDir) -> None:
    load_key(two_days.keys / "content.key", {}, create=True)
    land(two_days, "never run.jsonl", 45, 4)
    landed_files(two_days, 64 * 2**20)
    before = bytes_below(two_days.root)
    told = caselaw(two_days, "retention", "--dry-run")
    assert told.exit_code == 0, told.output
    assert bytes_below(two_days.root) == before
    lines = [line.split() for line in told.output.splitlines()]
    (landing,) = [line for line in lines if line[0] == "landing"]
    assert (landing[1], landing[2], landing[4], landing[7]) == ("30", "2", "1", ago(5).key)
    assert f"1 day that never ran would go with it: {ago(45).key}" in told.output
    done = caselaw(two_days, "retention")
    assert done.output.splitlines()[:5] == told.output.splitlines()[:5]
    assert "Receipt: " in done.output
    assert SECRET.encode() not in bytes_below(two_days.receipts)


def test_landing_an_old_file_where_retention_is_used_warns(
    two_days: DataDir, tmp_path: Path
) -> None:
    expire(two_days)
    old = land(DataDir(tmp_path / "elsewhere"), "x.jsonl", 45, 9)
    told = caselaw(two_days, "land", str(old))
    assert f"Past their retention: 1 day ({ago(45).key} to {ago(45).key})" in told.output
    assert "make backfill" not in told.output


def test_the_committed_settings_have_a_period() -> None:
    assert privacy_today(DataDir(COMMITTED)).retention_days == 30


@pytest.mark.parametrize("days", [6, 36_501, 10**9])
def test_a_period_of_less_than_a_week_or_more_than_a_century_is_refused(days: int) -> None:
    for kind in ("retention", "landing", "raw_traces", "quarantine", "judge_cache"):
        with pytest.raises(ValidationError):
            Privacy.model_validate({f"{kind}_days": days})


# --- killed midway ----------------------------------------------------------------------------

# Retention in a process of its own that is killed as it removes the second thing it drops.
_KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline.datadir import DataDir
from pipeline.registry.settings import Privacy
from pipeline.retention import dropping, footprint
from datetime import date
real, seen = dropping._remove, []
def remove(place, piece):
    seen.append(piece)
    if len(seen) == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    real(place, piece)
dropping._remove = remove
place = DataDir(Path(sys.argv[1]))
dropping.drop_expired(place, footprint(place, Privacy(), date.fromisoformat(sys.argv[2])))
"""


@pytest.mark.parametrize("at", [1, 2, 3])
def test_killed_midway_the_next_run_drops_the_rest(two_days: DataDir, at: int) -> None:
    command = [sys.executable, "-c", _KILLED, str(two_days.root), TODAY.isoformat(), str(at)]
    done = subprocess.run(command, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    with pytest.raises(PastRetention):  # whatever is still there, the day is refused already
        publish(two_days, ago(40))
    expire(two_days)
    assert Lake(two_days).windows(RAW_TRACES) == [ago(5)]
    assert [p.name for p in two_days.landing.iterdir()] == ["new.jsonl"]
    states = [json.loads(p.read_text())["state"] for p in sorted(two_days.receipts.iterdir())]
    assert states == ["begun", "finished"]


@pytest.mark.parametrize("torn", ["", "{", "[]", '{"day": 7}', '{"day": "soon"}'])
def test_a_torn_mark_is_refused_with_what_to_do(two_days: DataDir, torn: str) -> None:
    expire(two_days)
    mark = two_days.raw / "kept_from.json"
    mark.write_text(torn)
    with pytest.raises(PastRetention, match=r"kept_from.json cannot be read.*raw_kept_from"):
        expire(two_days)
    with pytest.raises(PastRetention):
        require_kept(two_days, day("2026-11-20"))


def test_a_half_removed_partition_goes(two_days: DataDir) -> None:
    folder = two_days.raw / "raw_traces" / str(ago(40))
    (folder / "part-0.parquet").unlink()
    expire(two_days)
    assert not folder.exists()
