"""`caselaw forget`: nothing is left of Ann anywhere, everything of Bo's is, and she stays out."""

from __future__ import annotations

import fcntl
import gzip
import json
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

from pipeline.cli.main import cli
from pipeline.datadir import DataDir
from pipeline.erasure import forgetting
from pipeline.erasure.finding import speakers_in
from pipeline.ingest import SourcesGone, landed_files
from pipeline.ingest.quarantine import drop_records
from pipeline.ingest.staleness import stale_days
from pipeline.ingest.suppression import erased_cases
from pipeline.lake import Lake
from pipeline.lease import working
from pipeline.provenance import Counts
from pipeline.registry import load_registry
from pipeline.suite import parse_suite
from pipeline.suite.file import read_tombstones
from pipeline.tables import (
    ALL,
    FAILURE_MODES,
    GRADES,
    MODE_RATES,
    MODE_STATES,
    PROMOTED_CASES,
    QUARANTINED_RECORDS,
    RAW_TRACES,
    RUN_SUMMARIES,
    SLOW_FAILURES,
)
from tests.pipeline.erasure.people import (
    ANN,
    ANNS_TRACES,
    BO,
    BOS_TRACES,
    everything_in,
    places_of,
    spans_of,
    trace_id,
    words_of,
)
from tests.pipeline.erasure.published import (
    ANNS_CASE,
    BOS_CASE,
    DAY,
    WEEK,
    key_of,
    publish_everything,
    run_ingest,
)
from tests.pipeline.erasure.test_rewriting import archive
from tests.pipeline.ingest.spans import drop, request

LARGEST = 64 * 2**20


