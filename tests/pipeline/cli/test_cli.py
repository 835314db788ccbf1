"""The command line as a person meets it: real processes, their output and their exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from pipeline.cli import main
from pipeline.cli.options import say_next
from pipeline.cli.printing import csv_text, print_frame
from pipeline.datadir import COMMITTED, DataDir
from pipeline.lake import Lake
from pipeline.provenance import Counts, Provenance
from pipeline.tables import QUARANTINED_RECORDS, RUN_SUMMARIES
from pipeline.windows import day

CHAT = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}


def caselaw(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command on a data directory."""
    return subprocess.run(
        [sys.executable, "-c", "from pipeline.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"CASELAW_DATA": str(data)},
    )


@pytest.fixture
def chat_file(tmp_path: Path) -> Path:
    path = tmp_path / "chat.jsonl"
    path.write_text(json.dumps(CHAT) + "\n{broken\n")
    return path


def test_land_says_what_landed_and_what_to_run_next(tmp_path: Path, chat_file: Path) -> None:
    done = caselaw(tmp_path / "data", "land", str(chat_file), "--day", "2026-11-10")
    assert done.returncode == 0
    assert "chat, 1 record, 1 that cannot be read (bad_json 1)" in done.stdout
    own = f"CASELAW_DATA={tmp_path / 'data'}"
    assert f"Next: make backfill {own} FROM=2026-11-10 TO=2026-11-10" in done.stdout
    again = caselaw(tmp_path / "data", "land", str(chat_file), "--day", "2026-11-10")
    assert "was there already" in again.stdout


def test_days_far_apart_are_commands_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    days = ["2026-11-10", "2025-03-03", "2026-11-03"]
    say_next(DataDir(COMMITTED), days)
    assert capsys.readouterr().out.splitlines() == [
        "Next: make backfill FROM=2025-03-03 TO=2025-03-03",
        "Next: make backfill FROM=2026-11-03 TO=2026-11-10",
    ]


def test_a_missing_file_is_one_readable_line(tmp_path: Path) -> None:
    failed = caselaw(tmp_path / "data", "land", "nowhere.jsonl")
    assert failed.returncode == 3
    assert failed.stderr == "caselaw: nowhere.jsonl: no such file; nothing was landed\n"


def test_what_nobody_foresaw_is_one_line_without_the_words_that_may_quote_a_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stumble(*_: object) -> None:
        raise ZeroDivisionError("Jane Doe, 1 Main Street")

    monkeypatch.setattr("pathlib.Path.glob", stumble)
    with pytest.raises(SystemExit) as ended:
        main(["verify"])
    assert ended.value.code == 3
    told = capsys.readouterr().err
    assert told.startswith("caselaw: ZeroDivisionError in tests/pipeline/cli/test_cli.py, line ")
    assert "(stumble). Its own words are withheld" in told
    assert "CASELAW_SHOW_ERRORS=1" in told
    assert "Jane" not in told
    assert told.count("\n") == 1

    monkeypatch.setenv("CASELAW_SHOW_ERRORS", "1")
    with pytest.raises(ZeroDivisionError, match="Jane"):
        main(["verify"])


def test_ctrl_c_is_no_finding(tmp_path: Path) -> None:
    code = (
        "import os, signal, threading; from pipeline.cli import main; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "  # some shells have it ignored
        "threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start(); "
        "main(['sql', '-'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as waiting:
        assert waiting.stderr is not None
        assert "caselaw: stopped; every file is as it was" in waiting.stderr.read()
        assert waiting.wait(30) == 130


@pytest.mark.parametrize("command", [["query"], ["plan", "--from", "2026-11-02"]])
def test_a_reader_that_has_gone_is_no_finding(lake: Lake, command: list[str]) -> None:
    """As `| head` in a pipeline that fails on the first code that is not 0 or 141."""
    code = "from pipeline.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=os.environ | {"CASELAW_DATA": str(lake.place.root)},
    ) as writing:  # fmt: skip
        assert writing.stdout is not None
        assert writing.stderr is not None
        writing.stdout.close()
        assert writing.stderr.read() == b""
        assert writing.wait(60) == 141


def test_where_output_is_closed_the_command_still_runs(lake: Lake) -> None:
    command = f"{sys.executable} -c 'from pipeline.cli import main; main()' query >&-"
    done = subprocess.run(
        ["/bin/sh", "-c", command], capture_output=True, check=False,
        env=os.environ | {"CASELAW_DATA": str(lake.place.root)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_terminal_of_no_size_shows_a_frame_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "0")
    print_frame(pl.DataFrame({"mode": ["loop"]}))
    assert capsys.readouterr().out.split() == ["mode", "loop"]


def test_a_wrong_option_is_wrong_usage(tmp_path: Path, chat_file: Path) -> None:
    failed = caselaw(tmp_path / "data", "land", str(chat_file), "--day", "yesterday")
    assert failed.returncode == 2
    assert "'yesterday' does not match the format" in failed.stderr


def test_simulated_traffic_never_mixes_with_landed_traces(tmp_path: Path, chat_file: Path) -> None:
    caselaw(tmp_path / "data", "land", str(chat_file), "--day", "2026-11-10")
    refused = caselaw(tmp_path / "data", "simulate", "--days", "1")
    assert refused.returncode == 2
    assert "holds traces that are not simulated; nothing was written" in refused.stderr


def test_simulate_writes_what_it_says(tmp_path: Path) -> None:
    done = caselaw(tmp_path / "data", "simulate", "--days", "1", "--per-day", "5")
    assert done.returncode == 0
    assert "conversations of 1 day in" in done.stdout
    assert done.stdout.endswith("FROM=2026-11-02 TO=2026-11-02\n")
    assert (tmp_path / "data" / "simulated" / "ground_truth.parquet").exists()
    refused = caselaw(tmp_path / "other", "simulate", "--start", "2026-11-03")
    assert refused.returncode == 2
    assert "Monday" in refused.stderr


def test_quarantine_ls_explains_without_the_text(tmp_path: Path, lake: Lake) -> None:
    row = {"record_id": "r", "stage": "ingest", "reason": "bad_json", "detail": "unexpected end",
           "file": "a.jsonl", "byte_offset": 7, "length": 3, "attempts": 1,
           "payload": b"secret words"}  # fmt: skip
    frame = pl.DataFrame([row], schema=QUARANTINED_RECORDS.schema)
    window = day("2026-11-10")
    counts = Provenance(Counts("records", 1, 1))
    lake.publish(QUARANTINED_RECORDS, window, frame, counts, part="ingest")
    done = caselaw(lake.place.root, "quarantine", "ls")
    assert "2026-11-10  r  ingest  bad_json  a.jsonl at byte 7: unexpected end" in done.stdout
    assert "secret" not in done.stdout + done.stderr


def test_verify_finds_an_altered_file(lake: Lake) -> None:
    window = day("2026-11-10")
    counts = Provenance(Counts("rows", 0, 0))
    path = lake.publish(RUN_SUMMARIES, window, RUN_SUMMARIES.empty(), counts)
    assert caselaw(lake.place.root, "verify").returncode == 0
    path.write_bytes(path.read_bytes() + b"x")
    found = caselaw(lake.place.root, "verify")
    assert found.returncode == 1
    assert (
        f"make it anew with: {lake.place.make('backfill', '2026-11-10', '2026-11-10')}"
        in found.stdout
    )


def test_verify_names_a_torn_manifest_and_goes_on(lake: Lake) -> None:
    for key in ("2026-11-02", "2026-11-03"):
        lake.publish(
            RUN_SUMMARIES, day(key), RUN_SUMMARIES.empty(), Provenance(Counts("rows", 0, 0))
        )
    folder = lake.directory(RUN_SUMMARIES, day("2026-11-02"))
    (folder / "_manifest.json").write_bytes(b'{"part-0.parquet": {"sha')
    found = caselaw(lake.place.root, "verify")
    assert found.returncode == 1
    assert "day=2026-11-02/part-0.parquet: the manifest beside it cannot be read" in found.stdout
    assert "2 files checked, 1 differ" in found.stdout


def test_a_summary_that_is_not_there_names_the_command(tmp_path: Path) -> None:
    failed = caselaw(tmp_path / "data", "summary", "2026-11-10")
    assert failed.returncode == 3
    command = f"make backfill CASELAW_DATA={tmp_path / 'data'} FROM=2026-11-10\n"
    assert failed.stderr.endswith(command)


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    heavy = "litellm, presidio_analyzer, spacy, sklearn, onnxruntime, dagster"
    code = (
        f"import sys, pipeline.cli; print([m for m in '{heavy}'.split(', ') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_wide_row_is_a_block_and_no_id_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    long = "case-" + "0123456789abcdef" * 8
    frame = pl.DataFrame({"case": [long, "case-2"], "share": [0.123456, 3.0], "by": ["x", "x"]})
    print_frame(frame)
    printed = capsys.readouterr().out
    assert long in printed
    assert "0.1235" in printed
    assert "by: x (in all 2 rows)" in printed


def test_items_of_a_list_are_joined_by_commas_and_sentences_by_spaces() -> None:
    frame = pl.DataFrame({"modes": [["loop", "drift"]], "reasons": [["No pattern yet.", "Low."]]})
    assert csv_text(frame).splitlines() == ["modes,reasons", '"loop, drift",No pattern yet. Low.']


def test_a_cell_that_a_spreadsheet_would_run_is_quoted() -> None:
    frame = pl.DataFrame({"name": ["=1+1", "plain"], "value": [-1.5, 2.0]})
    assert csv_text(frame).splitlines() == ["name,value", "'=1+1,-1.5", "plain,2.0"]
