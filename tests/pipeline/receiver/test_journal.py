"""The journal: files by hour and size, and what killed processes left behind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.receiver.journal import Journal


def test_files_roll_by_the_utc_hour_and_by_size(tmp_path: Path):
    clock = [datetime(2026, 11, 1, 23, 59, tzinfo=UTC)]
    journal = Journal(tmp_path, roll_bytes=10, now=lambda: clock[0])
    for line in (b"first..\n", b"second.\n", b"third..\n"):
        journal.append(line).result(5)
    clock[0] += timedelta(minutes=1)
    journal.append(b"fourth.\n").result(5)
    journal.close()
    # A file of 8 bytes is below the limit of 10, one of 16 is not.
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "otlp-20261101T23-000.jsonl": b"first..\nsecond.\n",
        "otlp-20261101T23-001.jsonl": b"third..\n",
        "otlp-20261102T00-000.jsonl": b"fourth.\n",
    }


def test_half_lines_of_killed_receivers_are_cut_and_those_of_live_ones_are_not(tmp_path: Path):
    (tmp_path / "otlp-20261101T10-000.jsonl").write_bytes(b"whole\nha")
    (tmp_path / "otlp-20261101T10-001.jsonl").write_bytes(b"only half" * 300_000)
    (tmp_path / "other.jsonl").write_bytes(b"not ours")
    live = Journal(tmp_path)
    live.append(b"half a line of a live one").result(5)
    [written] = [path for path in tmp_path.glob("otlp-*") if "20261101T10" not in path.name]
    Journal(tmp_path).close()
    assert (tmp_path / "otlp-20261101T10-000.jsonl").read_bytes() == b"whole\n"
    assert not (tmp_path / "otlp-20261101T10-001.jsonl").exists()
    assert (tmp_path / "other.jsonl").read_bytes() == b"not ours"
    assert written.read_bytes() == b"half a line of a live one"
    live.close()


@pytest.mark.parametrize(
    "name",
    [
        "otlp-export.jsonl",
        "otlp-20261101T10-000-copy.jsonl",
        "my-otlp-20261101T10-000.jsonl",
        "otlp-20261101.jsonl",
        "otlp-20261101T10-000.jsonl.jsonl",
    ],
)
def test_files_that_somebody_else_put_there_stay_as_they_are(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(b'{"a whole line": 1}\n{"half')
    Journal(tmp_path).close()
    assert (tmp_path / name).read_bytes() == b'{"a whole line": 1}\n{"half'


def test_a_link_with_a_name_of_ours_leads_to_a_file_that_is_not(tmp_path: Path):
    (tmp_path / "elsewhere").write_bytes(b"half")
    (tmp_path / "received").mkdir()
    (tmp_path / "received" / "otlp-20261101T10-000.jsonl").symlink_to(tmp_path / "elsewhere")
    Journal(tmp_path / "received").close()
    assert (tmp_path / "elsewhere").read_bytes() == b"half"
    assert (tmp_path / "received" / "otlp-20261101T10-000.jsonl").is_symlink()


@pytest.mark.parametrize("before", [b"", b'{"resourceSpans":[1]}\n'])
@pytest.mark.parametrize("last", [b'{"resourceSpans":[]}', b'{"resourceSpans":[NaN,"\xff"]}'])
def test_a_last_line_that_lacks_only_its_line_feed_gets_it(
    tmp_path: Path, before: bytes, last: bytes
):
    file = tmp_path / "otlp-20261101T10-1000.jsonl"
    file.write_bytes(before + last)
    Journal(tmp_path).close()
    assert file.read_bytes() == before + last + b"\n"


def test_an_end_longer_than_any_line_of_ours_is_not_ours_to_cut(tmp_path: Path):
    file = tmp_path / "otlp-20261101T10-000.jsonl"
    file.write_bytes(b"x" * (32 * 2**20 + 1))
    Journal(tmp_path).close()
    assert file.stat().st_size == 32 * 2**20 + 1


def test_a_file_that_a_full_disk_left_empty_is_removed(tmp_path: Path):
    """Nothing that was never acknowledged stays, and the journal goes on."""
    journal = Journal(tmp_path / "received")
    (tmp_path / "received").rmdir()
    (tmp_path / "received").write_bytes(b"a file where the folder was")
    failed = journal.append(b"line\n").exception(5)
    assert type(failed).__name__ == "NotKept"
    (tmp_path / "received").unlink()
    journal.append(b"line\n").result(5)
    journal.close()
    assert [path.read_bytes() for path in (tmp_path / "received").iterdir()] == [b"line\n"]