def forget(place: DataDir, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--data", str(place.root), "forget", *words])


def receipts(place: DataDir) -> list[dict[str, Any]]:
    return [json.loads(path.read_bytes()) for path in sorted(place.receipts.glob("*.json"))]


def user_key(place: DataDir, user: str) -> str:
    from pipeline.ingest.suppression import Suppression

    return Suppression(b"", key_of(place).subkey("user")).form("user", user)


def all_of_ann(place: DataDir) -> list[str]:
    """Whatever could tell of her: ids, the key of her in tables, what she said, digests of it."""
    ids = [trace_id(number) for number in ANNS_TRACES]
    said = [words_of(number) for number in ANNS_TRACES]
    return [ANN, *ids, *said, user_key(place, ANN), *(f"c-{one}" for one in ids), "it said 1"]


def require_gone(place: DataDir) -> None:
    assert places_of(place, *all_of_ann(place)) == set()


@pytest.fixture
def lived_in(place: DataDir) -> DataDir:
    publish_everything(place)
    return place


def test_nothing_of_her_is_left_and_everything_of_his_is(lived_in: DataDir) -> None:
    before = places_of(lived_in, *all_of_ann(lived_in))
    assert {name.split("/")[1] for name in before if name.startswith("lake/")} == {
        name for name, table in ALL.items() if table.zone == "lake"
    } - {
        *("judge_calibration_reports", "eval_suite"),  # nothing of a trace
        *("mode_rates", "mode_states", "slow_failures"),  # sums, under the ids of modes
    }
    bos = {number: places_of(lived_in, trace_id(number), words_of(number)) for number in BOS_TRACES}
    done = forget(lived_in, "--user", ANN)
    assert done.exit_code == 0, done.output
    require_gone(lived_in)
    gone = ("landing_index/", "ledger/pulls")
    for number in BOS_TRACES:
        kept = {n for n in bos[number] if not any(part in n for part in gone)}
        assert kept <= places_of(lived_in, trace_id(number), words_of(number))


def test_what_it_prints_is_what_it_did(lived_in: DataDir) -> None:
    shown = forget(lived_in, "--user", ANN, "--dry-run").output
    printed = forget(lived_in, "--user", ANN).output
    rows = [line for line in printed.splitlines() if line.startswith("  ")]
    assert rows == [line for line in shown.splitlines() if line.startswith("  ")]
    assert "An id of theirs stands in" not in shown + printed  # landing would be rewritten, and was
    assert "Erased 2 conversations of 2026-11-02:" in printed
    assert f"  {'grades':<24} {4:>6} gone  {0:>6} changed" in rows
    assert f"Cases that went for good: {ANNS_CASE}" in printed
    assert f"make restate CASELAW_DATA={lived_in.root} FROM=2026-11-02" in printed
    assert ANN not in printed


def test_a_dry_run_changes_nothing(lived_in: DataDir) -> None:
    landed_files(lived_in, LARGEST)
    before = everything_in(lived_in)
    done = forget(lived_in, "--user", ANN, "--dry-run")
    assert (done.exit_code, "Nothing was changed." in done.output) == (0, True)
    now = {name: text for name, text in everything_in(lived_in).items() if ".lock" not in name}
    assert {n: t for n, t in now.items() if "landing_index" not in n} == {
        n: t for n, t in before.items() if "landing_index" not in n
    }


def test_footers_and_manifests_tell_the_truth(lived_in: DataDir) -> None:
    forget(lived_in, "--user", ANN)
    lake = Lake(lived_in)
    receipt = receipts(lived_in)[0]["receipt"]
    for table, erased in ((RAW_TRACES, 4), (GRADES, 4), (PROMOTED_CASES, 2)):
        footer = lake.footer(table, DAY)
        counts = Counts(**footer["counts"])
        counts.check(table.name)
        assert counts.filtered["erased"] == erased
        assert footer["inputs"][f"privacy/{receipt}"] == receipt
    assert CliRunner().invoke(cli, ["--data", str(lived_in.root), "verify"]).exit_code == 0


def test_what_others_rows_say_of_her_goes_too(lived_in: DataDir) -> None:
    forget(lived_in, "--user", ANN)
    lake = Lake(lived_in)
    assert lake.read(RUN_SUMMARIES, DAY).sort("metric")["example"].to_list() == [None, trace_id(3)]
    modes = lake.read(FAILURE_MODES, WEEK)
    assert modes.select("failure_mode_id", "exemplars").rows() == [("m-both", [trace_id(4)])]
    for table in (MODE_RATES, MODE_STATES):
        assert lake.read(table, WEEK)["failure_mode_id"].to_list() == ["m-both"]
    assert lake.read(SLOW_FAILURES, WEEK)["subject"].to_list() == ["m-both"]
    twin = lake.read(PROMOTED_CASES, DAY).filter(trace_id=trace_id(4))
    assert json.loads(twin["case"][0])["provenance"]["twin_of"] == "(erased)"
    page = lived_in.reports / str(DAY) / "summary.md"
    assert page.read_text() == f"for example (erased), and {trace_id(3)}.\n"


def test_the_suite_keeps_what_people_wrote_and_puts_up_a_tombstone(lived_in: DataDir) -> None:
    forget(lived_in, "--user", ANN)
    text = (lived_in.eval_dir(None) / "cases_from_prod.yaml").read_text()
    assert list(parse_suite(text)) == [BOS_CASE]
    assert parse_suite(text)[BOS_CASE]["history"]["traces"] == [trace_id(3)]
    assert read_tombstones(text) == erased_cases(lived_in) == {ANNS_CASE}
    assert "# Bo's, looked at by hand.\n" in text
    assert "# a good one" in text


def test_what_the_judge_cost_stays_without_her(lived_in: DataDir) -> None:
    forget(lived_in, "--user", ANN)
    calls = pl.read_parquet(lived_in.ledger / "export" / "judge_calls.parquet")
    assert calls.select("trace_id", "cost_usd").rows() == [("", 0.01), (trace_id(3), 0.01)]


def test_the_receipt_names_nobody(lived_in: DataDir) -> None:
    forget(lived_in, "--user", ANN)
    (path,) = lived_in.receipts.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (receipt,) = receipts(lived_in)
    assert receipt["kind"] == "user"
    assert len(receipt["digest"]) == 64
    assert (receipt["conversations"], receipt["cases"]) == (2, [ANNS_CASE])
    assert not any(word in path.read_text() for word in all_of_ann(lived_in))
    assert list(lived_in.privacy.glob("unfinished*")) == []


def test_running_the_day_again_brings_nothing_back_and_is_not_refused(lived_in: DataDir) -> None:
    forget(lived_in, "--user", ANN)
    files = landed_files(lived_in, LARGEST)
    entries = load_registry(lived_in.registry, DAY).settings.ingest
    assert list(stale_days(lived_in, files, lambda window: entries)) == []
    erased = Lake(lived_in).read(RAW_TRACES, DAY)
    assert run_ingest(lived_in).equals(erased)
    require_gone(lived_in)


def test_what_lands_again_or_late_stays_out_of_every_table(lived_in: DataDir) -> None:
    """The file as it was, a backfill with new turns, and a late span that does not say whose."""
    was = (lived_in.landing / "a.jsonl").read_bytes()
    forget(lived_in, "--user", ANN)
    before = Lake(lived_in).read(RAW_TRACES, DAY)["trace_id"].to_list()
    drop(lived_in, "again.jsonl", was)
    drop(lived_in, "more.jsonl", request(*spans_of(8, ANN, "another parcel")))
    nameless = [one for one in spans_of(2, ANN, words_of(2)) if ANN not in str(one)]
    drop(lived_in, "late.jsonl", request(*nameless))
    assert run_ingest(lived_in)["trace_id"].to_list() == before
    tables = {name for name in places_of(lived_in, *all_of_ann(lived_in)) if "part-0" in name}
    assert tables == set()
    assert forget(lived_in, "--user", ANN).exit_code == 0
    require_gone(lived_in)


@pytest.mark.parametrize("words", [("--session", "s-1"), ("--trace", trace_id(2).upper())])
def test_a_session_or_any_member_takes_the_whole_conversation(
    place: DataDir, words: tuple[str, str]
) -> None:
    turns = [*spans_of(1, ANN, words_of(1)), *spans_of(2, ANN, words_of(2))]
    for one in turns:
        one["attributes"].append({"key": "session.id", "value": {"stringValue": "s-1"}})
    drop(place, "a.jsonl", request(*turns, *spans_of(3, BO, words_of(3))))
    assert run_ingest(place).height == 2
    done = forget(place, *words)
    assert (done.exit_code, "Erased 1 conversation " in done.output) == (0, True)
    assert Lake(place).read(RAW_TRACES, DAY)["trace_id"].to_list() == [trace_id(3)]
    assert places_of(place, "s-1", *(trace_id(n) for n in ANNS_TRACES), words_of(2)) == set()


def test_an_id_that_was_never_seen_is_kept_out_all_the_same(place: DataDir) -> None:
    done = forget(place, "--user", ANN)
    assert done.exit_code == 1
    assert "is it written as the application writes it?" in done.output
    drop(place, "a.jsonl", request(*spans_of(1, ANN, words_of(1))))
    assert run_ingest(place).is_empty()
    assert forget(place, "--user", ANN).exit_code == 0
    again = forget(place, "--user", ANN)
    assert (again.exit_code, "it was erased before" in again.output) == (0, True)


def test_a_file_that_goes_whole_keeps_the_rows_of_others_and_says_so(place: DataDir) -> None:
    drop(place, "day=2026-11-02/log.eval", archive())
    assert run_ingest(place)["trace_id"].to_list() == [trace_id(1), trace_id(3)]
    done = forget(place, "--trace", trace_id(1))
    assert "log.eval could not be rewritten for certain and went whole" in done.output
    assert receipts(place)[0]["removed_whole"] == {"day=2026-11-02/log.eval": 1}
    assert Lake(place).read(RAW_TRACES, DAY)["trace_id"].to_list() == [trace_id(3)]
    with pytest.raises(SourcesGone, match="1 of the 1 conversations"):
        run_ingest(place)
    drop(place, "day=2026-11-02/log.eval", archive())
    assert run_ingest(place)["trace_id"].to_list() == [trace_id(3)]


def test_records_that_were_given_up_stay_so(lived_in: DataDir) -> None:
    both = request(*spans_of(8, ANN, "more"), *spans_of(6, BO, "more"))
    drop(lived_in, "b.jsonl", both, '{"resourceSpans": [{"x')
    run_ingest(lived_in)
    bad = Lake(lived_in).read(QUARANTINED_RECORDS, DAY).filter(file="b.jsonl")
    assert bad.height == 1
    drop_records(lived_in, bad["record_id"])
    forget(lived_in, "--user", ANN)
    run_ingest(lived_in)
    assert Lake(lived_in).read(QUARANTINED_RECORDS, DAY).is_empty()
    assert Lake(lived_in).footer(RAW_TRACES, DAY)["counts"]["filtered"] == {"dropped": 1}


def test_a_file_named_after_her_loses_its_name(lived_in: DataDir) -> None:
    name = f"day=2026-11-02/{trace_id(1)}.jsonl.gz"
    lines = (request(*spans_of(n, BO, words_of(n))) + "\n" for n in (1, 3))
    (lived_in.landing / "day=2026-11-02").mkdir()
    (lived_in.landing / name).write_bytes(gzip.compress("".join(lines).encode()))
    forget(lived_in, "--trace", trace_id(1))
    assert not any(trace_id(1) in str(path) for path in lived_in.root.rglob("*"))


def test_a_note_on_something_else_that_names_her_is_left_to_people(lived_in: DataDir) -> None:
    note = next(p for p in lived_in.annotations.rglob("*.json") if trace_id(3) in p.read_text())
    note.write_text(note.read_text().replace("rude", f"as rude as {trace_id(1)}"))
    done = forget(lived_in, "--user", ANN)
    assert f"An id of theirs stands in {note}" in done.output
    assert note.exists()


def test_what_reviewers_did_with_hers_goes_and_nothing_can_be_said_of_it_again(
    lived_in: DataDir,
) -> None:
    def decide(*words: str) -> int:
        told = CliRunner().invoke(
            cli, ["--data", str(lived_in.root), "review", "decide", trace_id(1), *words]
        )
        assert told.exception is None or isinstance(told.exception, SystemExit)
        return told.exit_code

    assert [decide("skip", "--note", "later"), decide("good"), decide("undo")] == [0, 0, 0]
    forget(lived_in, "--user", ANN)
    assert not any(trace_id(1) in p.read_text() for p in lived_in.annotations.rglob("*.json"))
    assert [decide("good"), decide("undo")] == [2, 2]


def test_an_opt_out_with_any_id_of_hers_is_left_to_people(lived_in: DataDir) -> None:
    odd = "auth0|ann 77"
    own = lived_in.root / "registry"  # else it is the committed one
    shutil.copytree(lived_in.registry, own)
    listed = own / "opt_outs.yaml"
    listed.write_text(f'opt_outs:\n  - users: ["{odd}"]\n')
    assert f"An id of theirs stands in {listed}" in forget(lived_in, "--user", odd).output


def test_what_no_reader_reads_is_left_to_people(lived_in: DataDir, tmp_path: Path) -> None:
    """Prose, hidden files, telemetry that is no trace; a link's own file lies elsewhere."""
    drop(lived_in, "notes.txt", f"Called {ANN} back.")
    drop(lived_in, ".later", f"Called {ANN}")
    drop(lived_in, "other.txt", f"Called x{ANN} back.")
    (lived_in.landing / "packed.gz").write_bytes(gzip.compress(f"Called {ANN}".encode()))
    linked = tmp_path / "export.jsonl"
    linked.write_text(
        "".join(request(*spans_of(n, u, "Hi")) + "\n" for n, u in ((5, ANN), (6, BO)))
    )
    (lived_in.landing / "link.jsonl").symlink_to(linked)
    done = forget(lived_in, "--user", ANN)
    names = [lived_in.landing / n for n in (".later", "notes.txt", "packed.gz")]
    assert receipts(lived_in)[0]["left_to_people"] == sorted(map(str, [*names, linked]))
    assert all(f"An id of theirs stands in {path}" in done.output for path in [*names, linked])
    assert trace_id(6) in (lived_in.landing / "link.jsonl").read_text()


def test_what_a_killed_step_had_half_written_goes(lived_in: DataDir) -> None:
    """Of a day that was never published, too: no table leads there."""
    gone = 2**22 + 1  # above what process ids may be
    folders = [lived_in.raw / "raw_traces" / "day=2026-11-05", lived_in.eval_dir(None)]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f".part-0.parquet.{gone}.0123abcd.tmp").write_text(words_of(1))
    forget(lived_in, "--user", ANN)
    require_gone(lived_in)


KILLING = """
import os, signal, sys
from pipeline import files
from pipeline.cli import main
left, swap = int(sys.argv.pop(1)), os.replace
def replace(*paths):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    swap(*paths)
files.os.replace = replace
main()
"""


@pytest.mark.parametrize("swaps", [1, 2, 3, 6, 12, 18])
def test_killed_at_any_point_the_same_command_finishes_the_work(
    lived_in: DataDir, swaps: int
) -> None:
    """The process is killed right before a file is swapped in."""
    landed_files(lived_in, LARGEST)
    command = [sys.executable, "-c", KILLING, str(swaps), "--data", str(lived_in.root), "forget"]
    killed = subprocess.run([*command, "--user", ANN], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert receipts(lived_in) == []
    assert not any(ANN.encode() in p.read_bytes() for p in lived_in.privacy.iterdir())
    assert forget(lived_in, "--user", ANN).exit_code == 0
    require_gone(lived_in)
    assert [one["cases"] for one in receipts(lived_in)] == [[ANNS_CASE]]
    assert list(lived_in.privacy.glob("unfinished*")) == []
    assert run_ingest(lived_in).height == 2


def test_two_at_once_both_finish(lived_in: DataDir) -> None:
    """One waits for the other."""
    command = [sys.executable, "-c", "from pipeline.cli import main; main()"]
    both = [
        subprocess.Popen([*command, "--data", str(lived_in.root), "forget", "--user", who])
        for who in (ANN, BO)
    ]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    assert Lake(lived_in).read(RAW_TRACES, DAY).is_empty()
    require_gone(lived_in)
    assert len(receipts(lived_in)) == 2


def test_a_file_that_has_grown_since_it_was_indexed_is_rewritten_too(
    lived_in: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    def grown(*given: Any) -> Any:
        with (lived_in.landing / "a.jsonl").open("a") as out:
            out.write(request(*spans_of(9, BO, "and then?")) + "\n")
        return speakers_in(*given)

    monkeypatch.setattr(forgetting, "speakers_in", grown)
    assert forget(lived_in, "--user", ANN).exit_code == 0
    require_gone(lived_in)
    assert "and then?" in (lived_in.landing / "a.jsonl").read_text()


def test_the_same_person_twice_at_once_is_erased_before_for_the_second(lived_in: DataDir) -> None:
    """What the first put on the list is read only when it has ended."""
    command = [sys.executable, "-c", "from pipeline.cli import main; main()"]
    with working(lived_in):
        both = [
            subprocess.Popen(
                [*command, "--data", str(lived_in.root), "forget", "--user", ANN],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
            for _ in range(2)
        ]  # fmt: skip
        for process in both:
            assert process.stderr is not None
            assert "Waiting" in process.stderr.readline()
    told = sorted(process.communicate(timeout=60)[0].splitlines()[0] for process in both)
    assert [process.returncode for process in both] == [0, 0], told
    assert told[1] == "Nothing is left of this id: it was erased before."
    lines = (lived_in.privacy / "suppressed.jsonl").read_text().splitlines()
    assert len(lines) == len(set(lines)) == len(ANNS_TRACES) + 2  # her, and her case


def test_an_id_is_read_from_standard_input(lived_in: DataDir) -> None:
    words = ["--data", str(lived_in.root), "forget", "--user", "-"]
    assert CliRunner().invoke(cli, words, input=f"{ANN}\n").exit_code == 0
    require_gone(lived_in)
    assert CliRunner().invoke(cli, words, input="\n").exit_code == 2


def test_a_running_step_is_waited_for_and_then_given_up_on(lived_in: DataDir) -> None:
    with working(lived_in):
        done = forget(lived_in, "--user", ANN, "--wait", "0")
    assert done.exit_code == 3
    assert "Waiting until running steps have ended" in done.output
    assert "nothing was changed" in done.output
    assert places_of(lived_in, ANN)
    assert receipts(lived_in) == []


def test_a_file_that_a_receiver_writes_to_leaves_the_work_unfinished(lived_in: DataDir) -> None:
    with (lived_in.landing / "a.jsonl").open("ab") as receiver:
        fcntl.flock(receiver, fcntl.LOCK_EX)
        done = forget(lived_in, "--user", ANN)
        assert (done.exit_code, receipts(lived_in)) == (3, [])
        assert "a.jsonl: being written to" in done.output
        assert places_of(lived_in, ANN) <= {"landing/a.jsonl"} | {
            name for name in everything_in(lived_in) if "landing_index" in name
        }
    assert forget(lived_in, "--user", ANN).exit_code == 0
    require_gone(lived_in)
    assert receipts(lived_in)[0]["interrupted"] == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "name one person"),
        (["--user", "a", "--trace", "b"], "name one person"),
        (["--user", " "], "--user is empty"),
    ],
)
def test_wrong_usage_is_said(place: DataDir, words: list[str], why: str) -> None:
    done = forget(place, *words)
    assert (done.exit_code, why in done.output) == (2, True)


def test_without_the_content_key_nobody_can_be_recognised(lived_in: DataDir) -> None:
    (lived_in.keys / "content.key").unlink()
    done = forget(lived_in, "--user", ANN)
    assert done.exit_code == 2
    assert "content.key" in done.output
    assert "nothing was changed" in done.output


def test_torn_notes_of_an_erasure_stop_it_and_say_what_to_do(lived_in: DataDir) -> None:
    forget(lived_in, "--user", ANN)
    notes = lived_in.privacy / f"unfinished-{receipts(lived_in)[0]['digest'][:16]}.json"
    notes.write_text('{"receipt": "erasure-')
    done = forget(lived_in, "--user", ANN)
    assert (done.exit_code, f"{notes} cannot be read" in done.output) == (3, True), done.output


def test_a_broken_suite_stops_it_before_anything_is_changed(lived_in: DataDir) -> None:
    (lived_in.eval_dir(None) / "cases_from_prod.yaml").write_text("cases: {")
    before = places_of(lived_in, *all_of_ann(lived_in))
    done = forget(lived_in, "--user", ANN)
    assert done.exit_code == 3
    assert "cases_from_prod.yaml" in done.output
    assert before - places_of(lived_in, *all_of_ann(lived_in)) == set()
